import { elementAt } from '../../npy/elements.js'
import type { Tensor } from '../../tensor.js'

/** How far a value may be from the expected one: `atol + rtol · |expected|`. Integers and booleans have to be equal. */
export interface Tolerance {
  /** Absolute, in the units of the tensor. */
  readonly atol: number
  /** Relative. */
  readonly rtol: number
}

/** How two tensors differ. */
export interface TensorDifference {
  /** Why they cannot be compared element by element; undefined where they can. */
  readonly mismatch: string | undefined
  /** Largest |actual − expected|; infinite where only one is NaN or infinite. */
  readonly maxAbs: number
  /** Largest |actual − expected| / |expected|, over expected values that are not 0. */
  readonly maxRel: number
  /** Elements outside the tolerance. */
  readonly outside: number
  /** Elements. */
  readonly size: number
  /** The element that is farthest outside the tolerance, where one is. */
  readonly worst: { readonly index: readonly number[]; readonly expected: number; readonly actual: number } | undefined
}

/** Compares two tensors, element by element. NaN equals NaN, and an infinity itself. */
export function compareTensors(expected: Tensor, actual: Tensor, { atol, rtol }: Tolerance): TensorDifference {
  const mismatch = mismatchOf(expected, actual)
  if (mismatch !== undefined) {
    return {
      mismatch,
      maxAbs: Infinity,
      maxRel: Infinity,
      outside: expected.size,
      size: expected.size,
      worst: undefined,
    }
  }
  const isFloat = expected.type.includes('float')
  let [maxAbs, maxRel, outside, worstExcess, worstAt] = [0, 0, 0, -1, -1]
  for (let at = 0; at < expected.size; at++) {
    const a = Number(elementAt(expected, at))
    const b = Number(elementAt(actual, at))
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    const error = Math.abs(b - a)
    const absolute = Number.isNaN(error) ? Infinity : error
    maxAbs = Math.max(maxAbs, absolute)
    if (a !== 0 && Number.isFinite(a)) maxRel = Math.max(maxRel, absolute / Math.abs(a))
    const excess = isFloat && Number.isFinite(a) ? absolute - (atol + rtol * Math.abs(a)) : absolute
    if (excess <= 0) continue
    outside++
    if (excess > worstExcess) [worstExcess, worstAt] = [excess, at]
  }
  const worst =
    worstAt < 0
      ? undefined
      : {
          index: indexOf(worstAt, expected.dims),
          expected: Number(elementAt(expected, worstAt)),
          actual: Number(elementAt(actual, worstAt)),
        }
  return { mismatch, maxAbs, maxRel, outside, size: expected.size, worst }
}

/** The difference in words; undefined where the tensors are the same within the tolerance. */
export function differenceText({ mismatch, outside, size, worst, maxAbs }: TensorDifference): string | undefined {
  if (mismatch !== undefined) return mismatch
  if (worst === undefined) return undefined
  const { index, expected, actual } = worst
  return (
    `${outside} of ${size} elements differ, by up to ${maxAbs.toPrecision(3)}: ` +
    `at [${index.join(',')}] expected ${expected}, received ${actual}`
  )
}

function mismatchOf(expected: Tensor, actual: Tensor): string | undefined {
  const text = ({ type, dims }: Tensor): string => `${type}[${dims.join(',')}]`
  return text(expected) === text(actual) ? undefined : `expected ${text(expected)}, received ${text(actual)}`
}

function indexOf(at: number, dims: readonly number[]): number[] {
  const index: number[] = []
  for (const dim of dims.toReversed()) {
    index.unshift(at % dim)
    at = Math.floor(at / dim)
  }
  return index
}
