import { isNumber } from '../../check.js'
import { definePass } from './pass.js'

/** ONNX's default (onnx/docs/Operators.md, InstanceNormalization). */
const ONNX_DEFAULT = 1e-5

/** Options of {@link fixInstanceNormEpsilon}. */
export interface FixInstanceNormEpsilonOptions {
  /** The least epsilon that is left alone. Default 1e-4, the least that TensorRT's layer takes. */
  readonly epsilon: number
}

/**
 * Raises the epsilon of InstanceNormalization to at least 1e-4, also where a node has none and so ONNX's 1e-5: TensorRT's
 * plugin for it (`InstanceNormalization_TRT`) takes no smaller one.
 *
 * Outputs change by about epsilon divided by twice the variance, as a part of them: not to be noticed, except in channels
 * that hold nearly the same value everywhere.
 */
export const fixInstanceNormEpsilon = definePass<FixInstanceNormEpsilonOptions>({
  name: 'fix-instance-norm-epsilon',
  summary: 'Raises the epsilon of InstanceNormalization to what TensorRT takes',
  keepsMeaning: false,
  options: { epsilon: { kind: 'number', doc: 'the least epsilon', check: isNumber } },
  defaults: { epsilon: 1e-4 },
  apply(model, { epsilon }, context) {
    const least = Math.fround(epsilon)
    for (const graph of model.graphs()) {
      for (const node of graph.find({ opType: 'InstanceNormalization', domain: '' })) {
        if (node.attribute('epsilon')?.refName !== undefined) {
          context.note(`${node} takes its epsilon from what calls the function that it is in, and was left alone`)
          continue
        }
        const old = node.get('epsilon', 'float', ONNX_DEFAULT)
        if (old >= least) continue
        node.set('epsilon', 'float', least)
        context.change(node, `epsilon raised from ${Number(old.toPrecision(6))} to ${epsilon}`)
      }
    }
  },
})
