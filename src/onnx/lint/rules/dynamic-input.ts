import type { Value } from '../../model/value.js'
import type { Rule } from '../rule.js'

/** Dynamic inputs, which need a profile, and dimensions of one name, which TensorRT takes for one size. */
export const dynamicInput: Rule = {
  id: 'dynamic-input',
  summary: 'an input whose shape is not fixed, or whose dimensions share a name by mistake',
  check(facts, report) {
    for (const input of facts.model.graph.fedInputs) {
      const { dims } = input
      if (dims === undefined) continue
      if (dims.some((dim) => typeof dim !== 'number')) {
        report(input, `its shape is [${dims.map((dim) => dim ?? '?')}]: the build needs a range for it`, {
          severity: 'warning',
          values: [input],
          advice: 'give shapes; dimensions of one name need one size in all inputs',
        })
      }
      const repeated = dims.find((dim, axis) => typeof dim === 'string' && dims.indexOf(dim) !== axis)
      if (repeated === undefined) continue
      report(
        input as Value,
        `two of its dimensions are called "${repeated}", so that TensorRT takes both for one size`,
        {
          severity: 'warning',
          values: [input],
          fixes: [{ passes: [{ pass: 'rename-repeated-dims' }] }],
        },
      )
    }
  },
}
