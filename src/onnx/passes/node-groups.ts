/** Nodes of which the same is said, for notes that name a few and count all. */
import type { Node } from '../model/node.js'
import type { PassContext } from './pass.js'

/** How many nodes are named. */
const NAMED = 3

/** Nodes by what is said of them, in the order in which it was said first. */
export type NodeGroups = ReadonlyMap<string, readonly Node[]>

export function groupNodes(said: Iterable<readonly [node: Node, what: string]>): NodeGroups {
  const groups = new Map<string, Node[]>()
  for (const [node, what] of said) groups.get(what)?.push(node) ?? groups.set(what, [node])
  return groups
}

/** The names of the first nodes: `a, b, c, …`. */
export function firstNames(nodes: readonly Node[]): string {
  const names = nodes.slice(0, NAMED).map(({ label }) => label)
  return `${names.join(', ')}${nodes.length > names.length ? ', …' : ''}`
}

/** Notes which nodes stay in float32, by why they do. */
export function noteFloat32(groups: NodeGroups, context: PassContext): void {
  for (const [reason, nodes] of groups) {
    context.note(`float32 stays in ${nodes.length} nodes, as ${reason}: ${firstNames(nodes)}`)
  }
}
