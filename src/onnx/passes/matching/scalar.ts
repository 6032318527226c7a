import { bfloat16ToNumber, halfToNumber } from '../../../npy/half.js'
import type { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import type { Constants } from '../constants.js'

/** A constant of one element. */
export interface Scalar {
  readonly value: number
  /** How much of `value` the type leaves open, as a part of it: half a last place. 0 for integers. */
  readonly precision: number
}

/**
 * The number that a value is: a constant of one element, also behind Identity, Cast, CastLike and Sqrt, in which exporters
 * and the bodies of ONNX's functions wrap their numbers. Of rank 0 or 1 only, as others may give more dimensions to what
 * they are added to.
 */
export function scalarOf(value: Value | undefined, constants: Constants): Scalar | undefined {
  const tensor = constants.of(value)
  if (tensor !== undefined) return scalarIn(tensor)
  const producer = value?.producer
  if (producer === undefined || producer.domain !== '') return undefined
  const inner = (): Scalar | undefined => scalarOf(producer.inputs[0], constants)
  switch (producer.opType) {
    case 'Identity':
    case 'Cast':
    case 'CastLike':
      return inner()
    case 'Sqrt': {
      const radicand = inner()
      return radicand && { ...radicand, value: Math.sqrt(radicand.value) }
    }
    default:
      return undefined
  }
}

/** Whether a scalar may be what a pattern writes as this number. */
export function isNumber({ value, precision }: Scalar, number: number): boolean {
  return Math.abs(value - number) <= precision * Math.abs(number)
}

const PRECISIONS: Readonly<Record<string, number>> = {
  // Exporters write such as sqrt(2) with six digits or more, whatever the type holds.
  float64: 1e-6,
  float32: 1e-6,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
  int64: 0,
  int32: 0,
}

function scalarIn(tensor: ModelTensor): Scalar | undefined {
  const precision = PRECISIONS[tensor.type]
  if (precision === undefined || tensor.size !== 1 || tensor.dims.length > 1) return undefined
  const element = Number(tensor.toTensor().data[0])
  const convert = tensor.type === 'float16' ? halfToNumber : tensor.type === 'bfloat16' ? bfloat16ToNumber : Number
  return { value: convert(element), precision }
}
