import { isInteger } from '../../check.js'
import { withNested } from '../model/root-graph.js'
import { definePass } from './pass.js'
import { stagesWithFacts } from './simplify/facts.js'
import { foldComputed, type Refused } from './simplify/fold-computed.js'
import { foldKnown } from './simplify/fold-known.js'
import { untilStable } from './simplify/until-stable.js'

/** Options of {@link foldConstants}. */
export interface FoldConstantsOptions {
  /** How many bytes bigger the results of a node may be than its inputs. */
  readonly maxBytes: number
}

/** For the `options` of passes that fold constants. */
export const MAX_BYTES = {
  kind: 'number',
  doc: 'how many bytes bigger the results of a node may be than its inputs, to be folded',
  check: isInteger(0, Number.MAX_SAFE_INTEGER),
} as const

/** Enough for masks and position tables, and nothing that would be seen beside weights. */
export const DEFAULT_MAX_BYTES = 2 ** 20

/**
 * Computes what does not depend on the inputs, and keeps it as initializers: shapes of values with fixed sizes and what is
 * computed of them (known from shape inference), Constant nodes, and nodes whose inputs are constant (computed by
 * onnxruntime, unless elements are only moved). Graphs inside nodes are folded too, functions are not.
 *
 * Left alone are random ops, ops that are not ONNX's own, quantised weights, results that are much bigger than what they
 * are made of (see `maxBytes`), and inputs with a default (from IR version 4 on), since callers may replace them. In
 * older models the initializers among the inputs count as constant, as they all have to be listed there.
 */
export const foldConstants = definePass<FoldConstantsOptions>({
  name: 'fold-constants',
  summary: 'Computes what does not depend on the inputs, and keeps it as initializers',
  keepsMeaning: true,
  options: { maxBytes: MAX_BYTES },
  defaults: { maxBytes: DEFAULT_MAX_BYTES },
  async apply(model, { maxBytes }, context) {
    const refused: Refused = new Set()
    model.prune()
    const withFacts = stagesWithFacts(model)
    await untilStable(
      context,
      withFacts((facts, round) => {
        for (const graph of withNested(model.graph)) foldKnown(graph, facts, round)
        model.prune()
      }),
      withFacts(async (facts, round) => {
        await foldComputed([...withNested(model.graph)], facts, maxBytes, refused, round)
        model.prune()
      }),
    )
  },
})
