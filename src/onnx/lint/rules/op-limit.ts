/**
 * What an op may not be, where TensorRT has it: attributes, types, ranks and numbers of outputs that its parser or builder
 * refuses. Each line is what TensorRT-RTX 1.7.1 said of one of ONNX's node tests.
 */
import type { Rule } from '../rule.js'
import { LIMITS, MICROSOFT_LIMITS } from './limits.js'

/** See the head of this file. */
export const opLimit: Rule = {
  id: 'op-limit',
  summary: 'an op that TensorRT has, in a form that it does not take',
  check(facts, report) {
    for (const node of facts.nodes) {
      if (facts.hasFunction(node)) continue
      const isFused = node.domain === 'com.microsoft'
      const limits = isFused ? MICROSOFT_LIMITS : node.domain === '' ? LIMITS : {}
      for (const limit of limits[node.opType] ?? []) {
        const message = limit(node, facts)
        if (message === undefined) continue
        report(node, message, {
          values: node.outputs.filter((value) => value !== undefined),
          fixes: isFused ? [{ passes: [{ pass: 'expand-fused-ops' }] }] : [],
          advice: 'export the model without it, or replace it with other ops (surgeon --pass replace-subgraph)',
        })
      }
    }
  },
}
