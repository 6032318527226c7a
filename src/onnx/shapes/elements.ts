/**
 * The elements of small tensors, as far as inference knows them: shapes are computed with by nodes (Shape, Gather,
 * Concat, …) before Reshape and others take them.
 */
import type { ModelTensor } from '../model/tensor.js'
import type { Dim } from '../value-type.js'

/** In order of the tensor; a text is a symbolic size, null an unknown element. */
export type Elements = readonly Dim[]

/** Tensors with more elements are not looked into: none that holds a shape is near that. */
export const MAX_ELEMENTS = 1024

/** The elements of a constant; undefined where it is too long, or of a type that no shape is computed in. */
export function elementsOf(tensor: ModelTensor): Elements | undefined {
  if (tensor.size > MAX_ELEMENTS) return undefined
  switch (tensor.type) {
    case 'float32':
    case 'float64':
    case 'int32':
    case 'int64':
    case 'bool':
    case 'int8':
    case 'uint8':
      return Array.from(tensor.toTensor().data as Iterable<number | bigint>, Number)
    default:
      return undefined
  }
}
