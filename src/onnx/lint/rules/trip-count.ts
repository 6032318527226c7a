import { needsTripCount } from '../../passes/add-trip-count.js'
import type { Rule } from '../rule.js'

/** Loops that give something for each round: TensorRT has to know how many that can be. */
export const tripCount: Rule = {
  id: 'trip-count',
  summary: 'a Loop without a number of rounds that gives something for each of them',
  check(facts, report) {
    for (const node of facts.nodes.filter(needsTripCount)) {
      report(node, 'it gives something for each round, and has no number of rounds', {
        values: node.outputs.filter((value) => value !== undefined),
        fixes: [{ passes: [{ pass: 'add-trip-count' }] }],
        advice: 'export it with a number of rounds (the first input of Loop)',
      })
    }
  },
}
