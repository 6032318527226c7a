import { TrtError } from '../../errors.js'
import type { Graph } from './graph.js'
import type { Node } from './node.js'

/**
 * The nodes in an order in which each comes after those whose results it, or a graph inside it, reads. Nodes that are
 * in order keep their places; others go right before the first node that needs them. Linear in nodes and edges.
 *
 * @throws {TrtError} `INVALID_MODEL` where there is a cycle
 */
export function topologicalOrder(graph: Graph, nodes: Iterable<Node>): Node[] {
  const ordered: Node[] = []
  const state = new Map<Node, 'open' | 'done'>()
  for (const root of nodes) {
    if (state.has(root)) continue
    // A stack of its own: a chain of 20,000 nodes in reverse would overflow the engine's.
    const stack = [open(root, graph, state)]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.needs.next()
      if (next.done) {
        state.set(top.node, 'done')
        ordered.push(top.node)
        stack.pop()
      } else if (!state.has(next.value)) {
        stack.push(open(next.value, graph, state))
      } else if (state.get(next.value) === 'open') {
        throw new TrtError('INVALID_MODEL', `the graph has a cycle: ${next.value} needs its own result`)
      }
    }
  }
  return ordered
}

function open(node: Node, graph: Graph, state: Map<Node, 'open' | 'done'>): { node: Node; needs: Iterator<Node> } {
  state.set(node, 'open')
  return { node, needs: needsOf(node, graph) }
}

/** The nodes of `graph` whose results a node reads, itself or by a graph inside. */
function* needsOf(node: Node, graph: Graph): Generator<Node> {
  for (const input of node.inputs) {
    if (input?.producer !== undefined && input.graph === graph) yield input.producer
  }
  for (const inner of node.subgraphs) {
    for (const nested of inner.nodesAsAdded) yield* needsOf(nested, graph)
    for (const output of inner.outputs) {
      if (output.producer !== undefined && output.graph === graph) yield output.producer
    }
  }
}
