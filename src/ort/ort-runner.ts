import { abortedError, TrtError, throwIfAborted } from '../errors.js'
import { HostProcess } from '../host/host-process.js'
import { Lane } from '../host/lane.js'
import { ScratchFile } from '../host/scratch-file.js'
import type { Tensor } from '../tensor.js'
import type { OpenPayload } from './runner-child.js'
import { type Call, type Placed, readResults, writeCall } from './transfer.js'

const CHILD = new URL('./runner-child.js', import.meta.url)

/**
 * A model file on onnxruntime, in a child process of its own: a crash inside onnxruntime is an error here, and the event
 * loop never waits. Calls are served one after the other.
 */
export class OrtRunner {
  readonly #host: HostProcess
  readonly #file: ScratchFile
  readonly #lane = new Lane()
  #closed: Promise<void> | undefined

  private constructor(host: HostProcess, file: ScratchFile) {
    this.#host = host
    this.#file = file
  }

  /**
   * Opens a model file. The file is no longer needed afterwards.
   *
   * @throws {TrtError} `ONNXRUNTIME_NOT_FOUND`, `UNSUPPORTED_OP`, `INVALID_MODEL`, `EXTERNAL_DATA`, `UNSUPPORTED`,
   *   `OUT_OF_MEMORY`, `LOAD_FAILED`, `PROCESS_CRASHED`, `ABORTED`
   */
  static async open(payload: OpenPayload, signal?: AbortSignal): Promise<OrtRunner> {
    throwIfAborted('run', signal)
    const file = ScratchFile.create()
    const host = HostProcess.start(CHILD, { files: [file.fd], name: "onnxruntime's process" })
    const runner = new OrtRunner(host, file)
    const abort = (): void => void host.kill()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await host.request('open', payload)
      return runner
    } catch (error) {
      await runner.close()
      throw signal?.aborted ? abortedError('run', signal) : error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /**
   * Computes. The data of `feeds` has to stay as it is until the promise settles.
   *
   * @param outputs names of what to give back
   * @throws {TrtError} `INFERENCE_FAILED`, `UNSUPPORTED`, `OUT_OF_MEMORY`, `PROCESS_CRASHED`, `CLOSED`
   */
  run(feeds: ReadonlyMap<string, Tensor>, outputs: readonly string[]): Promise<Record<string, Tensor>> {
    return this.#lane.run(async () => {
      if (this.#closed !== undefined) throw new TrtError('CLOSED', 'run: the runner was closed')
      const call: Call = await writeCall(this.#file, feeds, outputs)
      const placed = await this.#host.request<readonly Placed[]>('run', call)
      return readResults(this.#file, outputs, placed)
    })
  }

  /** Ends the process; a call in flight rejects. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#host.kill()
      await this.#lane.run(async () => this.#file.close())
    })()
    return this.#closed
  }
}
