import { isSame } from '../../shapes/dim-algebra.js'
import type { Dim } from '../../value-type.js'

/**
 * Sizes as Reshape takes them: 0 for one that is the input's, -1 for at most one that is not known.
 *
 * @param dims numbers, of which a shape input may have -1 and 0 with the same meaning already; names; null
 * @param input the dims of what is reshaped
 * @returns undefined where more than one is not known
 */
export function reshapeTarget(dims: readonly Dim[], input: readonly Dim[] | undefined): number[] | undefined {
  const open = dims.filter((dim) => typeof dim !== 'number' || dim === -1).length
  if (open <= 1) return dims.map((dim) => (typeof dim === 'number' ? dim : -1))
  const shape = dims.map((dim, axis) => {
    if (typeof dim === 'number') return dim
    return isSame(dim, input?.[axis] ?? null) ? 0 : -1
  })
  return shape.filter((size) => size === -1).length <= 1 ? shape : undefined
}
