import { numberToBfloat16, numberToHalf } from '../../npy/half.js'
import type { TensorLike } from '../../tensor.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import type { Dim } from '../value-type.js'

/**
 * What is constant in a model: initializers, and what Constant nodes give.
 *
 * An initializer that is an input too is a default that callers may replace, from IR version 4 on. Before, every
 * initializer had to be listed among the inputs (onnx/docs/IR.md, "Graphs"), so there it counts as constant.
 */
export class Constants {
  readonly #defaults: ReadonlySet<Value>

  constructor({ graph, irVersion }: Model) {
    this.#defaults = new Set(irVersion < 4 ? [] : graph.inputs)
  }

  /** The elements of a value; undefined where it is not constant, or sparse. */
  of(value: Value | undefined): ModelTensor | undefined {
    if (value === undefined || this.#defaults.has(value)) return undefined
    return value.initializer ?? (value.producer && constantTensor(value.producer))
  }

  /** The shape of a value: of a Constant node's too, which models seldom declare. */
  dims(value: Value): readonly Dim[] | undefined {
    return value.dims ?? this.of(value)?.dims
  }

  /** The element type of a value: of a Constant node's too. `undefined` (the text) where it is not known. */
  type(value: Value): string {
    return this.of(value)?.type ?? value.type
  }

  /** Small integers (or booleans) as numbers, such as axes and shapes; undefined where the value is not constant. */
  ints(value: Value | undefined): number[] | undefined {
    const tensor = this.of(value)
    if (tensor === undefined || !['int32', 'int64', 'bool'].includes(tensor.type)) return undefined
    return Array.from(tensor.toTensor().data as Iterable<number | bigint>, Number)
  }
}

/** What a node of op Constant gives; undefined for other nodes, and for sparse tensors and references in functions. */
export function constantTensor(node: Node): ModelTensor | undefined {
  if (node.opType !== 'Constant' || node.domain !== '') return undefined
  const [attribute] = node.attributes
  const content = attribute?.value
  if (content === undefined) return undefined
  switch (attribute?.name) {
    case 'value':
      return content instanceof ModelTensor ? content : undefined
    case 'value_int':
      return int64s([content as number | bigint], [])
    case 'value_ints':
      return int64s(content as (number | bigint)[], [(content as []).length])
    case 'value_float':
      return ModelTensor.from({ type: 'float32', dims: [], data: Float32Array.of(content as number) })
    case 'value_floats':
      return ModelTensor.from({
        type: 'float32',
        dims: [(content as []).length],
        data: Float32Array.from(content as number[]),
      })
    case 'value_string':
      return ModelTensor.from({ type: 'string', dims: [], data: [content as string] })
    case 'value_strings':
      return ModelTensor.from({ type: 'string', dims: [(content as []).length], data: content as string[] })
    default:
      return undefined
  }
}

/** A tensor of int64, as shapes, axes and the like are. */
export function int64s(values: readonly (number | bigint)[], dims: readonly number[] = [values.length]): ModelTensor {
  return ModelTensor.from({ type: 'int64', dims, data: BigInt64Array.from(values, BigInt) })
}

/** A tensor of floats of a type: the 16-bit ones rounded to it, any other type float32. */
export function floatTensor(
  type: string,
  values: ArrayLike<number>,
  dims: readonly number[] = [values.length],
): TensorLike {
  if (type === 'float16') return { type, dims, data: Uint16Array.from(values, numberToHalf) }
  if (type === 'bfloat16') return { type, dims, data: Uint16Array.from(values, numberToBfloat16) }
  if (type === 'float64') return { type, dims, data: Float64Array.from(values) }
  return { type: 'float32', dims, data: Float32Array.from(values) }
}
