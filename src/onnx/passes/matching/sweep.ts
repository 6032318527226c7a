import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'

/**
 * Takes out nodes that nobody uses, the nodes that gave them their inputs where nobody else uses these, and so on, with
 * the constants on the way. Nodes that were taken out already count too, for what they read. Other dead nodes of the graph stay, as they are none of the caller's business.
 */
export function sweep(nodes: Iterable<Node>): void {
  const open = [...nodes]
  const done = new Set<Node>()
  const constants = new Set<Value>()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const isThere = !isGone(node)
    if (done.has(node) || (isThere && !node.outputs.every((value) => value === undefined || value.isUnused))) continue
    done.add(node)
    const { reads } = node
    if (isThere) node.remove()
    for (const value of reads) {
      if (value.producer !== undefined) open.push(value.producer)
      else if (value.initializer !== undefined) constants.add(value)
    }
  }
  removeConstants(constants)
}

/** The same for values that nobody may use any more: what gives them goes, or the constants that they are. */
export function sweepValues(values: Iterable<Value | undefined>): void {
  const unused = new Set([...values].filter((value) => value?.isUnused) as Value[])
  sweep([...unused].flatMap(({ producer }) => producer ?? []))
  removeConstants([...unused].filter(({ initializer }) => initializer !== undefined))
}

function removeConstants(constants: Iterable<Value>): void {
  for (const value of constants) {
    const isDefault = !value.graph.context.initializersAreInputs && value.isInput
    if (value.isUnused && !isDefault) value.graph.removeConstant(value)
  }
}

/** Whether a value was taken out, as a sweep takes constants that nobody uses any more. */
export function isRemoved(value: Value): boolean {
  return value.graph.value(value.name) !== value
}

/** Whether a node was taken out, or all that it gave is given by another one now. */
export function isGone(node: Node): boolean {
  return !node.outputs.some((value) => value?.producer === node && !isRemoved(value))
}
