/** Building with repair: the backend's own build is what `onnx.repair` asks, and the last one that went well is the result. */
import type { Backend, BuildControl, BuildOutcome, BuildSettings, ModelSource, Profile } from '../backends/backend.js'
import { TrtError } from '../errors.js'
import { type Model, type RepairOptions, type RepairResult, repair, type ValueInfo } from '../onnx/index.js'
import { takeInside } from '../onnx/model/take-inside.js'
import { isDynamic } from '../onnx/value-type.js'
import type { Shapes } from '../options.js'
import { resolveProfiles } from './resolve-profiles.js'

/** What is built, and by whom. */
export interface RepairedBuild {
  readonly backend: Backend
  readonly settings: BuildSettings
  readonly control: BuildControl
  /** As the user gave them. */
  readonly shapes: Shapes | readonly Shapes[] | undefined
}

/** What came of it. */
export interface RepairedOutcome {
  readonly result: RepairResult
  /** The engine; undefined where the model is refused. */
  readonly built: { readonly outcome: BuildOutcome; readonly profiles: readonly Profile[] } | undefined
  /** The error of the last build, where it was refused. */
  readonly error: TrtError | undefined
}

/** What tells that the model is refused, and not that something is missing or that an option is wrong. */
const REFUSALS: readonly string[] = [
  'BUILD_FAILED',
  'UNSUPPORTED_OP',
  'INVALID_MODEL',
  'INVALID_SHAPES',
  'PROCESS_CRASHED',
]

/**
 * Repairs a model until the backend builds it.
 *
 * @throws {TrtError} `INVALID_SHAPES` where `shapes` do not fit the model; what building throws that is no refusal of it
 */
export async function buildRepaired(
  model: Model,
  source: ModelSource,
  { backend, settings, control, shapes }: RepairedBuild,
  options: Pick<RepairOptions, 'values' | 'feeds' | 'onProgress'> = {},
): Promise<RepairedOutcome> {
  let built: RepairedOutcome['built']
  let error: TrtError | undefined
  const wanted: readonly Shapes[] = Array.isArray(shapes) ? shapes : [(shapes ?? {}) as Shapes]
  for (const given of wanted) checkGiven(model.graph.fedInputs, given)
  const ask: RepairOptions['ask'] = async (candidate, proposed) => {
    const inputs = candidate.graph.fedInputs
    const dynamic = new Set(inputs.filter(isDynamic).map(({ name }) => name))
    try {
      const profiles = resolveProfiles(
        inputs,
        wanted.map((given) => ({
          ...proposed,
          ...Object.fromEntries(Object.entries(given).filter(([name]) => dynamic.has(name))),
        })),
      )
      const from = candidate === model ? source : toRepairedSource(candidate)
      built = { outcome: await backend.build({ model: from, profiles, settings }, control), profiles }
      error = undefined
      return undefined
    } catch (caught) {
      if (!isRefusal(caught)) throw caught
      error = caught
      built = undefined
      // TensorRT's own words, without what was added to explain them.
      return caught.cause instanceof TrtError ? caught.cause.message : caught.message
    }
  }
  const result = await repair(model, {
    ...options,
    ask,
    target: backend.name === 'tensorrt' ? 'tensorrt' : 'tensorrt-rtx',
    fp16: settings.fp16 === true,
    shapes: { ...wanted[0] },
    signal: control.signal,
  })
  return { result, built, error }
}

/** @throws {TrtError} `INVALID_SHAPES` where the user's shapes do not fit the model as it is */
function checkGiven(inputs: readonly ValueInfo[], given: Shapes): void {
  resolveProfiles(
    inputs.filter(({ name, dims }) => Object.hasOwn(given, name) || dims?.every((dim) => typeof dim === 'number')),
    given,
  )
}

function isRefusal(error: unknown): error is TrtError {
  if (!(error instanceof TrtError)) return false
  return REFUSALS.includes(error.code) || (error.code === 'UNSUPPORTED' && error.message.includes('holds a shape'))
}

/** A repaired model as backends take it. */
export function toRepairedSource(model: Model): ModelSource {
  const copy = model.copy()
  takeInside(copy)
  return { bytes: copy.toBytes() }
}
