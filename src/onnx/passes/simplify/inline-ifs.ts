import { copyNodes } from '../../model/copy-nodes.js'
import type { Graph } from '../../model/graph.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'

/**
 * Puts the nodes of one branch in the place of each If whose condition is known, in this graph and those inside it.
 *
 * @param conditionOf undefined where nothing is known; else the condition, and a word on why
 * @param report told of each If before it goes
 */
export function inlineIfs(
  graph: Graph,
  conditionOf: (node: Node) => readonly [condition: boolean, why: string] | undefined,
  report: (node: Node, what: string) => void,
): void {
  // What a branch brings along comes behind: Ifs inside it are looked at too.
  const open = [...graph.nodes]
  for (const node of open) {
    const known = node.opType === 'If' && node.domain === '' ? conditionOf(node) : undefined
    if (known === undefined) {
      for (const inner of node.subgraphs) inlineIfs(inner, conditionOf, report)
      continue
    }
    const [condition, why] = known
    const name = condition ? 'then_branch' : 'else_branch'
    const branch = node.get(name, 'graph')
    if (branch === undefined) continue
    report(node, `replaced by its ${name}, as its condition is ${why}`)
    open.push(...inline(node, branch))
  }
}

/** @returns the copies of the branch's nodes */
function inline(node: Node, branch: Graph): Node[] {
  const { graph } = node
  const copies = new Map<Value, Value>()
  const { nodes } = branch
  copyNodes(nodes, graph, copies, { leaving: true })
  for (const [index, output] of node.outputs.entries()) {
    const given = branch.outputs[index]
    if (output !== undefined && given !== undefined) output.replaceUsesWith(inGraph(given, graph, copies))
  }
  const brought = nodes.flatMap(({ outputs }) => {
    const [first] = outputs.filter((value) => value !== undefined)
    return (first && copies.get(first)?.producer) ?? []
  })
  node.remove()
  return brought
}

function inGraph(value: Value, graph: Graph, copies: Map<Value, Value>): Value {
  const known = copies.get(value)
  if (known !== undefined) return known
  if (graph.sees(value) || value.initializer === undefined) return value
  const copy = graph.addInitializer(value.initializer, graph.uniqueName(value.name))
  copies.set(value, copy)
  return copy
}
