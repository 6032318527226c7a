import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import type { Facts } from './facts.js'

/**
 * A rewrite of one node, or of a node and those right before it.
 *
 * @returns what it did, in the past tense; undefined where it is not for this node
 */
export type Rewrite = (node: Node, facts: Facts) => string | undefined

/**
 * Takes a node out whose first output is the same as its input. The name of an output of the graph is kept, by giving it
 * to the input; where that has a name to keep too, the node stays.
 *
 * @returns whether it was taken out
 */
export function bypass(node: Node, input: Value | undefined = node.inputs[0]): boolean {
  const [output, ...others] = node.outputs
  if (input === undefined || output === undefined) return false
  if (others.some((value) => value !== undefined && !value.isUnused)) return false
  const isFree = input.producer !== undefined && !input.isOutput && input.graph === output.graph
  if (output.isOutput && !isFree) return false
  output.replaceUsesWith(input)
  node.remove()
  return true
}

/** The node that gives a value to nobody but one reader, where it is of this op of ONNX. */
export function onlyProducer(value: Value | undefined, ...opTypes: readonly string[]): Node | undefined {
  const producer = value?.producer
  if (value === undefined || producer === undefined || producer.domain !== '') return undefined
  return opTypes.includes(producer.opType) && !value.isOutput && value.consumers.length === 1 ? producer : undefined
}
