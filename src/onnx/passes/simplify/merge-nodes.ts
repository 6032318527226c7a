import { createHash } from 'node:crypto'
import { encode } from '../../io/encode.js'
import type { Graph } from '../../model/graph.js'
import type { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { isPure } from '../deterministic.js'
import type { PassContext } from '../pass.js'

/** Longer encoded attributes are compared by their hash. */
const KEY_BYTES = 256

/**
 * Makes one of nodes that compute the same: the same op, with the same attributes, of the same values. In topological
 * order, so that what follows from merged nodes is found at once.
 */
export function mergeNodes(model: Model, context: PassContext): void {
  for (const graph of model.graphs()) mergeIn(graph, model, context)
}

function mergeIn(graph: Graph, model: Model, context: PassContext): void {
  const numbers = new Map<Value, number>()
  const numberOf = (value: Value | undefined): number => {
    if (value === undefined) return -1
    const number = numbers.get(value) ?? numbers.size
    numbers.set(value, number)
    return number
  }
  // Attributes are looked at only where op and inputs are the same.
  const first = new Map<string, Node>()
  const alike = new Map<string, Map<string, Node>>()
  for (const node of graph.nodes) {
    // Constants are merged by their elements: merge-constants.ts.
    if (node.opType === 'Constant' || !isPure(node, model.opsets)) continue
    const key = [
      node.domain,
      node.opType,
      ...node.inputs.map(numberOf),
      node.outputs.map((value) => value !== undefined),
    ].join()
    const earlier = first.get(key)
    if (earlier === undefined) {
      first.set(key, node)
      continue
    }
    const byAttributes = alike.get(key) ?? new Map([[attributesOf(earlier), earlier]])
    alike.set(key, byAttributes)
    const attributes = attributesOf(node)
    const same = byAttributes.get(attributes)
    if (same === undefined) byAttributes.set(attributes, node)
    else merge(node, same, context)
  }
}

function merge(node: Node, same: Node, context: PassContext): void {
  // Each of two outputs has a name to keep.
  if (node.outputs.some((value, index) => value?.isOutput && same.outputs[index]?.isOutput)) return
  context.change(node, `merged with ${same}, which computes the same`)
  for (const [index, value] of node.outputs.entries()) value?.replaceUsesWith(same.outputs[index] as Value)
  node.remove()
}

function attributesOf(node: Node): string {
  const attributes = node.attributes.map(({ name, proto }) => {
    const bytes = encode(proto).toBytes()
    const isLong = bytes.length > KEY_BYTES
    return `${name}=${isLong ? createHash('sha256').update(bytes).digest('base64') : Buffer.from(bytes).toString('latin1')}`
  })
  return attributes.sort().join('\0')
}
