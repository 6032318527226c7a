/** Operators of this package's plugin library, and of TensorRT's own that pipelines end with. */
import type { Rule } from '../op-context.js'

export const PLUGINS: Readonly<Record<string, Rule>> = {
  // Statistics are float32 whatever X is.
  CustomLayerNormalization: (op) => {
    const dims = op.dims(0)
    op.give(0, dims)
    if (dims === undefined) return
    const axis = op.axis(op.int('axis', -1), dims.length)
    const reduced = dims.map((dim, index) => (index < axis ? dim : 1))
    for (const index of [1, 2]) op.give(index, reduced, 'float32')
  },
  CustomPRelu: (op) => op.give(0, op.dims(0)),
  EfficientNMS_TRT: (op) => {
    const [batch, count] = [op.dims(0)?.[0] ?? null, op.int('max_output_boxes') ?? null]
    op.give(0, [batch, 1], 'int32')
    op.give(1, [batch, count, 4])
    op.give(2, [batch, count])
    op.give(3, [batch, count], 'int32')
  },
}

/** Where nodes of plugins are found: TensorRT goes by the op alone. */
export const PLUGIN_DOMAINS: readonly string[] = ['', 'nv', 'trt.plugins']
