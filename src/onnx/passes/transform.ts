import { TrtError } from '../../errors.js'
import type { Model } from '../model/model.js'
import type { PassReport, Transform, TransformControl } from './pass.js'
import { Verifier, type VerifyOptions } from './verifier.js'

/** Options of {@link transform}. */
export interface TransformOptions extends TransformControl {
  /**
   * Run the model on onnxruntime before and after each pass that should keep the meaning, and compare. Default false.
   * What onnxruntime cannot run (operators of plugins) is not checked, and a note says so.
   */
  readonly verify?: boolean | VerifyOptions
}

/**
 * Applies passes to a model, one after the other; the model is changed in place.
 *
 * @returns what each pass did, in order
 * @throws {TrtError} what a pass throws; `VERIFICATION_FAILED` with the first output that differs, and what running the
 *   model throws. The model may then be half changed, and is to be read again
 * @example
 * const model = await onnx.read('model.onnx')
 * const reports = await onnx.transform(model, [onnx.simplify(), onnx.fuseLayerNorm()], { verify: true })
 * await model.write('changed.onnx')
 */
export async function transform(
  model: Model,
  transforms: readonly Transform[],
  { verify = false, ...control }: TransformOptions = {},
): Promise<PassReport[]> {
  const reports: PassReport[] = []
  // Undefined: the next pass that keeps the meaning needs a reference of the model as it is then.
  let verifier: Verifier | Unrunnable | undefined
  for (const step of transforms) {
    const { keepsMeaning } = step.pass
    if (verify !== false && keepsMeaning)
      verifier ??= await startVerifier(model, verify === true ? {} : verify, control)
    const report = await step.apply(model, control)
    const hasChanged = report.changes.length > 0
    const isChecked = keepsMeaning && hasChanged && verifier !== undefined
    reports.push(isChecked ? await checked(verifier as Verifier | Unrunnable, model, report, control) : report)
    if (hasChanged && !keepsMeaning) verifier = undefined
  }
  return reports
}

/** Why there is nothing to compare with. */
interface Unrunnable {
  readonly reason: string
}

async function startVerifier(
  model: Model,
  options: VerifyOptions,
  { signal }: TransformControl,
): Promise<Verifier | Unrunnable> {
  try {
    return await Verifier.start(model, options, signal)
  } catch (error) {
    return unrunnable(error)
  }
}

async function checked(
  verifier: Verifier | Unrunnable,
  model: Model,
  report: PassReport,
  { signal }: TransformControl,
): Promise<PassReport> {
  let outcome: Unrunnable
  try {
    if (verifier instanceof Verifier) {
      return { ...report, verification: await verifier.check(model, report.pass, signal) }
    }
    outcome = verifier
  } catch (error) {
    outcome = unrunnable(error)
  }
  return { ...report, notes: [...report.notes, `not verified: ${outcome.reason}`] }
}

/** Operators of plugins, and element types that onnxruntime-node does not carry, are no fault of a pass. */
function unrunnable(error: unknown): Unrunnable {
  if (error instanceof TrtError && (error.code === 'UNSUPPORTED_OP' || error.code === 'UNSUPPORTED')) {
    return { reason: error.message }
  }
  throw error
}
