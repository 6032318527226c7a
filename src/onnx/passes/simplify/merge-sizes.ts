import type { Graph } from '../../model/graph.js'
import type { Value } from '../../model/value.js'
import type { PassContext } from '../pass.js'
import type { Facts } from './facts.js'

/**
 * Takes one value for all that hold the same sizes, although other nodes compute them: exporters ask each tensor anew for
 * its batch. In topological order, so that the first one is there wherever the others are.
 */
export function mergeSizes(graph: Graph, facts: Facts, context: PassContext): void {
  const first = new Map<string, Value>()
  for (const node of graph.nodes) {
    for (const value of node.outputs) {
      const key = value && keyOf(value, facts)
      if (value === undefined || key === undefined) continue
      const same = first.get(key)
      if (same === undefined) first.set(key, value)
      else if (!value.isOutput && !value.isUnused) {
        value.replaceUsesWith(same)
        context.change(value, `taken from "${same.name}", which holds the same sizes`)
      }
    }
  }
}

function keyOf(value: Value, facts: Facts): string | undefined {
  const elements = facts.elements(value)
  const { type, dims } = value
  if (elements === undefined || dims === undefined || elements.includes(null)) return undefined
  return JSON.stringify([type, dims, elements])
}
