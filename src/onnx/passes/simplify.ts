/**
 * The order of what a round does: infer, fold what is known by that, rewrite nodes from the first to the last, so that a
 * chain collapses in one go, merge what is alike, and drop what nobody reads. A round is linear in nodes, and real models
 * need three to five. Each rewrite is a small function in simplify/, found by the op of the node that it starts at.
 */
import { throwIfAborted } from '../../errors.js'
import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { withNested } from '../model/root-graph.js'
import { DEFAULT_MAX_BYTES, type FoldConstantsOptions, MAX_BYTES } from './fold-constants.js'
import { definePass, type PassContext } from './pass.js'
import { CHAINS } from './simplify/chains.js'
import { FUSIONS } from './simplify/conv-fusions.js'
import { type Facts, stagesWithFacts } from './simplify/facts.js'
import { foldComputed, type Refused } from './simplify/fold-computed.js'
import { foldKnown } from './simplify/fold-known.js'
import { inlineIfs } from './simplify/inline-ifs.js'
import { mergeConstants } from './simplify/merge-constants.js'
import { mergeNodes } from './simplify/merge-nodes.js'
import { mergeSizes } from './simplify/merge-sizes.js'
import { NO_OPS } from './simplify/no-ops.js'
import { RESHAPES } from './simplify/reshapes.js'
import type { Rewrite } from './simplify/rewrite.js'
import { untilStable } from './simplify/until-stable.js'

/** Options of {@link simplify}. */
export interface SimplifyOptions extends FoldConstantsOptions {}

/** By op, what may be done with a node, in this order. */
const REWRITES = new Map<string, readonly Rewrite[]>()
for (const table of [NO_OPS, RESHAPES, CHAINS, FUSIONS]) {
  for (const [opType, rewrites] of Object.entries(table)) {
    REWRITES.set(opType, [...(REWRITES.get(opType) ?? []), ...rewrites])
  }
}

/**
 * Makes a model smaller that computes the same, to a fixed point: shapes are inferred, constants folded (see
 * {@link foldConstants}), and what exporters leave behind is removed: computing of shapes (Shape, Gather, Unsqueeze, Concat
 * in front of Reshape), Ifs with a constant condition, nodes that do nothing (Identity, Dropout, and Cast, Transpose, Pad, Slice, Reshape, Expand to what
 * is there already), chains that one node does, BatchNormalization and the like behind a convolution, and whatever is
 * there twice.
 *
 * Sums may come in another order, where a convolution takes factors into its weights; all else is the same to the bit.
 */
export const simplify = definePass<SimplifyOptions>({
  name: 'simplify',
  summary: 'Folds constants and removes what exporters leave behind, until nothing is left to do',
  keepsMeaning: true,
  options: { maxBytes: MAX_BYTES },
  defaults: { maxBytes: DEFAULT_MAX_BYTES },
  async apply(model, { maxBytes }, context) {
    const refused: Refused = new Set()
    model.prune()
    const withFacts = stagesWithFacts(model)
    await untilStable(
      context,
      withFacts((facts, round) => rewriteModel(model, facts, round)),
      // It takes a process: most models need it once or not at all.
      withFacts((facts, round) => foldComputed([...withNested(model.graph)], facts, maxBytes, refused, round)),
      // Last, as weights that several convolutions share are not multiplied with what stands behind one of them. What
      // is known of values holds as before.
      (round) => mergeConstants(model, round),
    )
  },
})

function rewriteModel(model: Model, facts: Facts, context: PassContext): void {
  throwIfAborted('simplify', context.signal)
  for (const graph of withNested(model.graph)) {
    foldKnown(graph, facts, context)
    rewriteNodes(graph, facts, context)
    mergeSizes(graph, facts, context)
  }
  inlineIfs(
    model.graph,
    (node) => knownCondition(node, facts),
    (node, what) => context.change(node, what),
  )
  mergeNodes(model, context)
  model.prune()
}

function knownCondition(node: Node, facts: Facts): readonly [boolean, string] | undefined {
  const [condition] = facts.ints(node.inputs[0]) ?? []
  return condition === undefined ? undefined : [condition !== 0, 'constant']
}

function rewriteNodes(graph: Graph, facts: Facts, context: PassContext): void {
  for (const node of graph.nodes) {
    if (node.domain !== '' || node.outputs.every((value) => value === undefined || value.isUnused)) continue
    for (const rewrite of REWRITES.get(node.opType) ?? []) {
      const what = rewrite(node, facts)
      if (what === undefined) continue
      context.change(node, what)
      // Whether there is more to do, the next round sees.
      break
    }
  }
}
