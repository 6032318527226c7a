import { toNumbers } from '../../npy/numbers.js'
import { type Tensor, unravel } from '../../tensor.js'

/**
 * How far a value may be from the expected one: `atol + rtol · |expected| + ulp · (distance of neighbours at expected)`.
 * Integers and booleans have to be equal.
 */
export interface Tolerance {
  /** Absolute, in the units of the tensor. */
  readonly atol: number
  /** Relative. */
  readonly rtol: number
  /** Units in the last place of the type of what is judged; half of one is what rounding alone costs. Default 0. */
  readonly ulp?: number
}

/** One element of two tensors. */
export interface ElementPair {
  readonly index: readonly number[]
  readonly expected: number
  readonly actual: number
}

/** How two tensors differ. Figures are over all elements; NaN equals NaN, and an infinity itself. */
export interface TensorDifference {
  /** Why they cannot be compared element by element; undefined where they can. The figures are then infinite. */
  readonly mismatch: string | undefined
  /** Elements. */
  readonly size: number
  /** Elements outside the tolerance. */
  readonly outside: number
  /** Largest and mean |actual − expected|; infinite where only one is NaN or infinite. */
  readonly maxAbs: number
  readonly meanAbs: number
  /** Largest and mean |actual − expected| / |expected|, over expected values that are finite and not 0. */
  readonly maxRel: number
  readonly meanRel: number
  /** Largest distance in representable values of the type (units in the last place); undefined for integers and float64. */
  readonly maxUlp: number | undefined
  /** Σ a·b / √(Σ a² · Σ b²) over elements that are finite in both; 1 where both are all 0. */
  readonly cosine: number
  /** 10 · log10(Σ a² / Σ (b − a)²) in dB over elements that are finite in both; infinite where they are equal. */
  readonly snr: number
  /** Elements that are NaN or infinite in one tensor, and something else in the other. */
  readonly nonFinite: number
  /** Least and greatest of the expected values that are finite. */
  readonly range: readonly [least: number, greatest: number]
  /** The greatest error in units of what the tolerance allows there: up to 1 is within it. Infinite where nothing is allowed. */
  readonly ofTolerance: number
  /** The element with that error; undefined where all are equal. */
  readonly worst: ElementPair | undefined
  /**
   * How many elements have an error of which size: 0, then below 1e-9, below 1e-8, … below 1e3, and from 1e3 on
   * (not finite included).
   */
  readonly histogram: readonly number[]
}

/** The upper ends of {@link TensorDifference.histogram}'s bins: the first is for errors of 0, the last has no end. */
export const HISTOGRAM_ENDS: readonly number[] = [0, ...Array.from({ length: 13 }, (_, i) => 10 ** (i - 9)), Infinity]

/** Options of {@link compareTensors}. */
export interface CompareTensorsOptions {
  /** Whether the types may differ, as where float64 says what a float16 should be. Default false. */
  readonly anyType?: boolean
}

/** Compares two tensors, element by element. */
export function compareTensors(
  expected: Tensor,
  actual: Tensor,
  tolerance: Tolerance,
  { anyType = false }: CompareTensorsOptions = {},
): TensorDifference {
  const mismatch = mismatchOf(expected, actual, anyType)
  if (mismatch !== undefined) return incomparable(mismatch, expected.size)
  const { atol, rtol, ulp = 0 } = expected.type.includes('float') ? tolerance : { atol: 0, rtol: 0 }
  const [as, bs] = [toNumbers(expected), toNumbers(actual)]
  const histogram = HISTOGRAM_ENDS.map(() => 0)
  let [maxAbs, sumAbs, maxRel, sumRel, rels, outside, nonFinite] = [0, 0, 0, 0, 0, 0, 0]
  let [aa, bb, ab, dd, least, greatest] = [0, 0, 0, 0, Infinity, -Infinity]
  let [ofTolerance, worstError, worstAt] = [0, 0, -1]
  for (let at = 0; at < as.length; at++) {
    const a = as[at] as number
    const b = bs[at] as number
    const isSame = a === b || (Number.isNaN(a) && Number.isNaN(b))
    const difference = isSame ? 0 : Math.abs(b - a)
    const error = Number.isNaN(difference) ? Infinity : difference
    const expectsNumber = Number.isFinite(a)
    if (expectsNumber) {
      if (a < least) least = a
      if (a > greatest) greatest = a
      if (Number.isFinite(b)) {
        aa += a * a
        bb += b * b
        ab += a * b
        dd += error * error
      }
      if (a !== 0) {
        const relative = error / Math.abs(a)
        if (relative > maxRel) maxRel = relative
        sumRel += relative
        rels++
      }
    }
    const bin = binOf(error)
    histogram[bin] = (histogram[bin] as number) + 1
    if (error === 0) continue
    if (error > maxAbs) maxAbs = error
    sumAbs += error
    if (!expectsNumber || !Number.isFinite(b)) nonFinite++
    const allowed = expectsNumber ? atol + rtol * Math.abs(a) + (ulp && ulp * ulpAt(actual.type, a)) : 0
    if (error > allowed) outside++
    const part = error / allowed
    // Where nothing is allowed, every error is endlessly more.
    if (part > ofTolerance || (part === ofTolerance && error > worstError)) {
      ofTolerance = part
      worstError = error
      worstAt = at
    }
  }
  return {
    mismatch,
    size: as.length,
    outside,
    maxAbs,
    meanAbs: as.length === 0 ? 0 : sumAbs / as.length,
    maxRel,
    meanRel: rels === 0 ? 0 : sumRel / rels,
    maxUlp: maxUlpOf(expected, actual),
    cosine: aa === bb && aa === ab ? 1 : ab / Math.sqrt(aa * bb),
    snr: dd === 0 ? Infinity : 10 * Math.log10(aa / dd),
    nonFinite,
    range: [least, greatest],
    ofTolerance,
    worst:
      worstAt < 0
        ? undefined
        : {
            index: unravel(worstAt, expected.dims),
            expected: as[worstAt] as number,
            actual: bs[worstAt] as number,
          },
    histogram,
  }
}

/** Whether two tensors are comparable, and every element is within the tolerance. */
export function isWithin({ mismatch, outside }: TensorDifference): boolean {
  return mismatch === undefined && outside === 0
}

/** The difference in words; undefined where the tensors are the same within the tolerance. */
export function differenceText(difference: TensorDifference): string | undefined {
  const { mismatch, outside, size, worst, maxAbs } = difference
  if (mismatch !== undefined) return mismatch
  if (isWithin(difference) || worst === undefined) return undefined
  const { index, expected, actual } = worst
  return (
    `${outside} of ${size} elements differ, by up to ${maxAbs.toPrecision(3)}: ` +
    `at [${index.join(',')}] expected ${expected}, received ${actual}`
  )
}

function incomparable(mismatch: string, size: number): TensorDifference {
  const all = { maxAbs: Infinity, meanAbs: Infinity, maxRel: Infinity, meanRel: Infinity, maxUlp: undefined }
  const none = { cosine: Number.NaN, snr: -Infinity, nonFinite: 0, range: [Number.NaN, Number.NaN] as const }
  const outside = { outside: size, ofTolerance: Infinity, worst: undefined }
  return { mismatch, size, ...outside, ...all, ...none, histogram: HISTOGRAM_ENDS.map(() => 0) }
}

function mismatchOf(expected: Tensor, actual: Tensor, anyType: boolean): string | undefined {
  const text = ({ type, dims }: Tensor): string => `${anyType ? '' : type}[${dims.join(',')}]`
  return text(expected) === text(actual) ? undefined : `expected ${text(expected)}, received ${text(actual)}`
}

function binOf(error: number): number {
  if (error === 0) return 0
  let bin = 1
  while (error >= (HISTOGRAM_ENDS[bin] as number) && bin < HISTOGRAM_ENDS.length - 1) bin++
  return bin
}

/** Bits of the significand and exponent of the smallest normal number (IEEE 754, bfloat16 as the upper half of fp32). */
const PRECISION: Readonly<Record<string, readonly [bits: number, minExponent: number]>> = {
  float64: [53, -1022],
  float32: [24, -126],
  float16: [11, -14],
  bfloat16: [8, -126],
}

/** The distance between neighbours of a type at a value; 0 for types of integers. */
function ulpAt(type: string, value: number): number {
  const precision = PRECISION[type]
  if (precision === undefined) return 0
  const [bits, minExponent] = precision
  const exponent = value === 0 ? minExponent : Math.floor(Math.log2(Math.abs(value)))
  return 2 ** (Math.max(exponent, minExponent) - bits + 1)
}

/** Bit patterns of floats, read as integers with the sign apart, are in the order of their values. */
function maxUlpOf(expected: Tensor, actual: Tensor): number | undefined {
  if (expected.type !== actual.type) return undefined
  const bits = bitsOf(expected)
  const others = bitsOf(actual)
  if (bits === undefined || others === undefined) return undefined
  const half = bits instanceof Uint16Array ? 0x8000 : 0x80000000
  const infinity = { float16: 0x7c00, bfloat16: 0x7f80, float32: 0x7f800000 }[expected.type as 'float32']
  let most = 0
  for (let at = 0; at < bits.length; at++) {
    if (bits[at] === others[at]) continue
    const [a, b] = [orderOf(bits[at] as number, half), orderOf(others[at] as number, half)]
    // What is NaN or infinite in one of them is counted apart.
    if (Math.abs(a) >= infinity || Math.abs(b) >= infinity) continue
    most = Math.max(most, Math.abs(a - b))
  }
  return most
}

function orderOf(bits: number, half: number): number {
  return bits >= half ? half - bits : bits
}

function bitsOf({ type, data }: Tensor): Uint16Array | Uint32Array | undefined {
  if (type === 'float16' || type === 'bfloat16') return data as Uint16Array
  return type === 'float32' ? new Uint32Array(data.buffer, data.byteOffset, data.length) : undefined
}
