import { elementTypeNumber } from '../data-types.js'
import type { Value } from '../model/value.js'
import { findMatches, type Match } from './matching/match.js'
import { parsePattern } from './matching/pattern.js'
import { sweep } from './matching/sweep.js'
import { definePass, type PassContext } from './pass.js'

/**
 * How exporters add a mask to scores: `s` the scores, `m` the mask, `$c` what is added where it hides. `keeps` says whether
 * a score stays where the mask is 1, or where it is 0.
 */
const FORMS = [
  // Hugging Face's transformers: (1 - mask) * torch.finfo(dtype).min, and masked_fill of it.
  { keeps: true, text: 'y = Add(s, Mul(Sub(1, Cast(m)), $c))' },
  { keeps: true, text: 'i = Sub(1, Cast(m)) y = Add(s, Where(Cast(i), $c, i))' },
  { keeps: false, text: 'y = Add(s, Mul(Cast(m), $c))' },
  // scaled_dot_product_attention as PyTorch's exporters take it apart.
  { keeps: true, text: 'y = Add(s, Where(m, 0, $c))' },
  { keeps: false, text: 'y = Add(s, Where(m, $c, 0))' },
].map(({ keeps, text }) => ({ keeps, pattern: parsePattern(text) }))

/** Less than half a digit of it is more than any score, so that score + c is c. */
const ABSORBING = -1e30

/**
 * Puts one Where in the place of the nodes that add a mask to attention scores: `scores + (1 - mask) * -3.4e38` becomes
 * `Where(mask, scores, -3.4e38)`, the mask never a float. Outputs stay the same to the last bit.
 *
 * For fp16, which has no -3.4e38: `convert-precision` makes -65504 of it, and the sum of that and a score below -16 is
 * infinite, of which a whole row is NaN behind a Softmax; Where adds nothing.
 *
 * Masks of integers are taken to hold 0 and 1 only. What hides by less than 1e30, such as the -10000 of older exports, is
 * left alone, as then rows that are masked as a whole still tell their scores apart; so are masks that are floats from the
 * beginning, which need not be 0 or 1. Types have to be known: run `infer-shapes` first.
 *
 * Not made: ONNX's Attention, which operator set 23 brought; models would have to be carried over to it, and on GPUs
 * TensorRT finds attention in the taken-apart form by itself.
 *
 * @example onnx.transform(model, [onnx.inferShapes(), onnx.fuseAttentionMask(), onnx.convertPrecision()])
 */
export const fuseAttentionMask = definePass<Record<never, never>>({
  name: 'fuse-attention-mask',
  summary: 'Puts one Where in the place of the nodes that add a mask to attention scores, which fp16 survives',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const conditions = new Map<Value, Value>()
    for (const { keeps, pattern } of FORMS) {
      for (const match of findMatches(model, pattern)) fuse(match, keeps, conditions, context)
    }
  },
})

function fuse(match: Match, keeps: boolean, conditions: Map<Value, Value>, context: PassContext): void {
  const { graph, root } = match
  const [mask, scores] = [match.value('m'), match.value('s')]
  const hidden = match.number('$c')
  if (hidden === undefined || hidden >= 0) return
  if (hidden > ABSORBING) {
    context.note(`${root} was left alone: ${hidden} is too little to hide every score alike`)
    return
  }
  if (!/^(bool|u?int\d+)$/.test(mask.type)) {
    const why = mask.type === 'undefined' ? 'is of no known type; run infer-shapes first' : `is ${mask.type}`
    context.note(`${root} was left alone: its mask "${mask.name}" ${why}`)
    return
  }
  const condition = conditions.get(mask) ?? conditionOf(mask)
  conditions.set(mask, condition)
  const where = String(root)
  const choices = keeps ? [scores, match.value('$c')] : [match.value('$c'), scores]
  graph.addNode({ opType: 'Where', name: root.name, inputs: [condition, ...choices], outputs: [root.outputs[0]] })
  sweep(match.nodes)
  context.change(where, `${match.nodes.size} nodes replaced by Where, which hides by ${hidden}`)
}

function conditionOf(mask: Value): Value {
  if (mask.type === 'bool') return mask
  const attributes = { to: ['int', elementTypeNumber('bool')] as const }
  const [condition] = mask.graph.addNode({ opType: 'Cast', inputs: [mask], attributes }).outputs as [Value]
  condition.setType('bool', mask.dims)
  return condition
}
