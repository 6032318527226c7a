import { byteLength } from '../data-types.js'
import type { Model } from '../model/model.js'
import { knownTypes } from '../shapes/infer-types.js'
import { fixedCount } from '../value-type.js'

/**
 * How many bytes each value of the main graph takes where inputs are of these shapes, without running the model.
 *
 * @param feeds what the model is fed with, by input
 * @returns by the value's name: its bytes; undefined where the shape depends on data, or an op is not known
 */
export function valueBytes(
  model: Model,
  feeds: { readonly [input: string]: { readonly dims: readonly number[] } },
): (name: string) => number | undefined {
  const { kinds } = knownTypes(model, feeds)
  return (name) => {
    const value = model.graph.value(name)
    const kind = value && kinds.get(value)
    if (kind?.kind !== 'tensor' || kind.dims === undefined || kind.elem === 'undefined') return undefined
    const count = fixedCount(kind.dims)
    return count === undefined ? undefined : byteLength(kind.elem, count)
  }
}
