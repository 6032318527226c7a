import type { TensorLike } from '../../tensor.js'
import type { Graph } from '../model/graph.js'
import { ModelTensor, type RawTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'

/** Adds a constant to a graph: an initializer, or a Constant node in a function's body, which can hold no initializers. */
export function addConstant(graph: Graph, content: TensorLike | RawTensor | ModelTensor, name = 'constant'): Value {
  const free = graph.uniqueName(name)
  if (graph.proto.$type === 'GraphProto') return graph.addInitializer(content, free)
  const tensor = content instanceof ModelTensor ? content : ModelTensor.from(content)
  return graph.addNode({ opType: 'Constant', outputs: [free], attributes: { value: ['tensor', tensor] } })
    .outputs[0] as Value
}

/** The constant true, for conditions. */
export function addTrue(graph: Graph): Value {
  return addConstant(graph, { type: 'bool', dims: [], data: Uint8Array.of(1) }, 'always')
}
