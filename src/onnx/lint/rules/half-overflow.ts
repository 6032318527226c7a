import type { Rule } from '../rule.js'

/** The greatest finite number of float16. */
const HALF_MAX = 65504

/** Weights that are infinite in float16. */
export const halfOverflow: Rule = {
  id: 'half-overflow',
  summary: 'a weight that float16 cannot hold, where the engine is built in it',
  check(facts, report) {
    if (!facts.fp16) return
    for (const graph of facts.model.graphs()) {
      for (const tensor of graph.initializers) {
        if (tensor.type !== 'float32') continue
        const { min, max } = tensor.statistics()
        const greatest = Math.max(Math.abs(Number(min)), Math.abs(Number(max)))
        const value = graph.value(tensor.name)
        if (!(greatest > HALF_MAX) || value === undefined) continue
        report(value, `holds ${greatest.toPrecision(3)}, and float16 ends at ${HALF_MAX}`, {
          severity: 'warning',
          values: [value],
          advice: 'convert with convert-precision, which keeps the node in float32, or train the weight smaller',
        })
      }
    }
  },
}
