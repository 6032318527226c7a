/** What counts as equal: every element by itself, or what people read off a tensor. */
import { TrtError } from '../errors.js'
import { compareTensors, isWithin, type TensorDifference, type Tolerance } from '../onnx/index.js'
import type { Tensor } from '../tensor.js'
import {
  type Agreement,
  type DetectionTolerance,
  detectionAgreement,
  type IndexTolerance,
  indexAgreement,
} from './agreement.js'

/** Of one value: its elements', or that of its greatest entries, or that of the boxes it holds. */
export type ValueTolerance =
  | Partial<Tolerance>
  | { readonly indices: IndexTolerance }
  | { readonly detections: DetectionTolerance }

/** What counts as equal. Default: atol 1e-5, rtol 1e-3. */
export interface ParityTolerance extends Partial<Tolerance> {
  /** Other tolerances for single values, by the reference's name. */
  readonly values?: { readonly [name: string]: ValueTolerance }
}

/** How one value compares. */
export interface ValueReport extends TensorDifference {
  /** The reference's name. */
  readonly name: string
  /** Of the elements; it does not decide where there is an {@link ValueReport.agreement}. */
  readonly tolerance: Tolerance
  /** How far both say the same by `indices` or `detections`, where the tolerance asks for that. */
  readonly agreement: Agreement | undefined
  /** Whether every element is within the tolerance, or the agreement is great enough. */
  readonly passed: boolean
}

const DEFAULT_TOLERANCE: Tolerance = { atol: 1e-5, rtol: 1e-3 }

/** Tensors of one side, by the reference's names. */
export type Tensors = Readonly<Record<string, Tensor>>

/** Names of the values without which a value cannot be judged: the scores and labels of its boxes. */
export function companionsOf(name: string, { values = {} }: ParityTolerance): string[] {
  const tolerance = values[name] ?? {}
  if (!('detections' in tolerance)) return []
  const { scores, labels } = tolerance.detections
  return [scores, labels].filter((companion) => typeof companion === 'string')
}

/**
 * Compares a value of two sides.
 *
 * @param expected the value, and its companions
 * @throws {TrtError} `INVALID_ARGUMENT` where the tolerance does not suit what the tensors are
 */
export function judge(name: string, expected: Tensors, actual: Tensors, given: ParityTolerance): ValueReport {
  const { values = {}, ...all } = given
  const own = values[name] ?? {}
  const isElementwise = !('indices' in own) && !('detections' in own)
  const tolerance = { ...DEFAULT_TOLERANCE, ...all, ...(isElementwise && own) }
  const difference = compareTensors(expected[name] as Tensor, actual[name] as Tensor, tolerance)
  let agreement: Agreement | undefined
  try {
    if ('indices' in own) agreement = indexAgreement(expected[name] as Tensor, actual[name] as Tensor, own.indices)
    if ('detections' in own) agreement = detectionAgreement(name, expected, actual, own.detections)
  } catch (error) {
    if (!(error instanceof TrtError)) throw error
    throw new TrtError(error.code, `tolerance of ${JSON.stringify(name)}: ${error.message}`, { hint: error.hint })
  }
  const passed = agreement === undefined ? isWithin(difference) : agreement.share >= agreement.least
  return { name, tolerance, agreement, passed, ...difference }
}
