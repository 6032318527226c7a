import { statSync } from 'node:fs'
import { orAborted, TrtError, throwIfAborted } from '../../errors.js'
import { explainRefusal } from '../../onnx/repair/refusal.js'
import { findTensorRT, type Sdk, tensorRTNotFoundError } from '../../sdk/find-tensorrt.js'
import type { Backend, BackendEngine, BuildControl, BuildOutcome, BuildRequest, LoadRequest } from '../backend.js'
import { type AddonFamily, cudaInfo, loadAddon, toTrtError } from './addon.js'
import { passEvents } from './build-events.js'
import { buildInProcess } from './build-in-process.js'
import { buildInThread, type PreparedBuildRequest } from './build-in-thread.js'
import { failureHint, judgeSettings } from './family-options.js'
import { planPreparation } from './plan-preparation.js'
import { compareVersions, planVersion, versionMismatch } from './plan-version.js'
import { type PluginFamily, resolvePlugins } from './plugin-library.js'
import { TensorrtEngine } from './tensorrt-engine.js'

/** The backends that this module implements. */
export type TensorrtBackendName = 'tensorrt' | 'tensorrt-rtx'

/** Where to look for TensorRT. */
export interface TensorrtBackendOptions {
  /** A folder that holds TensorRT, before every other place. */
  readonly root?: string | undefined
}

/** The families that can stand behind a backend, the preferred first. */
const FAMILIES: Readonly<Record<TensorrtBackendName, readonly AddonFamily[]>> = {
  'tensorrt-rtx': ['rtx'],
  tensorrt: ['trt11', 'trt10'],
}

/** The backend of that name; whether it can work here, its methods say. */
export function tensorrtBackend(name: TensorrtBackendName, options: TensorrtBackendOptions = {}): Backend {
  return {
    name,
    build: (request, control) => build(name, options, request, control),
    load: (engine, request) => loadOrAbort(name, options, engine, request),
  }
}

/** Why this backend cannot infer on this machine; undefined where it can. */
export async function inferenceObstacle(
  name: TensorrtBackendName,
  options: TensorrtBackendOptions = {},
): Promise<string | undefined> {
  try {
    const { family, onnxParser, nvinfer } = await locate(name, options)
    if (onnxParser === undefined) return `no ONNX parser library beside ${nvinfer}`
    loadAddon(family)
  } catch (error) {
    return (error as TrtError).message.split('\n')[0]
  }
  const { devices, reason } = await cudaInfo()
  return devices.length > 0 ? undefined : (reason ?? 'no GPU')
}

/**
 * What tells one TensorRT from another: its version, or, where the file names do not say it, size and time of the library.
 *
 * @throws {TrtError} `TENSORRT_NOT_FOUND`
 */
export async function libraryIdentity(
  name: TensorrtBackendName,
  options: TensorrtBackendOptions = {},
): Promise<string> {
  const { version, nvinfer } = await locate(name, options)
  if (version !== undefined) return version
  const { size, mtimeMs } = statSync(nvinfer)
  return `${size} bytes of ${mtimeMs}`
}

interface Located extends Sdk {
  readonly family: AddonFamily
}

/** @param major of the plan to load: its family is preferred, wherever it is, to others */
async function locate(name: TensorrtBackendName, { root }: TensorrtBackendOptions, major?: string): Promise<Located> {
  const families = FAMILIES[name]
  const ofPlan = families.filter((family) => family === `trt${major}`)
  const own = ofPlan.length > 0 ? await findTensorRT({ families: ofPlan, root }) : undefined
  const { sdk, tried } = own?.sdk ? own : await findTensorRT({ families, root })
  if (sdk) return sdk as Located
  throw tensorRTNotFoundError(families, tried)
}

async function build(
  name: TensorrtBackendName,
  options: TensorrtBackendOptions,
  request: BuildRequest,
  control: BuildControl,
): Promise<BuildOutcome> {
  const sdk = await locate(name, options)
  const { settings, warnings } = judgeSettings(sdk.family, request.settings, control.lenient)
  // Loaded here too for a build in a child process: what is missing is then said at once.
  loadAddon(sdk.family)
  if (sdk.onnxParser === undefined) {
    throw new TrtError('TENSORRT_NOT_FOUND', `no ONNX parser library beside ${sdk.nvinfer}`, {
      hint: 'install the whole of TensorRT, not its runtime alone',
    })
  }
  const { settings: left, preparation } = planPreparation(sdk.family, settings)
  const { plugins = [], ...rest } = left
  const native: PreparedBuildRequest = {
    ...request,
    settings: rest,
    preparation,
    plugins: pluginPaths(sdk.family, plugins),
    nvinfer: sdk.nvinfer,
    onnxParser: sdk.onnxParser,
    log: control.logger !== undefined,
    progress: control.onProgress !== undefined,
  }
  // What the caller's onProgress or logger throws ends the build, and is what the build then rejects with.
  const thrown = new AbortController()
  const events = passEvents(control, (error) => thrown.abort(error))
  const signal = control.signal ? AbortSignal.any([control.signal, thrown.signal]) : thrown.signal
  try {
    const result = await (control.isolation === 'thread'
      ? buildInThread(sdk.family, native, events.receive, signal)
      : buildInProcess(sdk.family, native, (batch) => batch.forEach(events.receive), signal))
    return { ...result, warnings: [...warnings, ...result.warnings] }
  } catch (error) {
    if (thrown.signal.aborted) throw thrown.signal.reason
    throw explained(error, failureHint(sdk.family, settings))
  } finally {
    events.stop()
  }
}

/** @throws {TrtError} `UNSUPPORTED` where the family has no plugins; what {@link resolvePlugins} throws */
function pluginPaths(family: AddonFamily, plugins: readonly string[]): readonly string[] {
  if (plugins.length === 0) return []
  if (family === 'rtx') judgeSettings(family, { plugins }, false)
  return resolvePlugins(plugins, family as PluginFamily)
}

/** Adds to TensorRT's own words what they are likely to mean, and what helps. */
function explained(error: unknown, optionHint: string | undefined): unknown {
  if (!(error instanceof TrtError) || !REFUSALS.includes(error.code)) return error
  const { cause, tensor, advice } = explainRefusal(error.message)
  if (cause === undefined && optionHint === undefined) return error
  const about = tensor === undefined ? '' : `, of "${tensor}"`
  const message = cause === undefined ? error.message : `${error.message}\nlikely${about}: ${cause}`
  const hint =
    (error.code === 'BUILD_FAILED' ? optionHint : undefined) ??
    (advice && `repair: true tries to mend it; or ${advice}`)
  return new TrtError(error.code, message, { hint: hint ?? error.hint, cause: error })
}

/** The codes of what TensorRT says of a model. */
const REFUSALS: readonly string[] = ['BUILD_FAILED', 'UNSUPPORTED_OP', 'INVALID_MODEL']

/** TensorRT cannot be told to stop loading, so an aborted load goes on unheard, and what it gives is closed. */
async function loadOrAbort(...[name, options, engine, request]: Parameters<typeof load>): Promise<BackendEngine> {
  throwIfAborted('loadEngine', request.signal)
  const loading = load(name, options, engine, request)
  try {
    return await orAborted('loadEngine', loading, request.signal)
  } catch (error) {
    loading.then((late) => late.close()).catch(() => {})
    throw error
  }
}

async function load(
  name: TensorrtBackendName,
  options: TensorrtBackendOptions,
  engine: { readonly path: string } | { readonly bytes: Uint8Array },
  { device, contexts, cudaGraphs, profile, weightStreamingBudget, allowHostCode, plugins, logger }: LoadRequest,
): Promise<BackendEngine> {
  const version = await planVersion(engine)
  const sdk = await locate(name, options, version?.split('.')[0])
  const difference = version && sdk.version ? compareVersions(version, sdk.version) : 0
  // The header of RTX plans was seen, that of TensorRT's was not: there TensorRT is asked first.
  if (difference > 0 && name === 'tensorrt-rtx') throw versionMismatch(version as string, sdk.version as string)
  const addon = loadAddon(sdk.family)
  const request = {
    nvinfer: sdk.nvinfer,
    device,
    contexts,
    cudaGraphs,
    profile,
    ...(weightStreamingBudget !== undefined && {
      weightStreamingBudget: weightStreamingBudget === 'auto' ? -1 : weightStreamingBudget,
    }),
    allowHostCode,
    plugins: pluginPaths(sdk.family, plugins),
  }
  try {
    const loaded = await addon.load({ ...engine, ...request }, (event) => {
      if (event.type === 'log') logger[event.level](event.message)
    })
    return new TensorrtEngine(addon, loaded, { device, contexts, cudaGraphs, profile })
  } catch (error) {
    if (difference !== 0) throw versionMismatch(version as string, sdk.version as string, error)
    throw toTrtError(error)
  }
}
