import type { Dim } from '../value-type.js'
import { isSame } from './dim-algebra.js'
import type { OpContext } from './op-context.js'
import type { Dims } from './value-kinds.js'

/**
 * The shape that shapes are broadcast to (onnx/docs/Broadcasting.md, multidirectional); undefined where a rank is
 * unknown.
 */
export function broadcast(op: OpContext, shapes: readonly (Dims | undefined)[]): Dims | undefined {
  let result: Dims = []
  for (const dims of shapes) {
    if (dims === undefined) return undefined
    const rank = Math.max(result.length, dims.length)
    const [a, b] = [padded(result, rank), padded(dims, rank)]
    result = a.map((dim, axis) => broadcastDim(op, dim, b[axis] as Dim))
  }
  return result
}

function padded(dims: Dims, rank: number): Dims {
  return [...new Array<Dim>(rank - dims.length).fill(1), ...dims]
}

/** A size above 1 wins over what is not known, which must be that size or 1. */
function broadcastDim(op: OpContext, a: Dim, b: Dim): Dim {
  if (a === 1 || isSame(a, b)) return b
  if (b === 1) return a
  if (typeof a === 'number' && typeof b === 'number') op.fail(`sizes ${a} and ${b} cannot be broadcast to one another`)
  if (typeof a === 'number') return a
  return typeof b === 'number' ? b : null
}
