import type { Graph } from '../../model/graph.js'
import type { Node } from '../../model/node.js'
import type { RawTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import { constantTensor } from '../constants.js'
import type { PassContext } from '../pass.js'
import { type Facts, isReshaping } from './facts.js'
import { dequantizedBias } from './fold-bias.js'
import { movedConstant } from './fold-moves.js'
import { makeConstant } from './make-constant.js'

/**
 * Makes constant what needs no runtime: Constant nodes, integers that inference knows, such as the shape of a value whose
 * sizes are fixed, and what nodes compute of it, and constants that are only moved about.
 */
export function foldKnown(graph: Graph, facts: Facts, context: PassContext): void {
  for (const node of graph.nodes) {
    const constant = constantTensor(node)
    if (constant !== undefined) {
      const [value] = node.outputs
      // One that a graph gives out stays a node.
      if (value === undefined || value.isOutput) continue
      context.change(node, 'made an initializer')
      makeConstant(value, constant)
      continue
    }
    if (foldNode(node, facts, context)) continue
    foldReshaped(node, facts, context)
    foldTensor(node, facts, context)
  }
}

/** The elements stay as they are, where they are. */
function foldReshaped(node: Node, { constants }: Facts, context: PassContext): void {
  const [output] = node.outputs
  if (!isReshaping(node) || output === undefined) return
  const tensor = constants.of(node.inputs[0])
  const { dims } = output
  if (tensor === undefined || dims === undefined || !dims.every((dim) => typeof dim === 'number')) return
  context.change(node, `folded into a constant of shape [${dims}]`)
  makeConstant(output, tensor.reshaped(dims))
}

function foldTensor(node: Node, facts: Facts, context: PassContext): void {
  const [output] = node.outputs
  const tensor = movedConstant(node, facts) ?? dequantizedBias(node, facts)
  if (output === undefined || tensor === undefined) return
  context.change(node, `folded into a constant of shape [${tensor.dims}]`)
  makeConstant(output, tensor)
}

/** @returns whether it did */
function foldNode(node: Node, facts: Facts, context: PassContext): boolean {
  const outputs = node.outputs.filter((value) => value !== undefined)
  const tensors = outputs.map((value) => knownTensor(value, facts))
  if (node.subgraphs.length > 0 || !tensors.every((tensor) => tensor !== undefined)) return false
  context.change(node, `folded into ${tensors.map(({ dims }) => `a constant of shape [${dims}]`).join(', ')}`)
  for (const [index, value] of outputs.entries()) makeConstant(value, tensors[index] as RawTensor)
  return true
}

function knownTensor(value: Value, facts: Facts): RawTensor | undefined {
  const { type, dims } = value
  const elements = facts.elements(value)
  if (elements === undefined || dims === undefined) return undefined
  if (!elements.every(Number.isSafeInteger) || !dims.every(Number.isSafeInteger)) return undefined
  const shape = dims as readonly number[]
  if (shape.reduce((size, dim) => size * dim, 1) !== elements.length) return undefined
  const numbers = elements as readonly number[]
  const data =
    type === 'int64'
      ? BigInt64Array.from(numbers, BigInt)
      : type === 'int32'
        ? Int32Array.from(numbers)
        : Uint8Array.from(numbers)
  return { type: type as 'int64', dims: shape, data: new Uint8Array(data.buffer) }
}
