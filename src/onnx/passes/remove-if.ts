import { isBoolean, isPlainObject } from '../../check.js'
import type { Node } from '../model/node.js'
import { withNested } from '../model/root-graph.js'
import { DEFAULT_MAX_BYTES } from './fold-constants.js'
import { definePass } from './pass.js'
import { Facts } from './simplify/facts.js'
import { foldComputed, type Refused } from './simplify/fold-computed.js'
import { inlineIfs } from './simplify/inline-ifs.js'
import { untilStable } from './simplify/until-stable.js'

/** Options of {@link removeIf}. */
export interface RemoveIfOptions {
  /** What the caller knows of conditions: by name of an If, whether it takes its `then_branch`. */
  readonly conditions: { readonly [node: string]: boolean }
}

/**
 * Puts one branch in the place of each If whose condition is constant, follows from shapes, or is stated by the caller;
 * also of those inside other Ifs, and those whose condition comes to be known by that. TensorRT runs Ifs badly, or not at
 * all.
 *
 * Conditions that depend on the sizes of inputs are known once `set-shape` fixes those, and those that depend on an
 * input's value once `fix-input` makes that constant. A note says of each If that stays what its condition is made from.
 */
export const removeIf = definePass<RemoveIfOptions>({
  name: 'remove-if',
  summary: 'Puts a branch in the place of each If whose condition is constant or stated',
  keepsMeaning: true,
  options: {
    conditions: {
      kind: 'json',
      doc: 'by name of an If, whether it takes its then_branch; the caller vouches for it',
      check: (value) =>
        isPlainObject(value) && Object.values(value).every((condition) => isBoolean(condition) === undefined)
          ? undefined
          : 'an object of booleans by names of Ifs',
    },
  },
  defaults: { conditions: {} },
  async apply(model, { conditions }, context) {
    const refused: Refused = new Set()
    const stated = new Map(Object.entries(conditions))
    const used = new Set<string>()
    model.prune()
    await untilStable(
      context,
      (round) => {
        const facts = new Facts(model, round)
        const conditionOf = (node: Node) => {
          const given = stated.get(node.name)
          if (given !== undefined) {
            used.add(node.name)
            round.note(`assumed that the condition of ${node} is ${given}`)
            return [given, 'stated'] as const
          }
          const [known] = facts.ints(node.inputs[0]) ?? []
          return known === undefined ? undefined : ([known !== 0, 'constant'] as const)
        }
        inlineIfs(model.graph, conditionOf, (node, what) => round.change(node, what))
        model.prune()
      },
      async (round) => {
        const graphs = [...withNested(model.graph)]
        const isOver = !graphs.some(({ nodes }) => nodes.some(({ opType }) => opType === 'If'))
        if (!isOver) await foldComputed(graphs, new Facts(model, round), DEFAULT_MAX_BYTES, refused, round)
      },
    )
    for (const name of stated.keys()) if (!used.has(name)) context.note(`there is no If named ${JSON.stringify(name)}`)
    for (const graph of withNested(model.graph)) {
      for (const node of graph.nodes) {
        if (node.opType === 'If') context.note(`${node} stays: its condition ${reasonOf(node)}`)
      }
    }
  },
})

/** The inputs of graphs, and the ops beyond arithmetic, that a condition is made from. */
function reasonOf(node: Node): string {
  const seen = new Set(node.inputs.filter((value) => value !== undefined))
  const inputs = new Set<string>()
  for (const value of seen) {
    if (value.producer === undefined && value.initializer === undefined) inputs.add(value.name)
    for (const read of value.producer?.reads ?? []) seen.add(read)
  }
  return inputs.size === 0 ? 'is not computed here' : `depends on ${[...inputs].map((name) => `"${name}"`).join(', ')}`
}
