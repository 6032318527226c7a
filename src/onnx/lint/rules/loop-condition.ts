import type { Rule } from '../rule.js'

/** Loops without a condition whose body has to do with it: TensorRT counts rounds only, and knows no such value. */
export const loopCondition: Rule = {
  id: 'loop-condition',
  summary: 'a Loop without a condition, whose body reads it or computes the next one',
  check(facts, report) {
    for (const node of facts.nodes) {
      if (node.opType !== 'Loop' || node.domain !== '' || node.inputs[1] !== undefined) continue
      const body = node.get('body', 'graph')
      const given = body?.inputs[1]
      if (body === undefined || given === undefined) continue
      const next = body.outputs[0]
      if (given.isUnused && facts.constant(next) !== undefined) continue
      report(node, 'it has no condition, and its body reads one or computes the next', {
        values: [given],
        fixes: [{ passes: [{ pass: 'add-loop-condition' }] }],
      })
    }
  },
}
