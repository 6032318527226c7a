import { resolve } from 'node:path'
import { type AddonFamily, cudaInfo, loadAddon } from '../backends/tensorrt/addon.js'
import {
  BUILTIN,
  builtinLibrary,
  checkBuilt,
  checkPluginLibrary,
  familyOfPlugins,
  installedFamily,
} from '../backends/tensorrt/plugin-library.js'
import { abortedError, TrtError, throwIfAborted } from '../errors.js'
import { HostProcess } from '../host/host-process.js'
import { Lane } from '../host/lane.js'
import { ScratchFile } from '../host/scratch-file.js'
import { readResults, writeCall } from '../ort/transfer.js'
import { findTensorRT, tensorRTNotFoundError } from '../sdk/find-tensorrt.js'
import type { Tensor } from '../tensor.js'
import type { OpenPayload, OpenReply, PluginCreatorInfo, RunPayload, RunReply } from './messages.js'
import type { PluginFormat, PluginRunOptions, PluginRunResult, PluginTiming } from './options.js'

const CHILD = new URL('./bench-child.js', import.meta.url)

/** What {@link PluginBench.open} needs to know of a library. */
export type BenchOptions = Pick<PluginRunOptions, 'library' | 'tensorrt' | 'signal'>

/** A run as the bench takes it: options checked, and inputs of the type that they shall have. */
export type BenchRun = Omit<RunPayload, 'inputs' | 'length'> & { readonly inputs: readonly Tensor[] }

/**
 * A plugin library, open in a process of its own, so that whatever it does there is an error here. Runs are served one
 * after the other. Whoever gives `signal` has everything end when it fires.
 */
export class PluginBench {
  /** The library's path. */
  readonly library: string
  readonly creators: readonly PluginCreatorInfo[]
  /** Whether its kernels run on the CPU. */
  readonly emulated: boolean
  readonly #host: HostProcess
  readonly #file: ScratchFile
  readonly #lane = new Lane()
  readonly #signal: AbortSignal | undefined
  readonly #abort: () => void

  private constructor(library: string, { creators, emulated }: OpenReply, process: BenchProcess) {
    this.library = library
    this.creators = creators
    this.emulated = emulated
    this.#host = process.host
    this.#file = process.file
    this.#signal = process.signal
    this.#abort = process.abort
  }

  /**
   * Opens a library.
   *
   * @throws {TrtError} `FILE_NOT_FOUND`, `INVALID_PLUGIN`, `TENSORRT_NOT_FOUND` (the library needs it),
   *   `ADDON_NOT_BUILT`, `ABORTED`
   */
  static async open(options: BenchOptions): Promise<PluginBench> {
    throwIfAborted('plugins', options.signal)
    const payload = await locate(options)
    const process = startProcess(options.signal)
    try {
      const reply = await process.host.request<OpenReply>('open', payload)
      return new PluginBench(payload.path, reply, process)
    } catch (error) {
      await endProcess(process)
      if (options.signal?.aborted) throw abortedError('plugins', options.signal)
      throw asInvalidPlugin(payload.path, error)
    }
  }

  /** Whether the process has gone, by the library's doing; then everything rejects. */
  get hasEnded(): boolean {
    return this.#host.hasEnded
  }

  /** The interface of what a creator makes without fields; undefined where it makes nothing, or the process ends. */
  async interfaceOf(creator: number): Promise<PluginCreatorInfo['interface'] | undefined> {
    return this.#host.request<PluginCreatorInfo['interface']>('interfaceOf', creator).catch(() => undefined)
  }

  /** @throws {TrtError} see `runPlugin` */
  run({ inputs, ...request }: BenchRun): Promise<PluginRunResult> {
    return this.#lane.run(async () => {
      const feeds = new Map(inputs.map((tensor, index) => [String(index), tensor]))
      const { inputs: placed, length } = await writeCall(this.#file, feeds, [])
      const payload: RunPayload = { ...request, inputs: Object.values(placed), length }
      try {
        const reply = await this.#host.request<RunReply>('run', payload)
        const names = reply.outputs.map((_, index) => String(index))
        const outputs = await readResults(this.#file, names, reply.outputs)
        return toResult(this.library, reply, Object.values(outputs))
      } catch (error) {
        if (this.#signal?.aborted) throw abortedError('plugins.run', this.#signal)
        throw error
      }
    })
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await endProcess({ host: this.#host, file: this.#file, signal: this.#signal, abort: this.#abort })
  }
}

interface BenchProcess {
  readonly host: HostProcess
  readonly file: ScratchFile
  readonly signal: AbortSignal | undefined
  readonly abort: () => void
}

function startProcess(signal: AbortSignal | undefined): BenchProcess {
  const file = ScratchFile.create()
  const host = HostProcess.start(CHILD, { files: [file.fd], name: "The plugin bench's process" })
  const abort = (): void => void host.kill()
  signal?.addEventListener('abort', abort, { once: true })
  return { host, file, signal, abort }
}

async function endProcess({ host, file, signal, abort }: BenchProcess): Promise<void> {
  signal?.removeEventListener('abort', abort)
  await host.kill()
  file.close()
}

/** Which file, which addon, and what has to be there before. */
async function locate({ library = BUILTIN, tensorrt }: BenchOptions): Promise<OpenPayload> {
  const path = library === BUILTIN ? await locateBuiltin() : resolve(library)
  const links = checkPluginLibrary(path)
  const family = familyOfPlugins(path, links) ?? (await installedFamily())
  loadAddon(family)
  return { family, path, preload: needsTensorRT(links?.needed) ? [await tensorrtFor(family, tensorrt)] : [] }
}

async function locateBuiltin(): Promise<string> {
  const { devices } = await cudaInfo()
  const kind = devices.length === 0 ? 'emulated' : await installedFamily()
  checkBuilt(kind)
  return builtinLibrary(kind)
}

function needsTensorRT(needed: readonly string[] = []): boolean {
  return needed.some((name) => name.startsWith('libnvinfer.so'))
}

async function tensorrtFor(family: AddonFamily, root: string | undefined): Promise<string> {
  const { sdk, tried } = await findTensorRT({ families: [family], root })
  if (sdk === undefined) throw tensorRTNotFoundError([family], tried)
  return sdk.nvinfer
}

/** A process that ended while the library was opened, was ended by the library. */
function asInvalidPlugin(path: string, error: unknown): unknown {
  if (!(error instanceof TrtError) || error.code !== 'PROCESS_CRASHED') return error
  return new TrtError('INVALID_PLUGIN', `to open the plugin library ${path} ends the process: ${error.message}`, {
    hint: 'was it made for another major version of TensorRT? Its constructors run when it is opened',
    cause: error,
  })
}

function toResult(library: string, reply: RunReply, outputs: readonly Tensor[]): PluginRunResult {
  const [launches, allocations, synchronizations] = reply.calls
  const timing = reply.milliseconds.length === 0 ? undefined : toTiming(reply)
  return {
    outputs,
    library,
    interface: reply.interface,
    device: reply.device,
    inputFormats: reply.inputFormats as PluginFormat[],
    outputFormats: reply.outputFormats as PluginFormat[],
    workspaceBytes: reply.workspaceBytes,
    serializedBytes: reply.serializedBytes,
    ...(launches === undefined || allocations === undefined || synchronizations === undefined
      ? {}
      : { calls: { launches, allocations, synchronizations } }),
    ...(timing === undefined ? {} : { timing }),
  }
}

function toTiming({ milliseconds, bytesMoved, peakBandwidth }: RunReply): PluginTiming {
  const sorted = milliseconds.map((time) => time * 1000).sort((a, b) => a - b)
  // Nearest rank: the smallest time that so many of a hundred calls do not exceed.
  const percentile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
  const gigabytesPerSecond = bytesMoved / percentile(0.5) / 1000
  return {
    iterations: sorted.length,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    gigabytesPerSecond,
    ...(peakBandwidth > 0 ? { shareOfPeak: (gigabytesPerSecond * 1e9) / peakBandwidth } : {}),
  }
}
