import type { Node } from '../model/node.js'
import type { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { type Constants, int64s } from './constants.js'
import { sweepValues } from './matching/sweep.js'

/** Gives an input of a node further dimensions of 1 at the end. Its rank has to be known. */
export function appendDims(node: Node, input: number, count: number, constants: Constants): void {
  const value = node.inputs[input] as Value
  const ones = Array<number>(count).fill(1)
  const tensor = constants.of(value)
  if (tensor !== undefined) {
    reshapeConstant(node, input, tensor, [...tensor.dims, ...ones])
    return
  }
  const { graph } = node
  // A 0 takes the size over (onnx/docs/Operators.md, "Reshape").
  const kept = Array<number>(value.dims?.length ?? 0).fill(0)
  const shape = addConstant(graph, int64s([...kept, ...ones]), `${value.name}_shape`)
  node.setInput(input, graph.addNode({ opType: 'Reshape', inputs: [value, shape] }).outputs[0])
}

/** In place, also where it is listed among the inputs; a copy where others read it, who may mean it otherwise. */
function reshapeConstant(node: Node, input: number, tensor: ModelTensor, dims: readonly number[]): void {
  const value = node.inputs[input] as Value
  const content = { type: tensor.type, dims, data: tensor.bytes() }
  if (value.initializer !== undefined && value.consumers.length === 1 && !value.isOutput) {
    tensor.set(content)
    // Only where it is declared: an initializer needs no declaration.
    if (value.state.infos.length > 0) value.setType(tensor.type, dims)
    return
  }
  node.setInput(input, addConstant(node.graph, content, `${value.name}_reshaped`))
  sweepValues([value])
}
