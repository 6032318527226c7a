import { addLoopCondition } from './add-loop-condition.js'
import { addTripCount } from './add-trip-count.js'
import { append } from './append.js'
import { castInt64 } from './cast-int64.js'
import { clampWeights } from './clamp-weights.js'
import { convertPrecision } from './convert-precision.js'
import { decomposePrelu } from './decompose-prelu.js'
import { dedupe } from './dedupe.js'
import { dequantizeLstm } from './dequantize-lstm.js'
import { expandFusedOps } from './expand-fused-ops.js'
import { expandQuantizedOps } from './expand-quantized-ops.js'
import { extract } from './extract.js'
import { fixInput } from './fix-input.js'
import { fixInstanceNormEpsilon } from './fix-instance-norm-epsilon.js'
import { fixPreluSlope } from './fix-prelu-slope.js'
import { foldConstants } from './fold-constants.js'
import { fuseAttentionMask } from './fuse-attention-mask.js'
import { fuseGelu } from './fuse-gelu.js'
import { fuseLayerNorm } from './fuse-layer-norm.js'
import { inferShapes } from './infer-shapes.js'
import { inlineFunctions } from './inline-functions.js'
import { insertOutput } from './insert-output.js'
import { lowerAsymmetricQuantization } from './lower-asymmetric-quantization.js'
import { lowerDynamicQuantization } from './lower-dynamic-quantization.js'
import { lowerPlugins } from './lower-plugins.js'
import { markIntermediates } from './mark-intermediates.js'
import type { Pass } from './pass.js'
import { quantize } from './quantize.js'
import { removeIf } from './remove-if.js'
import { renameOp } from './rename-op.js'
import { renameRepeatedDims } from './rename-repeated-dims.js'
import { renameValues } from './rename-values.js'
import { replaceSubgraph } from './replace-subgraph.js'
import { rewriteFocus } from './rewrite-focus.js'
import { setAttribute } from './set-attribute.js'
import { setBatch } from './set-batch.js'
import { setShape } from './set-shape.js'
import { simplify } from './simplify.js'
import { stripDoc } from './strip-doc.js'
import { upgradeOpset } from './upgrade-opset.js'
import { usePlugins } from './use-plugins.js'

export { addLoopCondition } from './add-loop-condition.js'
export { addTripCount } from './add-trip-count.js'
export { type AppendOptions, append } from './append.js'
export { type CastInt64Options, castInt64 } from './cast-int64.js'
export { type ClampWeightsOptions, clampWeights } from './clamp-weights.js'
export { type ConvertPrecisionOptions, convertPrecision } from './convert-precision.js'
export { type DecomposePreluOptions, decomposePrelu } from './decompose-prelu.js'
export { dedupe } from './dedupe.js'
export { dequantizeLstm } from './dequantize-lstm.js'
export { expandFusedOps } from './expand-fused-ops.js'
export { expandQuantizedOps } from './expand-quantized-ops.js'
export { type ExtractOptions, extract } from './extract.js'
export { type FixInputOptions, fixInput } from './fix-input.js'
export { type FixInstanceNormEpsilonOptions, fixInstanceNormEpsilon } from './fix-instance-norm-epsilon.js'
export { fixPreluSlope } from './fix-prelu-slope.js'
export { type FoldConstantsOptions, foldConstants } from './fold-constants.js'
export { fuseAttentionMask } from './fuse-attention-mask.js'
export { fuseGelu } from './fuse-gelu.js'
export { fuseLayerNorm } from './fuse-layer-norm.js'
export { type InferShapesOptions, inferShapes } from './infer-shapes.js'
export { inlineFunctions } from './inline-functions.js'
export { type InsertOutputOptions, insertOutput } from './insert-output.js'
export { lowerAsymmetricQuantization } from './lower-asymmetric-quantization.js'
export { lowerDynamicQuantization } from './lower-dynamic-quantization.js'
export { lowerPlugins } from './lower-plugins.js'
export { type MarkIntermediatesOptions, markIntermediates } from './mark-intermediates.js'
export {
  type Change,
  definePass,
  type OptionKind,
  type OptionSpec,
  type Pass,
  type PassContext,
  type PassDefinition,
  type PassReport,
  type Transform,
  type TransformControl,
} from './pass.js'
export { QUANTIZABLE, type QuantizationSelection } from './quantization/plan.js'
export type { QuantizedType } from './quantization/weights.js'
export { type QuantizeOptions, quantize } from './quantize.js'
export { type RemoveIfOptions, removeIf } from './remove-if.js'
export { type RenameOpOptions, renameOp } from './rename-op.js'
export { renameRepeatedDims } from './rename-repeated-dims.js'
export { type RenameValuesOptions, renameValues } from './rename-values.js'
export { type ReplaceSubgraphOptions, replaceSubgraph } from './replace-subgraph.js'
export { type RewriteFocusOptions, rewriteFocus } from './rewrite-focus.js'
export type { NodeSelection } from './select-nodes.js'
export { type SetAttributeOptions, setAttribute } from './set-attribute.js'
export { type SetBatchOptions, setBatch } from './set-batch.js'
export { type SetShapeOptions, setShape } from './set-shape.js'
export { type SimplifyOptions, simplify } from './simplify.js'
export { type StripDocOptions, stripDoc } from './strip-doc.js'
export { type TransformOptions, transform } from './transform.js'
export { type UpgradeOpsetOptions, upgradeOpset } from './upgrade-opset.js'
export { type UsePluginsOptions, usePlugins } from './use-plugins.js'
export type { Verification, VerifyOptions } from './verifier.js'

/** Every pass, by name. */
export const PASSES: ReadonlyMap<string, Pass> = new Map(
  [
    addLoopCondition,
    addTripCount,
    append,
    castInt64,
    clampWeights,
    convertPrecision,
    decomposePrelu,
    dedupe,
    dequantizeLstm,
    expandFusedOps,
    expandQuantizedOps,
    extract,
    fixInput,
    fixInstanceNormEpsilon,
    fixPreluSlope,
    foldConstants,
    fuseAttentionMask,
    fuseGelu,
    fuseLayerNorm,
    inferShapes,
    inlineFunctions,
    insertOutput,
    lowerAsymmetricQuantization,
    lowerDynamicQuantization,
    lowerPlugins,
    markIntermediates,
    quantize,
    removeIf,
    renameOp,
    renameRepeatedDims,
    renameValues,
    replaceSubgraph,
    rewriteFocus,
    setAttribute,
    setBatch,
    setShape,
    simplify,
    stripDoc,
    upgradeOpset,
    usePlugins,
  ].map((pass) => [pass.passName, pass as Pass]),
)
