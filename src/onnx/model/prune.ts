import type { Graph } from './graph.js'
import type { Node } from './node.js'
import type { ModelTensor } from './tensor.js'

/** What {@link Graph.prune} took out. */
export interface PruneResult {
  readonly nodes: readonly Node[]
  readonly initializers: readonly ModelTensor[]
}

/** See {@link Graph.prune}. Linear in nodes: a node is looked at again only when one that reads it has gone. */
export function prune(graph: Graph): PruneResult {
  const nodes: Node[] = []
  const initializers: ModelTensor[] = []
  for (const node of graph.nodes) {
    for (const inner of node.subgraphs) {
      const result = prune(inner)
      nodes.push(...result.nodes)
      initializers.push(...result.initializers)
    }
  }
  const gone = new Set<Node>()
  const suspects = [...graph.nodes]
  for (let node = suspects.pop(); node !== undefined; node = suspects.pop()) {
    if (gone.has(node) || !node.outputs.every((value) => value === undefined || value.isUnused)) continue
    const sources = node.reads
    graph.removeNode(node)
    gone.add(node)
    for (const { producer } of sources) if (producer?.graph === graph) suspects.push(producer)
  }
  for (const value of graph.constants) {
    if (!value.isUnused) continue
    if (value.initializer !== undefined) initializers.push(value.initializer)
    graph.removeConstant(value)
  }
  return { nodes: [...nodes, ...gone], initializers }
}
