/**
 * The CPU backend: onnxruntime-node, in a child process per engine.
 *
 * onnxruntime-node's `run()` computes on the thread that calls it, so it has to leave the caller's. It cannot go to a
 * worker thread: in 1.30 the end of such a thread during `run()` aborts the whole process (20 of 20 times at
 * `worker.terminate()` and at `process.exit()`), and nothing can guard a worker inside the caller's own worker against
 * `terminate()`. A child process survives its owner in no case (see host-process.ts), and keeps a crash to itself.
 */
import { resolve } from 'node:path'
import { abortedError, throwIfAborted } from '../../errors.js'
import { HostProcess } from '../../host/host-process.js'
import { ScratchFile } from '../../host/scratch-file.js'
import { allocate } from '../../memory.js'
import type { BuildProgress, Logger } from '../../options.js'
import type { Backend, BackendEngine, BuildControl, BuildOutcome, BuildRequest, LoadRequest } from '../backend.js'
import type { BuildEvent, BuildPayload, BuildReply, LoadPayload, LoadReply, Source } from './messages.js'
import { OrtEngine, releaseAll, SLOTS } from './ort-engine.js'
import { judgeSettings } from './settings.js'

const CHILD = new URL('./child.js', import.meta.url)
const HEARTBEAT_MS = 1000

/** The CPU backend. Costs nothing until it is used: onnxruntime-node is looked for in the child process only. */
export function onnxruntimeBackend(): Backend {
  return { name: 'onnxruntime', build, load }
}

async function build({ model, profiles, settings }: BuildRequest, control: BuildControl): Promise<BuildOutcome> {
  const warnings = judgeSettings(settings, control.lenient)
  if (control.isolation === 'thread') {
    warnings.push("isolation: 'thread' has no effect on the CPU backend, which always builds in a child process")
  }
  for (const warning of warnings) control.logger?.warn(warning)
  return inChild(1, 'buildEngine', control.signal, control.logger, async (host, files) => {
    const [file] = files as [ScratchFile]
    const progress = new Progress(control.onProgress, () => host.kill())
    try {
      const payload: BuildPayload = { model: await toSource(model, file), profiles, settings }
      const reply = await host.request<BuildReply, BuildEvent>('build', payload, (event) => progress.report(event))
      const plan = allocate(reply.length, 'the engine')
      await file.read(plan, 0)
      await releaseAll(host, files)
      const { precision, version } = reply
      return { plan, precision, version, computeCapabilities: [], warnings: [...warnings, ...reply.warnings] }
    } finally {
      progress.stop()
    }
  })
}

async function load(
  engine: { readonly path: string } | { readonly bytes: Uint8Array },
  { device, contexts, cudaGraphs, profile, weightStreamingBudget, plugins, signal, logger }: LoadRequest,
): Promise<BackendEngine> {
  judgeSettings({ plugins: plugins.length === 0 ? undefined : plugins }, false)
  for (const [option, isSet] of Object.entries({
    cudaGraphs: cudaGraphs > 0,
    profile,
    weightStreamingBudget: weightStreamingBudget !== undefined,
  })) {
    if (isSet) logger.warn(`${option} has no effect on the CPU backend`)
  }
  if (contexts !== 1) {
    logger.warn(`contexts: ${contexts} has no effect on the CPU backend, where every inference uses all cores`)
  }
  if (device !== 0) logger.warn(`device: ${device} has no effect on the CPU backend`)
  return inChild(SLOTS, 'loadEngine', signal, logger, async (host, files) => {
    const payload: LoadPayload = { engine: await toSource(engine, files[0] as ScratchFile), slots: SLOTS }
    const loaded = await host.request<LoadReply>('load', payload)
    await files[0]?.clear()
    return new OrtEngine(host, files, loaded)
  })
}

/** Starts a child that shares `count` files; where `task` fails or `signal` fires, nothing of it is left. */
async function inChild<T>(
  count: number,
  what: string,
  signal: AbortSignal | undefined,
  logger: Logger | undefined,
  task: (host: HostProcess, files: readonly ScratchFile[]) => Promise<T>,
): Promise<T> {
  throwIfAborted(what, signal)
  const files: ScratchFile[] = []
  let host: HostProcess | undefined
  const abort = () => void host?.kill()
  try {
    while (files.length < count) files.push(ScratchFile.create())
    host = HostProcess.start(CHILD, {
      files: files.map(({ fd }) => fd),
      name: "The CPU backend's process",
      onStderr: (line) => logger?.debug(line),
    })
    signal?.addEventListener('abort', abort, { once: true })
    const result = await task(host, files)
    throwIfAborted(what, signal)
    return result
  } catch (error) {
    await releaseAll(host, files)
    throw signal?.aborted ? abortedError(what, signal) : error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

async function toSource(
  from: { readonly path: string } | { readonly bytes: Uint8Array },
  file: ScratchFile,
): Promise<Source> {
  if ('path' in from) return { path: resolve(from.path) }
  await file.write(from.bytes, 0)
  return { length: from.bytes.byteLength }
}

/** Tells `onProgress` of phases, and of every second without one. What it throws ends the build, and is its error. */
class Progress {
  readonly #onProgress: ((progress: BuildProgress) => void) | undefined
  readonly #cancel: () => void
  readonly #started = performance.now()
  readonly #heartbeat: NodeJS.Timeout
  #failure: { readonly error: unknown } | undefined

  constructor(onProgress: ((progress: BuildProgress) => void) | undefined, cancel: () => void) {
    this.#onProgress = onProgress
    this.#cancel = cancel
    this.#heartbeat = setInterval(() => this.report({ phase: 'heartbeat', step: 0, steps: 0 }), HEARTBEAT_MS).unref()
  }

  report({ phase, step, steps }: BuildEvent): void {
    this.#heartbeat.refresh()
    try {
      this.#onProgress?.({ phase, parents: [], step, steps, elapsedMs: performance.now() - this.#started })
    } catch (error) {
      this.#failure = { error }
      this.#cancel()
    }
  }

  /** @throws what `onProgress` threw */
  stop(): void {
    clearInterval(this.#heartbeat)
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
