/** Results of a plugin against what they should be. */
import { elementAt } from '../npy/elements.js'
import { type Tensor, unravel } from '../tensor.js'

/**
 * How far a value may lie from what it should be: `atol + rtol·|expected| + ulp·(distance of neighbours at expected)`.
 * Absent parts are 0. Half a unit in the last place (`ulp`) is what rounding alone costs.
 */
export interface Tolerance {
  readonly atol?: number
  readonly rtol?: number
  readonly ulp?: number
}

/** How far an output is from what it should be. */
export interface Difference {
  readonly ok: boolean
  /** What is wrong besides values: another number of outputs, another shape. */
  readonly problem?: string
  readonly maxAbs: number
  /** Of the values that should not be 0. */
  readonly maxRel: number
  /** Index of the value that exceeds its tolerance most, or comes closest to it; absent in an empty tensor. */
  readonly at?: readonly number[]
  readonly got?: number
  readonly expected?: number
  /** Values outside the tolerance. */
  readonly wrong: number
  readonly size: number
}

/** Bits of the significand and exponent of the smallest normal number (IEEE 754, bfloat16 as the upper half of fp32). */
const PRECISION: Readonly<Record<string, readonly [bits: number, minExponent: number]>> = {
  float64: [53, -1022],
  float32: [24, -126],
  float16: [11, -14],
  bfloat16: [8, -126],
}

/** The distance between neighbours of a type at a value; 0 for types of integers. */
export function ulpAt(type: string, value: number): number {
  const precision = PRECISION[type]
  if (precision === undefined) return 0
  const [bits, minExponent] = precision
  const exponent = value === 0 || !Number.isFinite(value) ? minExponent : Math.floor(Math.log2(Math.abs(value)))
  return 2 ** (Math.max(exponent, minExponent) - bits + 1)
}

/** @param expected of any type; both are compared as numbers */
export function compareTensors(got: Tensor, expected: Tensor, tolerance: Tolerance): Difference {
  const { size } = got
  if (got.dims.join() !== expected.dims.join()) {
    const problem = `expected the shape [${expected.dims.join(', ')}], got [${got.dims.join(', ')}]`
    return { ok: false, problem, maxAbs: Number.NaN, maxRel: Number.NaN, wrong: size, size }
  }
  const { atol = 0, rtol = 0, ulp = 0 } = tolerance
  let [maxAbs, maxRel, wrong, worst, at] = [0, 0, 0, -1, -1]
  for (let index = 0; index < size; index++) {
    const value = Number(elementAt(got, index))
    const wanted = Number(elementAt(expected, index))
    const error = distance(value, wanted)
    maxAbs = Math.max(maxAbs, error)
    if (wanted !== 0) maxRel = Math.max(maxRel, error / Math.abs(wanted))
    const allowed = atol + rtol * Math.abs(wanted) + ulp * ulpAt(got.type, wanted)
    // Where nothing is allowed, any error is endlessly more.
    const excess = error === 0 ? 0 : error / allowed
    if (!(error <= allowed)) wrong++
    if (excess > worst) [worst, at] = [excess, index]
  }
  if (at < 0) return { ok: true, maxAbs, maxRel, wrong, size }
  return {
    ok: wrong === 0,
    maxAbs,
    maxRel,
    at: unravel(at, got.dims),
    got: Number(elementAt(got, at)),
    expected: Number(elementAt(expected, at)),
    wrong,
    size,
  }
}

/** Infinite where one is NaN or infinite and the other is not the same. */
function distance(value: number, wanted: number): number {
  if (Object.is(value, wanted) || value === wanted) return 0
  const error = Math.abs(value - wanted)
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}
