import type { Node } from '../model/node.js'
import { ACTIVATIONS } from './fused/activations.js'
import { ATTENTION } from './fused/attention.js'
import { expandNodes } from './fused/expand-nodes.js'
import type { Expansion } from './fused/fused-op.js'
import { NORMALIZATIONS } from './fused/normalizations.js'
import { PRODUCTS } from './fused/products.js'
import { definePass } from './pass.js'

const EXPANSIONS: Readonly<Record<string, Expansion>> = { ...ACTIVATIONS, ...ATTENTION, ...NORMALIZATIONS, ...PRODUCTS }

/** The version of ONNX's operator set that brought LayerNormalization. */
const LAYER_NORM_OPSET = 17

/** The version that brought the bounds of Clip as inputs, DynamicQuantizeLinear and Round. */
const LEAST_OPSET = 11

/**
 * Puts ONNX's own ops in the place of those of the domain `com.microsoft`, which onnxruntime's optimizer and its tools
 * make, and TensorRT has no layers for: FusedConv, FusedGemm, FusedMatMul, Gelu and its kin, SkipLayerNormalization,
 * EmbedLayerNormalization, Attention, MultiHeadAttention, RotaryEmbedding, MatMulNBits, and products that are quantised on
 * the way, whose ONNX ops `lower-dynamic-quantization` takes from there.
 *
 * Outputs change by rounding only. A note says why one was left alone: attention that is causal or keeps keys and values,
 * for example. The model is carried over to version 17 of ONNX's operator set if it is older and normalizes.
 *
 * @example onnx.expandFusedOps()
 */
export const expandFusedOps = definePass<Record<never, never>>({
  name: 'expand-fused-ops',
  summary: "Puts ONNX's own ops in the place of onnxruntime's fused ones (com.microsoft)",
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const expansions = { isMeant: isFused, table: EXPANSIONS, leastOpset, what: 'expanded' }
    expandNodes(model, expansions, context)
  },
})

function isFused({ domain, opType }: Node): boolean {
  return domain === 'com.microsoft' && Object.hasOwn(EXPANSIONS, opType)
}

function leastOpset(nodes: readonly Node[]): number {
  return nodes.some(({ opType }) => opType in NORMALIZATIONS) ? LAYER_NORM_OPSET : LEAST_OPSET
}
