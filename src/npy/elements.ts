/** Single elements of tensors as numbers, whatever the type. */
import { allocate } from '../memory.js'
import { BYTES_PER_ELEMENT, type DataOf, type DataType, Tensor, type TensorData } from '../tensor.js'
import {
  bfloat16ToNumber,
  float8ToNumber,
  halfToNumber,
  numberToBfloat16,
  numberToFloat8,
  numberToHalf,
} from './half.js'

const INTEGER_RANGE: { readonly [T in DataType]?: readonly [min: bigint, max: bigint] } = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

/** The smallest and largest value of an integer type; `undefined` for the others. */
export function integerRange(type: DataType): readonly [min: bigint, max: bigint] | undefined {
  return INTEGER_RANGE[type]
}

/**
 * An array of `count` elements of the type, for the caller to fill.
 *
 * @throws {TrtError} `OUT_OF_MEMORY`
 */
export function makeData<T extends DataType>(type: T, count: number): DataOf[T] {
  const { buffer } = allocate(count * BYTES_PER_ELEMENT[type], `${count} elements of ${type}`)
  return Tensor.fromBuffer(type, buffer, [count]).data
}

/** An element's value: a bigint for 64-bit integers, 0 or 1 for `bool`, else a number. */
export function elementAt({ type, data }: Tensor, index: number): number | bigint {
  const raw = data[index] as number | bigint
  if (type === 'float16') return halfToNumber(raw as number)
  if (type === 'bfloat16') return bfloat16ToNumber(raw as number)
  if (type === 'float8e4m3fn') return float8ToNumber(raw as number)
  return raw
}

/**
 * Sets an element from what JSON can say: a number, a boolean, or a string that names a number.
 *
 * @returns what was expected, where `value` does not fit the type
 */
export function setElement(type: DataType, data: TensorData, index: number, value: unknown): string | undefined {
  if (type === 'bool') {
    if (value !== true && value !== false && value !== 0 && value !== 1) return 'true, false, 0 or 1'
    data[index] = Number(value)
    return undefined
  }
  const range = INTEGER_RANGE[type]
  if (range === undefined) {
    const number = typeof value === 'string' && /^(NaN|[+-]?Infinity)$/.test(value) ? Number(value) : value
    if (typeof number !== 'number') return 'a number'
    if (type === 'float16') data[index] = numberToHalf(number)
    else if (type === 'bfloat16') data[index] = numberToBfloat16(number)
    else if (type === 'float8e4m3fn') data[index] = numberToFloat8(number)
    else data[index] = number
    return undefined
  }
  const [min, max] = range
  const integer =
    typeof value === 'number' && Number.isSafeInteger(value)
      ? BigInt(value)
      : typeof value === 'string' && /^-?\d+$/.test(value)
        ? BigInt(value)
        : undefined
  if (integer === undefined || integer < min || integer > max) return `an integer from ${min} to ${max}`
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = integer
  else data[index] = Number(integer)
  return undefined
}
