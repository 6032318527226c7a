import { slopeMeaning } from '../../passes/prelu-slope.js'
import type { Rule } from '../rule.js'

/** Slopes of shape `[C]`, which ONNX reads along the last dimension. */
export const preluSlope: Rule = {
  id: 'prelu-slope',
  summary: 'a slope of PRelu that is meant by channel, and does not say so',
  check(facts, report) {
    for (const node of facts.nodes) {
      if (node.opType !== 'PRelu' || node.domain !== '') continue
      const [x, slope] = node.inputs
      const [slopeDims, dims] = [facts.dims(slope), facts.dims(x)]
      if (slopeDims === undefined || dims === undefined || slopeMeaning(slopeDims, dims) !== 'channel') continue
      report(
        node,
        `its slope [${slopeDims}] fits the channels of [${dims.map((dim) => dim ?? '?')}], and not the last dimension, along which ONNX reads it`,
        {
          values: slope === undefined ? [] : [slope],
          fixes: [{ passes: [{ pass: 'infer-shapes' }, { pass: 'fix-prelu-slope' }] }],
        },
      )
    }
  },
}
