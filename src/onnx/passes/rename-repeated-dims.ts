import type { ElementType } from '../data-types.js'
import { DistinctNames } from '../shapes/distinct-names.js'
import { type TensorKind, tensor, unlessPlaceholder } from '../shapes/value-kinds.js'
import type { Dim } from '../value-type.js'
import { definePass } from './pass.js'

/**
 * Gives dimensions of an input that share a name names of their own: `[batch,batch]` becomes `[batch,batch_2]`, and so in
 * each input that has the name twice. What is no name, such as the `?` that Paddle writes on all that it does not know, goes.
 * TensorRT takes dimensions of one name for equal, in one input and across inputs, and so refuses two sentences of eight
 * words.
 *
 * Nothing is computed otherwise. An input that was meant to be square may be fed other shapes afterwards, as it may on
 * onnxruntime.
 *
 * @example onnx.renameRepeatedDims()
 */
export const renameRepeatedDims = definePass<Record<never, never>>({
  name: 'rename-repeated-dims',
  summary: 'Gives dimensions of an input that share a name names of their own',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply({ graph }, _, context) {
    const fed = graph.fedInputs
    const taken = fed.flatMap(({ dims }) => dims?.filter((dim): dim is string => typeof dim === 'string') ?? [])
    const names = new DistinctNames(new Set(taken))
    for (const input of fed) {
      const { type, dims } = input
      if (dims === undefined) continue
      const kind = names.of(tensor(type as ElementType, dims.map(unlessPlaceholder))) as TensorKind
      if (written(kind.dims) === written(dims)) continue
      input.setType(type as ElementType, kind.dims)
      context.change(input, `shape [${written(dims)}] made [${written(kind.dims)}]`)
    }
  },
})

function written(dims: readonly Dim[] | undefined): string | undefined {
  return dims?.map((dim) => dim ?? 'any').join(',')
}
