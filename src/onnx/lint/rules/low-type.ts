import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import type { LintFacts } from '../lint-facts.js'
import type { Rule } from '../rule.js'

/** Types that exist between quantising and dequantising only. */
const LOW_TYPES: ReadonlySet<string> = new Set(['float8e4m3fn', 'float4e2m1', 'int4'])

/** Ops that pass such values on; TensorRT names the layers in its error. */
const CARRIERS: ReadonlySet<string> = new Set([
  'Concat',
  'Constant',
  'DequantizeLinear',
  'Flatten',
  'Identity',
  'QuantizeLinear',
  'Reshape',
  'Shape',
  'Size',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])

/** Values of 4- and 8-bit floats, and of int4, that something else than quantisation makes or reads. */
export const lowType: Rule = {
  id: 'low-type',
  summary: 'a 4-bit or fp8 value outside of quantisation',
  check(facts, report) {
    for (const node of facts.nodes) {
      if (CARRIERS.has(node.opType)) continue
      const value = lowValue(node, facts)
      if (value === undefined) continue
      report(
        node,
        `TensorRT has ${facts.type(value)} between QuantizeLinear and DequantizeLinear only, and here it is "${value.name}"`,
        {
          values: [value],
          advice: 'put QuantizeLinear or DequantizeLinear in the place of the Cast',
        },
      )
    }
  },
}

function lowValue({ inputs, outputs }: Node, facts: LintFacts): Value | undefined {
  return [...inputs, ...outputs].find((value) => LOW_TYPES.has(facts.type(value)))
}
