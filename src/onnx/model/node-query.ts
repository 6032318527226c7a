import type { Node } from './node.js'

/** Which nodes {@link Graph.find} looks for; all that is given must hold. */
export interface NodeQuery {
  readonly opType?: string | RegExp
  readonly domain?: string
  readonly name?: string | RegExp
  /** Look into the graphs inside nodes too. Default false. */
  readonly nested?: boolean
  readonly where?: (node: Node) => boolean
}

/** Whether a node is what a query looks for. */
export function matches(node: Node, { opType, domain, name, where }: NodeQuery): boolean {
  return (
    fits(node.opType, opType) &&
    (domain === undefined || node.domain === domain) &&
    fits(node.name, name) &&
    (where === undefined || where(node))
  )
}

function fits(text: string, pattern: string | RegExp | undefined): boolean {
  if (pattern === undefined) return true
  return typeof pattern === 'string' ? text === pattern : text.search(pattern) >= 0
}
