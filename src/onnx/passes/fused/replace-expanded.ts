import type { ElementType } from '../../data-types.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { sweepValues } from '../matching/sweep.js'

/** Puts values in the place of a node's outputs, with what is known of these; outputs that nobody reads may have none. */
export function replaceExpanded(node: Node, values: readonly (Value | undefined)[]): void {
  const { inputs } = node
  for (const [index, output] of node.outputs.entries()) {
    const value = values[index]
    if (output === undefined || value === undefined) continue
    const { type, dims } = output
    output.replaceUsesWith(value)
    if (value.type === 'undefined' && type !== 'undefined') value.setType(type as ElementType, dims)
  }
  node.remove()
  sweepValues(inputs)
}
