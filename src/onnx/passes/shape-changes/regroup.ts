import { floorDivide, isSame, multiply } from '../../shapes/dim-algebra.js'
import type { Dims } from '../../shapes/value-kinds.js'
import type { Dim } from '../../value-type.js'

/**
 * The shape that a Reshape from `from` to `to` has to give, now that its input is `now`.
 *
 * Both old shapes are cut into the shortest runs of axes that have the same product, so that elements of a run stay in it:
 * [2,12,7,64] to [24,7,64] is {2,12} to {24}, {7} to {7}, {64} to {64}. A run that changed gives its new product to its
 * only axis, or to the one axis that was of the same size as the axis that changed, or that was a multiple of it, or else
 * to the outermost one, as heads are split from a batch.
 *
 * @returns undefined where it cannot be told
 */
export function regroup(from: Dims, to: Dims, now: Dims, changed: readonly Dim[]): Dim[] | undefined {
  if (from.length !== now.length) return undefined
  const result: Dim[] = []
  for (let [i, j] = [0, 0]; i < from.length || j < to.length; ) {
    const [ends, lasts] = nextRun(from, to, i, j) ?? [from.length, to.length]
    const run = changedRun(from.slice(i, ends), to.slice(j, lasts), now.slice(i, ends), changed)
    if (run === undefined) return undefined
    result.push(...run)
    i = ends
    j = lasts
  }
  return result
}

/** Where the run that begins at `i` and `j` ends; undefined where only the ends of both shapes are sure. */
function nextRun(from: Dims, to: Dims, i: number, j: number): readonly [number, number] | undefined {
  let [ends, lasts] = [i + 1, j + 1]
  while (ends <= from.length && lasts <= to.length) {
    const [a, b] = [multiply(...from.slice(i, ends)), multiply(...to.slice(j, lasts))]
    if (isSame(a, b)) return [ends, lasts]
    if (typeof a !== 'number' || typeof b !== 'number') return undefined
    if (a < b) ends++
    else lasts++
  }
  return undefined
}

function changedRun(from: Dims, to: Dims, now: Dims, changed: readonly Dim[]): Dim[] | undefined {
  if (from.every((dim, axis) => isSame(dim, now[axis] as Dim))) return [...to]
  const product = multiply(...now)
  if (to.length === 1) return product === null ? undefined : [product]
  const alike = to.findIndex((dim) => changed.some((size) => isSame(size, dim)))
  const old = multiply(...from.filter((dim, axis) => !isSame(dim, now[axis] as Dim)))
  const multiple = to.findIndex((dim) => isSame(multiply(floorDivide(dim, old), old), dim))
  for (const axis of [alike, multiple, ...to.keys()]) {
    if (axis < 0) continue
    const others = multiply(...to.filter((_, index) => index !== axis))
    const size = floorDivide(product, others)
    if (size !== null && isSame(multiply(size, others), product))
      return to.map((dim, index) => (index === axis ? size : dim))
  }
  return undefined
}
