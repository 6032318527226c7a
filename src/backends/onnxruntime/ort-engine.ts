/**
 * The owner's side of a loaded engine: one child process with one session.
 *
 * A call goes through three stages, each in the order of calls: its inputs are written into a slot's scratch file, the
 * child computes, its outputs are read back. With three slots the stages of three calls overlap, so the child finds the
 * next call waiting when it is done with one. Outputs take the place of inputs in the file: the child has read them.
 *
 * The files keep their size between calls, as onnxruntime keeps its arena, so that the next call finds its memory there:
 * 100 MB are written in 25 ms of CPU time then, against 50 ms. Calls one by one use one file, overlapping ones up to three.
 */

import { DeviceTensor } from '../../device-tensor.js'
import { TrtError, throwIfAborted } from '../../errors.js'
import type { HostProcess } from '../../host/host-process.js'
import { Lane } from '../../host/lane.js'
import type { ScratchFile } from '../../host/scratch-file.js'
import { readResults, writeCall } from '../../ort/transfer.js'
import type { Tensor } from '../../tensor.js'
import type { BackendEngine, RunOutcome, RunRequest } from '../backend.js'
import type { LoadReply, RunPayload, RunReply } from './messages.js'

/** One call being written, one computed, one read back. */
export const SLOTS = 3

/** Ends the child of an engine that was dropped without `close()`: a safety net, since nobody knows when it is called. */
const forgotten = new FinalizationRegistry<() => Promise<void>>((release) => void release())

/** See the head of this file. */
export class OrtEngine implements BackendEngine {
  readonly slots = SLOTS
  readonly inputs: BackendEngine['inputs']
  readonly outputs: BackendEngine['outputs']
  readonly profiles: BackendEngine['profiles']
  readonly precision: string
  readonly version: string

  readonly #host: HostProcess
  readonly #files: readonly ScratchFile[]
  readonly #writing = new Lane()
  readonly #reading = new Lane()

  /** Takes over `host` and `files`, of which there are {@link SLOTS}. */
  constructor(host: HostProcess, files: readonly ScratchFile[], loaded: LoadReply) {
    this.#host = host
    this.#files = files
    this.inputs = loaded.inputs
    this.outputs = loaded.outputs
    this.profiles = loaded.profiles
    this.precision = loaded.precision
    this.version = loaded.version
    forgotten.register(this, () => releaseAll(host, files), this)
  }

  /** The data of `feeds` has to stay as it is until the promise settles. */
  async run(slot: number, { feeds, outputs }: RunRequest, signal?: AbortSignal): Promise<RunOutcome> {
    const tensors = this.#onHost(feeds)
    const file = this.#files[slot] as ScratchFile
    // Wrapped in an object, for the next call may write while the child computes this one.
    const { reply } = await this.#writing.run(async () => {
      throwIfAborted('infer', signal)
      return { reply: this.#request({ slot, call: await writeCall(file, tensors, outputs) }) }
    })
    const placed = await reply
    return this.#reading.run(async () => {
      throwIfAborted('infer', signal)
      return { results: await readResults(file, outputs, placed) }
    })
  }

  #onHost(feeds: RunRequest['feeds']): ReadonlyMap<string, Tensor> {
    return new Map(
      this.inputs.map(({ name }, index) => {
        const feed = feeds[index] as Tensor | DeviceTensor
        if (!(feed instanceof DeviceTensor)) return [name, feed]
        const what = `infer: input ${JSON.stringify(name)}`
        throw new TrtError('INVALID_INPUT', `${what}: the CPU backend reads no GPU's memory`, {
          hint: 'await feed.toHost()',
        })
      }),
    )
  }

  async close(): Promise<void> {
    forgotten.unregister(this)
    await releaseAll(this.#host, this.#files)
  }

  async #request(payload: RunPayload): Promise<RunReply> {
    try {
      return await this.#host.request<RunReply>('run', payload)
    } catch (error) {
      if (!(error instanceof TrtError) || error.code !== 'PROCESS_CRASHED') throw error
      throw new TrtError('PROCESS_CRASHED', error.message, {
        hint: `The engine is lost; load it again: await trt.loadEngine(…). ${error.hint ?? ''}`.trimEnd(),
        cause: error,
      })
    }
  }
}

/** Ends a child, and then closes the files that it shares. */
export async function releaseAll(host: HostProcess | undefined, files: readonly ScratchFile[]): Promise<void> {
  await host?.kill()
  for (const file of files) file.close()
}
