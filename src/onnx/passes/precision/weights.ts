/**
 * Weights from float32 to 16 bits, in integer arithmetic on the bit patterns, as a model has tens of millions of them:
 * src/npy/half.ts, which goes by numbers, says the same of every pattern, and is for reading values by hand.
 *
 * Numbers are rounded to the nearest, ties to even. What the type cannot hold is not left to IEEE 754, which would make
 * infinities and zeros of it: see {@link WeightFigures}.
 */
import { TrtError } from '../../../errors.js'
import { allocate } from '../../../memory.js'
import { bfloat16ToNumber, halfToNumber } from '../../../npy/half.js'
import type { TensorLike } from '../../../tensor.js'
import type { ModelTensor, RawTensor } from '../../model/tensor.js'

/** The types that weights are converted to. */
export type LowType = 'float16' | 'bfloat16'

/** What a type holds. */
export interface LowTypeLimits {
  readonly greatest: number
  /** The least number above 0, subnormal. */
  readonly least: number
  /** The least number with all its digits. */
  readonly leastNormal: number
}

export const LIMITS: Readonly<Record<LowType, LowTypeLimits>> = {
  float16: { greatest: 65504, least: 2 ** -24, leastNormal: 2 ** -14 },
  bfloat16: { greatest: 3.3895313892515355e38, least: 2 ** -133, leastNormal: 2 ** -126 },
}

/**
 * From here on a number stands for infinity: masks are made of -1e9, -3.4e38 (float32's least) and -inf, and clips are
 * left open by 3.4e38.
 */
export const INFINITE = 1e9

/** What happened to weights that the type cannot hold. */
export interface WeightFigures {
  /** Weights in all. */
  weights: number
  /** Beyond the greatest number of the type, and set to it. */
  overflows: number
  /** Infinite, or {@link INFINITE} and beyond, and set to the greatest number: ±inf in a sum makes NaN of what it masks. */
  masks: number
  /** Nearer to 0 than the least number of the type, and set to it or to 0, whichever is nearer, with the sign kept. */
  underflows: number
}

/** What {@link convertPrecision} has to know of a constant to say whether its readers can do without float32. */
export interface WeightRange {
  /** The greatest magnitude, numbers that stand for infinity left out. */
  readonly greatest: number
  /** The least magnitude above 0; infinity where there is none. */
  readonly least: number
}

/** @throws {TrtError} what {@link ModelTensor.bytes} throws */
export function weightRange(tensor: ModelTensor): WeightRange {
  const words = wordsOf(tensor)
  let [greatest, least] = [0, INFINITY_BITS]
  for (let i = 0; i < words.length; i++) {
    // Magnitudes are in the order of their bits, and comparing those takes a third of the time: 1.8 ns a weight, and 5.7.
    const magnitude = (words[i] as number) & 0x7fffffff
    if (magnitude > greatest && magnitude < INFINITE_BITS) greatest = magnitude
    if (magnitude < least && magnitude > 0) least = magnitude
  }
  return { greatest: floatOf(greatest), least: floatOf(least) }
}

/**
 * The elements of a float32 tensor in a smaller type.
 *
 * @param figures are added to
 * @throws {TrtError} what {@link ModelTensor.bytes} throws; `OUT_OF_MEMORY`
 */
export function convertWeights(tensor: ModelTensor, to: LowType, figures: WeightFigures): RawTensor {
  const source = wordsOf(tensor)
  const bytes = allocate(source.length * 2, `weights "${tensor.name}"`)
  const target = new Uint16Array(bytes.buffer, bytes.byteOffset, source.length)
  figures.weights += source.length
  if (to === 'float16') toHalf(source, target, figures)
  else toBfloat16(source, target, figures)
  return { type: to, dims: tensor.dims, data: bytes }
}

/** The same numbers in float32: what {@link convertWeights} left of them. */
export function widenWeights({ type, dims, data }: RawTensor): TensorLike {
  const { buffer, byteOffset, byteLength } = data as Uint8Array
  const number = type === 'float16' ? halfToNumber : bfloat16ToNumber
  const bits = new Uint16Array(buffer, byteOffset, byteLength / 2)
  return { type: 'float32', dims, data: Float32Array.from(bits, number) }
}

const INFINITY_BITS = 0x7f800000
const INFINITE_BITS = bitsOf(INFINITE)
/** Halfway between the greatest half and what would be the next: from here on rounding goes up. */
const HALF_OVERFLOW = bitsOf(65520)
const HALF_LEAST_NORMAL = bitsOf(2 ** -14)
const HALF_LEAST = bitsOf(2 ** -24)

/** Takes 2.3 ns a weight, where a loop that only copies takes 1.9; asking for the most common case by one comparison, 2.9. */
function toHalf(source: Uint32Array, target: Uint16Array, figures: WeightFigures): void {
  for (let i = 0; i < source.length; i++) {
    const bits = source[i] as number
    const sign = (bits >>> 16) & 0x8000
    const magnitude = bits & 0x7fffffff
    if (magnitude >= HALF_OVERFLOW) {
      if (magnitude > INFINITY_BITS) {
        target[i] = 0x7e00
        continue
      }
      if (magnitude >= INFINITE_BITS) figures.masks++
      else figures.overflows++
      target[i] = sign | 0x7bff
    } else if (magnitude >= HALF_LEAST_NORMAL) {
      // The exponent's bias goes from 127 to 15; a carry of the rounded fraction into the exponent is what is wanted.
      target[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
    } else if (magnitude === 0) {
      target[i] = sign
    } else {
      const shift = 126 - (magnitude >>> 23)
      const fraction = (magnitude & 0x7fffff) | 0x800000
      // Shifts count modulo 32.
      const steps = shift > 25 ? 0 : (fraction + (1 << (shift - 1)) - 1 + ((fraction >>> shift) & 1)) >>> shift
      if (magnitude < HALF_LEAST) figures.underflows++
      target[i] = sign | steps
    }
  }
}

function toBfloat16(source: Uint32Array, target: Uint16Array, figures: WeightFigures): void {
  for (let i = 0; i < source.length; i++) {
    const bits = source[i] as number
    const magnitude = bits & 0x7fffffff
    if (magnitude > INFINITY_BITS) {
      target[i] = 0x7fc0
      continue
    }
    const sign = (bits >>> 16) & 0x8000
    const rounded = (magnitude + 0x7fff + ((magnitude >>> 16) & 1)) >>> 16
    if (rounded >= 0x7f80) {
      figures.masks++
      target[i] = sign | 0x7f7f
    } else if (rounded === 0 && magnitude > 0) {
      figures.underflows++
      target[i] = sign
    } else target[i] = sign | rounded
  }
}

function wordsOf(tensor: ModelTensor): Uint32Array {
  if (tensor.type !== 'float32') {
    throw new TrtError('INVALID_ARGUMENT', `tensor "${tensor.name}": expected float32, received ${tensor.type}`)
  }
  const bytes = tensor.bytes()
  // Weights begin anywhere in a file; typed arrays begin at multiples of their element's size.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4)
}

/** The number of a float32's bits. */
function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] as number
}

function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number
}
