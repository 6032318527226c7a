import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { inferTypes } from '../shapes/infer-types.js'
import { Constants } from './constants.js'
import { ACTIVATIONS } from './fused/activations.js'
import { ATTENTION } from './fused/attention.js'
import { type Expansion, FusedOp } from './fused/fused-op.js'
import { NORMALIZATIONS } from './fused/normalizations.js'
import { PRODUCTS } from './fused/products.js'
import { replaceExpanded } from './fused/replace-expanded.js'
import { NodeBuilder } from './node-builder.js'
import { definePass, type PassContext } from './pass.js'
import { upgradeTo } from './upgrade-opset.js'

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
    const fused = [...model.graphs()].flatMap((graph) => graph.nodes.filter(isFused))
    if (fused.length === 0) return
    const { changed } = inferTypes(model, { onContradiction: 'report' })
    if (changed.length > 0) context.change('model', `${changed.length} types and shapes inferred`)
    upgradeTo(model, fused.some(({ opType }) => opType in NORMALIZATIONS) ? LAYER_NORM_OPSET : LEAST_OPSET, context)
    for (const graph of model.graphs()) expandIn(graph, model, context)
  },
})

function isFused({ domain, opType }: Node): boolean {
  return domain === 'com.microsoft' && Object.hasOwn(EXPANSIONS, opType)
}

function expandIn(graph: Graph, model: Model, context: PassContext): void {
  const constants = new Constants(model)
  const builder = new NodeBuilder(graph)
  for (const node of graph.nodes.filter(isFused)) {
    const expand = EXPANSIONS[node.opType] as Expansion
    const where = String(node)
    const result = expand(new FusedOp(node, builder, constants, model.opsets.get('') ?? 1))
    if (typeof result === 'string') context.note(`${where} was left alone: ${result}`)
    else {
      replaceExpanded(node, result)
      context.change(where, 'expanded')
    }
  }
}
