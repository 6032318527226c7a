import { resolve } from 'node:path'
import type { BuildOutcome, Profile } from '../backends/backend.js'
import { resolveBuildBackend } from '../backends/resolve-backend.js'
import { TrtError, throwIfAborted } from '../errors.js'
import { toPath, writeFileAtomic } from '../files.js'
import { inspectModel, Model, type RepairResult, type ValueInfo } from '../onnx/index.js'
import { readSource } from '../onnx/model/read.js'
import type { BackendName, BuildOptions } from '../options.js'
import { traced } from '../tracing.js'
import { buildRepaired, type RepairedBuild, toRepairedSource } from './build-repaired.js'
import { describePlan, removeManifest, writeManifest } from './manifest.js'
import { toModelSource } from './model-source.js'
import { resolveProfiles } from './resolve-profiles.js'
import { resolveQuantization } from './resolve-quantization.js'
import { toBuildSettings, validateBuildOptions } from './validate-options.js'

/** A built engine: its bytes, and what is to be said about them. */
export class BuildResult {
  /** The engine file's bytes: a plain TensorRT plan, or the CPU backend's engine file. */
  readonly plan: Uint8Array
  readonly backend: BackendName
  /** Why it is this backend. */
  readonly backendReason: string
  /** What will really compute, e.g. `'fp32'`; on the CPU backend `fp16: true` computes in fp32, and this says so. */
  readonly precision: string
  /** The version of the library that built it. */
  readonly version: string
  /** The GPUs that the plan runs on, as compute capabilities; empty where it needs none. */
  readonly computeCapabilities: readonly string[]
  /** What one should know about this engine. */
  readonly warnings: readonly string[]
  /** The model's inputs. */
  readonly inputs: readonly ValueInfo[]
  /** The model's outputs. */
  readonly outputs: readonly ValueInfo[]
  /**
   * What `repair` did to the model, where it was asked for: its steps, its proof, and what the engine takes for granted
   * now (`assumptions`: inputs that are constants, and shapes that are fixed).
   */
  readonly repair: RepairResult | undefined
  /** The optimization profiles that it was built with. */
  readonly profiles: readonly Profile[]
  /** Milliseconds that the build took. */
  readonly durationMs: number

  /** @internal use {@link buildEngine} */
  constructor(outcome: BuildOutcome, about: Omit<BuildResult, keyof BuildOutcome | 'save'>) {
    this.plan = outcome.plan
    this.precision = outcome.precision
    this.version = outcome.version
    this.computeCapabilities = outcome.computeCapabilities
    this.warnings = outcome.warnings
    this.backend = about.backend
    this.backendReason = about.backendReason
    this.inputs = about.inputs
    this.outputs = about.outputs
    this.profiles = about.profiles
    this.repair = about.repair
    this.durationMs = about.durationMs
  }

  /**
   * Writes the engine file, atomically: `path` holds all of it, or what it held before. Of a model that was repaired,
   * `PATH.json` is written besides: what was changed and what the engine takes for granted now, which {@link loadEngine}
   * reads. A manifest of the plan that was there before is removed.
   *
   * @throws {TrtError} `IO_ERROR`
   */
  async save(path: string | URL): Promise<void> {
    const file = toPath(path)
    // Before the plan is written, which is beside a manifest of what was there before until it has its own.
    const manifest = this.repair?.outcome === 'repaired' ? await describePlan(this) : undefined
    await writeFileAtomic(file, this.plan)
    if (manifest !== undefined) await writeManifest(file, manifest)
    else await removeManifest(file)
  }
}

/**
 * Builds an ONNX model into an engine.
 *
 * @example
 * const built = await trt.buildEngine({ onnx: 'model.onnx', shapes: { images: [1, 3, 224, 224] } })
 * await built.save('model.engine')
 *
 * @throws {TrtError} `INVALID_ARGUMENT`, `FILE_NOT_FOUND`, `IO_ERROR`, `INVALID_MODEL`, `EXTERNAL_DATA`,
 *   `INVALID_SHAPES`, `UNSUPPORTED_OP`, `UNSUPPORTED`, `TENSORRT_NOT_FOUND`, `ADDON_NOT_BUILT`,
 *   `ONNXRUNTIME_NOT_FOUND`, `GPU_NOT_FOUND`, `INVALID_PLUGIN`, `BUILD_FAILED`, `OUT_OF_MEMORY`, `PROCESS_CRASHED`, `ABORTED`.
 *   No file and no process is left behind.
 */
export function buildEngine(options: BuildOptions): Promise<BuildResult> {
  return traced('build', { options }, () => build(options))
}

async function build(options: BuildOptions): Promise<BuildResult> {
  validateBuildOptions(options)
  throwIfAborted('buildEngine', options.signal)
  const started = performance.now()
  const { outcome, ...about } = options.repair ? await buildMended(options) : await buildAsIs(options)
  return new BuildResult(outcome, { ...about, durationMs: performance.now() - started })
}

type Built = Omit<BuildResult, keyof BuildOutcome | 'save' | 'durationMs'> & { readonly outcome: BuildOutcome }

async function buildAsIs(options: BuildOptions): Promise<Built> {
  const model = toModelSource(options.onnx)
  const { inputs, outputs } = await inspectModel(model)
  const profiles = resolveProfiles(inputs, options.shapes)
  throwIfAborted('buildEngine', options.signal)
  const { backend, settings: others, control, backendReason } = await chooseBackend(options)
  const settings = { ...others, ...(await resolveQuantization(model, options)) }
  const outcome = await backend.build({ model, profiles, settings }, control)
  return { outcome, backend: backend.name, backendReason, inputs, outputs, profiles, repair: undefined }
}

/**
 * Repaired first, and then quantised: ranges belong to the values of the model that is built, and TensorRT is asked about one
 * that is not calibrated anew after each fix.
 */
async function buildMended(options: BuildOptions): Promise<Built> {
  const { onnx, repair, shapes } = options
  const source = toModelSource(onnx)
  const model = onnx instanceof Model ? onnx : readSource(source)
  const values = typeof repair === 'object' ? repair.values : undefined
  const { backendReason, ...chosen } = await chooseBackend(options)
  const { result, built, error } = await buildRepaired(model, source, { ...chosen, shapes }, values && { values })
  if (built === undefined) throw refusedError(result, error as TrtError)
  const { backend, settings, control } = chosen
  const quantization = await resolveQuantization(result.model, options, goneFrom(model, result.model))
  const request = { profiles: built.profiles, settings: { ...settings, ...quantization } }
  const isQuantised = Object.keys(quantization).length > 0
  const outcome = isQuantised
    ? await backend.build({ ...request, model: toRepairedSource(result.model) }, control)
    : built.outcome
  return {
    outcome,
    profiles: built.profiles,
    backend: backend.name,
    backendReason,
    inputs: infosOf(result.model.graph.fedInputs),
    outputs: infosOf(result.model.graph.outputs),
    repair: result,
  }
}

/** Inputs that a repair turned into constants. */
function goneFrom(original: Model, repaired: Model): ReadonlySet<string> {
  const left = new Set(repaired.graph.fedInputs.map(({ name }) => name))
  return new Set(original.graph.fedInputs.map(({ name }) => name).filter((name) => !left.has(name)))
}

/** The settings are all but those of the quantisation. */
async function chooseBackend(
  options: BuildOptions,
): Promise<Omit<RepairedBuild, 'shapes'> & { backendReason: string }> {
  const { backend, reason, lenient } = await resolveBuildBackend(options)
  const timingCache = options.timingCache === undefined ? undefined : resolve(options.timingCache)
  return {
    backend,
    backendReason: reason,
    settings: toBuildSettings(options, timingCache),
    control: {
      isolation: options.isolation ?? 'process',
      lenient,
      signal: options.signal,
      onProgress: options.onProgress,
      logger: options.logger,
    },
  }
}

function infosOf(values: readonly ValueInfo[]): ValueInfo[] {
  return values.map(({ name, type, dims }) => ({ name, type, dims }))
}

/** Says what was tried, and what TensorRT still says. */
function refusedError({ steps, refusal }: RepairResult, error: TrtError): TrtError {
  const tried = steps.map(({ fix, outcome }) => `${fix.passes.map(({ pass }) => pass).join(', ')}: ${outcome}`)
  const text = tried.length === 0 ? 'repair knows no pass that helps' : `repair tried ${tried.join('; ')}`
  return new TrtError(error.code, `${error.message}\n${text}`, { hint: refusal?.advice ?? error.hint, cause: error })
}
