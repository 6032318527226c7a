import type { Node } from '../model/node.js'
import { schemaOf } from '../ops/schema.js'

/** Ops of ONNX that give something else each time (onnx/docs/Operators.md). */
const RANDOM: ReadonlySet<string> = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
])

/**
 * Whether a node is one of ONNX's own ops that gives the same for the same inputs, and holds no graphs. Of others, such as
 * plugins, nobody knows. A Dropout that trains is random too.
 */
export function isPure(node: Node, opsets: ReadonlyMap<string, number>): boolean {
  const { opType, domain } = node
  if (RANDOM.has(opType) || (node.proto.mayHaveGraphs && node.subgraphs.length > 0)) return false
  if (opType === 'Dropout' && node.inputs[2] !== undefined) return false
  return schemaOf(opType, domain, opsets.get(domain) ?? 1) !== undefined
}
