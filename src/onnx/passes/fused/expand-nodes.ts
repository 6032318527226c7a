import type { ElementType } from '../../data-types.js'
import type { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { Constants } from '../constants.js'
import { inferFirst } from '../infer-first.js'
import { sweepValues } from '../matching/sweep.js'
import { NodeBuilder } from '../node-builder.js'
import type { PassContext } from '../pass.js'
import { upgradeTo } from '../upgrade-opset.js'
import { type Expansion, FusedOp } from './fused-op.js'

/** Which nodes are expanded, and how. */
export interface Expansions {
  readonly isMeant: (node: Node) => boolean
  /** By op. */
  readonly table: Readonly<Record<string, Expansion>>
  /** The version of ONNX's operator set that the expansions of these nodes need. */
  readonly leastOpset: (nodes: readonly Node[]) => number
  /** What reports say was done. */
  readonly what: string
}

/** Puts what the table makes of them in the place of nodes, in all graphs; notes say which it leaves alone. */
export function expandNodes(
  model: Model,
  { isMeant, table, leastOpset, what }: Expansions,
  context: PassContext,
): void {
  const meant = [...model.graphs()].flatMap(({ nodes }) => nodes.filter(isMeant))
  if (meant.length === 0) return
  inferFirst(model, 'types and shapes inferred', context)
  upgradeTo(model, leastOpset(meant), context)
  for (const graph of model.graphs()) {
    const constants = new Constants(model)
    const builder = new NodeBuilder(graph)
    for (const node of graph.nodes.filter(isMeant)) {
      const where = String(node)
      const expand = table[node.opType] as Expansion
      const result = expand(new FusedOp(node, builder, constants, model.opsets.get('') ?? 1))
      if (typeof result === 'string') context.note(`${where} was left alone: ${result}`)
      else {
        replaceExpanded(node, result)
        context.change(where, what)
      }
    }
  }
}

/** Puts values in the place of a node's outputs, with what is known of these; outputs that nobody reads may have none. */
function replaceExpanded(node: Node, values: readonly (Value | undefined)[]): void {
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
