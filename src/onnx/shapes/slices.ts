/** Slices: how many elements they take, and which. Rules: onnx/docs/Operators.md, Slice. */
import type { Dim } from '../value-type.js'
import { add, ceilDivide, isNegative, subtract } from './dim-algebra.js'
import { type Elements, range } from './elements.js'
import type { OpContext } from './op-context.js'

/** What a slice of one axis is given by; an unknown bound is null. */
export interface SliceBounds {
  readonly axis: number
  readonly start: Dim
  readonly end: Dim
  readonly step: number | null
}

/** The bounds of each axis that a Slice node names; undefined where even the axes are not known. */
export function sliceBounds(op: OpContext, rank: number): SliceBounds[] | undefined {
  const isOld = op.opset < 10
  const starts: Elements | undefined = isOld ? op.ints('starts') : op.elements(1)
  const ends: Elements | undefined = isOld ? op.ints('ends') : op.elements(2)
  const steps = op.elements(4)
  const count = starts?.length ?? ends?.length ?? lengthOf(op, 1) ?? lengthOf(op, 2)
  const axes = axesOf(op, isOld, count)
  if (axes === undefined) return undefined
  return axes.map((axis, index) => {
    const step = op.hasInput(4) ? (steps?.[index] ?? null) : 1
    if (step === 0) op.fail('a step is 0')
    return {
      axis: op.axis(axis, rank),
      start: starts?.[index] ?? null,
      end: ends?.[index] ?? null,
      step: typeof step === 'number' ? step : null,
    }
  })
}

function axesOf(op: OpContext, isOld: boolean, count: number | undefined): readonly number[] | undefined {
  const axes = isOld ? op.ints('axes') : op.numbers(3)
  if (axes !== undefined) return axes
  const given = isOld ? false : op.hasInput(3)
  return given || count === undefined ? undefined : Array.from({ length: count }, (_, index) => index)
}

function lengthOf(op: OpContext, index: number): number | undefined {
  const length = op.dims(index)?.[0]
  return typeof length === 'number' ? length : undefined
}

/** The number of elements that a slice takes of an axis of `size`. */
export function sliceSize(size: Dim, { start, end, step }: SliceBounds): Dim {
  if (start === null || end === null || step === null) return null
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') {
    return indicesOf(size, start, end, step).count
  }
  if (step < 0) return wholeBackwards(start, end) ? ceilDivide(size, -step) : null
  const from = fromFront(start, size)
  const to = isBeyond(end) ? size : endFromFront(end, size)
  if (from === null || to === null) return null
  return from === 0 && step === 1 ? to : ceilDivide(subtract(to, from), step)
}

/** Which places a Slice node takes of each axis; undefined where a bound is not known. */
export function sliceIndices(op: OpContext, sizes: readonly number[]): number[][] | undefined {
  const indices = sizes.map(range)
  for (const { axis, start, end, step } of sliceBounds(op, sizes.length) ?? [UNKNOWN_BOUNDS]) {
    if (typeof start !== 'number' || typeof end !== 'number' || step === null) return undefined
    const { first, count } = indicesOf(sizes[axis] as number, start, end, step)
    indices[axis] = range(count).map((index) => first + index * step)
  }
  return indices
}

const UNKNOWN_BOUNDS: SliceBounds = { axis: 0, start: null, end: null, step: null }

/** Which places of an axis a slice takes, with all bounds known: as numpy does, bounds outside are moved to the ends. */
export function indicesOf(size: number, start: number, end: number, step: number): { first: number; count: number } {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const first = Math.min(Math.max(start < 0 ? start + size : start, step > 0 ? 0 : -1), high)
  const last = Math.min(Math.max(end < 0 ? end + size : end, low), high)
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) }
}

/** A bound that exporters write for "to the end": the greatest integer, or, as tf2onnx does, 1e9. */
function isBeyond(end: Dim): boolean {
  return typeof end === 'number' && end >= 1e9
}

function wholeBackwards(start: Dim, end: Dim): boolean {
  return typeof start === 'number' && typeof end === 'number' && (start === -1 || isBeyond(start)) && end < -(2 ** 30)
}

/** Where a slice begins, taken to be inside. */
function fromFront(start: Dim, size: Dim): Dim {
  return isNegative(start) ? add(size, start) : start
}

/** Where it ends. A positive end may be beyond a size that is not known; one made of names is taken to be inside. */
function endFromFront(end: Dim, size: Dim): Dim {
  if (isNegative(end)) return add(size, end)
  return end === 0 || typeof end === 'string' ? end : null
}
