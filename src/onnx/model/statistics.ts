import { TrtError } from '../../errors.js'
import type { ElementType } from '../data-types.js'
import { bitsPerElement } from '../data-types.js'
import type { ModelTensor } from './tensor.js'

/** What can be said about a tensor's elements without showing them. Infinities and NaNs count in no other figure. */
export interface TensorStatistics {
  /** Elements in all. */
  readonly count: number
  /** Least, greatest, and mean of the finite elements; NaN where there is none. */
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Greatest magnitude: over 65504 it overflows in float16. */
  readonly absMax: number
  /** Least magnitude that is not zero: below 5.96e-8 it vanishes in float16. NaN where all are zero. */
  readonly absMin: number
  readonly zeros: number
  readonly infinities: number
  readonly nans: number
}

/** Bytes looked at in one go: a multiple of every element's width. */
const PIECE = 2 ** 20

/** @throws {TrtError} `INVALID_ARGUMENT` for types that have no order */
export function computeStatistics(tensor: ModelTensor): TensorStatistics {
  const read = elementReader(tensor.type)
  if (read === undefined) {
    throw new TrtError('INVALID_ARGUMENT', `tensor "${tensor.name}" is of type ${tensor.type}, which has no statistics`)
  }
  const tally = new Tally()
  const bits = bitsPerElement(tensor.type)
  let left = tensor.size
  for (const piece of piecesOf(tensor)) {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
    const count = Math.min(left, Math.floor((piece.byteLength * 8) / bits))
    for (let i = 0; i < count; i++) tally.add(read(view, i))
    left -= count
  }
  return tally.result(tensor.size)
}

function* piecesOf(tensor: ModelTensor): Generator<Uint8Array> {
  const span = tensor.span()
  if (span === undefined) {
    yield tensor.bytes()
    return
  }
  for (let from = span.from; from < span.to; from += PIECE)
    yield span.source.read(from, Math.min(from + PIECE, span.to))
}

class Tally {
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #absMin = Number.POSITIVE_INFINITY
  #sum = 0
  #zeros = 0
  #infinities = 0
  #nans = 0

  add(value: number): void {
    if (Number.isNaN(value)) {
      this.#nans++
      return
    }
    const magnitude = Math.abs(value)
    if (magnitude === Number.POSITIVE_INFINITY) {
      this.#infinities++
      return
    }
    if (magnitude === 0) this.#zeros++
    else if (magnitude < this.#absMin) this.#absMin = magnitude
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    this.#sum += value
  }

  result(count: number): TensorStatistics {
    const finite = count - this.#nans - this.#infinities
    const min = finite > 0 ? this.#min : Number.NaN
    const max = finite > 0 ? this.#max : Number.NaN
    return {
      count,
      min,
      max,
      mean: this.#sum / finite,
      absMax: Math.max(Math.abs(min), Math.abs(max)),
      absMin: this.#absMin === Number.POSITIVE_INFINITY ? Number.NaN : this.#absMin,
      zeros: this.#zeros,
      infinities: this.#infinities,
      nans: this.#nans,
    }
  }
}

type ReadElement = (view: DataView, index: number) => number

/** How to read an element of a type; undefined for strings, complex numbers, and unknown types. */
function elementReader(type: ElementType): ReadElement | undefined {
  switch (type) {
    case 'float32':
      return (view, i) => view.getFloat32(i * 4, true)
    case 'float64':
      return (view, i) => view.getFloat64(i * 8, true)
    case 'float16':
      return (view, i) => smallFloat(view.getUint16(i * 2, true), 5, 10, 15, 'ieee')
    case 'bfloat16':
      return (view, i) => smallFloat(view.getUint16(i * 2, true), 8, 7, 127, 'ieee')
    case 'int64':
      return (view, i) => Number(view.getBigInt64(i * 8, true))
    case 'uint64':
      return (view, i) => Number(view.getBigUint64(i * 8, true))
    case 'int32':
      return (view, i) => view.getInt32(i * 4, true)
    case 'uint32':
      return (view, i) => view.getUint32(i * 4, true)
    case 'int16':
      return (view, i) => view.getInt16(i * 2, true)
    case 'uint16':
      return (view, i) => view.getUint16(i * 2, true)
    case 'int8':
      return (view, i) => view.getInt8(i)
    case 'uint8':
    case 'bool':
      return (view, i) => view.getUint8(i)
    case 'float8e4m3fn':
      return (view, i) => smallFloat(view.getUint8(i), 4, 3, 7, 'fn')
    case 'float8e4m3fnuz':
      return (view, i) => smallFloat(view.getUint8(i), 4, 3, 8, 'fnuz')
    case 'float8e5m2':
      return (view, i) => smallFloat(view.getUint8(i), 5, 2, 15, 'ieee')
    case 'float8e5m2fnuz':
      return (view, i) => smallFloat(view.getUint8(i), 5, 2, 16, 'fnuz')
    case 'float8e8m0':
      return (view, i) => (view.getUint8(i) === 255 ? Number.NaN : 2 ** (view.getUint8(i) - 127))
    case 'float4e2m1':
      return (view, i) => smallFloat(packed(view, i, 4), 2, 1, 1, 'finite')
    case 'uint4':
      return (view, i) => packed(view, i, 4)
    case 'int4':
      return (view, i) => (packed(view, i, 4) << 28) >> 28
    case 'uint2':
      return (view, i) => packed(view, i, 2)
    case 'int2':
      return (view, i) => (packed(view, i, 2) << 30) >> 30
    default:
      return undefined
  }
}

/** An element of 2 or 4 bits, the first in the lowest bits. */
function packed(view: DataView, index: number, bits: 2 | 4): number {
  const at = index * bits
  return (view.getUint8(at >> 3) >> (at & 7)) & ((1 << bits) - 1)
}

/**
 * A float of up to 16 bits.
 *
 * @param kind which bit patterns are no numbers. `ieee`: the greatest exponent is infinity and NaN; `fn`: only all ones
 *   are NaN; `fnuz`: only minus zero is NaN; `finite`: none
 */
function smallFloat(
  bits: number,
  exponentBits: number,
  mantissaBits: number,
  bias: number,
  kind: 'ieee' | 'fn' | 'fnuz' | 'finite',
): number {
  const negative = (bits >> (exponentBits + mantissaBits)) & 1
  const exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1)
  const mantissa = bits & ((1 << mantissaBits) - 1)
  const topExponent = exponent === (1 << exponentBits) - 1
  if (kind === 'ieee' && topExponent) {
    return mantissa !== 0 ? Number.NaN : negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (kind === 'fn' && topExponent && mantissa === (1 << mantissaBits) - 1) return Number.NaN
  if (kind === 'fnuz' && negative && exponent === 0 && mantissa === 0) return Number.NaN
  const fraction = mantissa / (1 << mantissaBits)
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias)
  return negative ? -magnitude : magnitude
}
