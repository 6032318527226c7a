/** The operators of this package's plugin library, and ONNX's that they compute; see docs/plugins.md. */
export interface PluginOp {
  /** ONNX's op. */
  readonly opType: 'LayerNormalization' | 'PRelu'
  /** The plugin's name, as TensorRT's parser looks it up by op type. */
  readonly plugin: string
  /** Weights that may be fields of the plugin instead of inputs, in the order of the inputs behind the first. */
  readonly weights: readonly string[]
  /** Attributes that both have. */
  readonly shared: readonly string[]
}

export const PLUGIN_OPS: readonly PluginOp[] = [
  {
    opType: 'LayerNormalization',
    plugin: 'CustomLayerNormalization',
    weights: ['scale', 'bias'],
    shared: ['axis', 'epsilon', 'stash_type'],
  },
  { opType: 'PRelu', plugin: 'CustomPRelu', weights: ['slope'], shared: [] },
]

/** The domain that plugins' nodes get: TensorRT minds none, and onnx.checker leaves nodes of a domain unknown to it alone. */
export const PLUGIN_DOMAIN = 'trt.plugins'
