import type { Fix } from '../finding.js'
import type { Rule } from '../rule.js'

/** The first operator set whose broadcasting TensorRT knows. */
const FIRST = 7

/**
 * What its parser refuses before: all ops of several inputs that broadcast, also where they do not. Others of version 6, such
 * as Conv and Softmax, it takes.
 */
const BROADCASTING: ReadonlySet<string> = new Set([
  'Add',
  'And',
  'Div',
  'Equal',
  'Gemm',
  'Greater',
  'Less',
  'Max',
  'Mean',
  'Min',
  'Mul',
  'Or',
  'PRelu',
  'Pow',
  'Sub',
  'Sum',
  'Xor',
])

/** Shapes first, as the meaning of an old axis depends on ranks. */
export const UPGRADE_OPSET: Fix = {
  passes: [{ pass: 'infer-shapes' }, { pass: 'upgrade-opset', options: { version: FIRST } }],
}

/** Models of 2017, in which an op broadcasts its second input only, and at an axis that it names. */
export const oldOpset: Rule = {
  id: 'old-opset',
  summary: "an op that broadcasts, of ONNX's operator set 6 or older, which has other rules for that",
  check(facts, report) {
    const opset = facts.model.opsets.get('')
    if (opset === undefined || opset >= FIRST) return
    for (const node of facts.nodes) {
      if (node.domain !== '' || !BROADCASTING.has(node.opType)) continue
      report(node, `it is of operator set ${opset}, and TensorRT broadcasts as ${FIRST} and newer do`, {
        values: node.outputs.filter((value) => value !== undefined),
        fixes: [UPGRADE_OPSET],
        advice: 'export it anew',
      })
    }
  },
}
