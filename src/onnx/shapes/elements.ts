/**
 * The elements of small tensors, as far as inference knows them: shapes are computed with by nodes (Shape, Gather,
 * Concat, …) before Reshape and others take them.
 */
import { stridesOf } from '../../tensor.js'
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

/**
 * Elements of a tensor of these sizes, in the order of another one whose place at each axis is told by indices: element
 * [i, j, …] of the result is element [indices[0][i], indices[1][j], …].
 *
 * @returns undefined where they are too many
 */
export function select(
  elements: Elements,
  dims: readonly number[],
  indices: readonly (readonly number[])[],
): Elements | undefined {
  if (indices.reduce((count, { length }) => count * length, 1) > MAX_ELEMENTS) return undefined
  let offsets: readonly number[] = [0]
  for (const [axis, chosen] of indices.entries()) {
    const size = dims[axis] ?? 1
    offsets = offsets.flatMap((offset) => chosen.map((index) => offset * size + index))
  }
  return offsets.map((offset) => elements[offset] ?? null)
}

/** Elements after their axes were put into another order. */
export function reorder(elements: Elements, dims: readonly number[], order: readonly number[]): Elements {
  const strides = stridesOf(dims)
  let offsets: readonly number[] = [0]
  for (const axis of order) {
    const stride = strides[axis] ?? 0
    offsets = offsets.flatMap((offset) => range(dims[axis] ?? 0).map((index) => offset + index * stride))
  }
  return offsets.map((offset) => elements[offset] ?? null)
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}
