/** What `bisect` makes of a model, but for some nodes: a smaller float type, or 8 bits. */
import {
  type ConvertPrecisionOptions,
  convertPrecision,
  type Model,
  type Node,
  type QuantizeOptions,
  quantize,
  type Transform,
} from '../onnx/index.js'
import { carriedType, nodesToConvert } from '../onnx/passes/convert-precision.js'
import { LIMITS } from '../onnx/passes/precision/weights.js'
import { quantizationNodes } from '../onnx/passes/quantization/check.js'
import { planQuantization, SELECTION_DEFAULTS } from '../onnx/passes/quantization/plan.js'

/** Options of the conversion that `bisect` looks for exceptions from. */
export interface LoweringOptions {
  readonly to?: ConvertPrecisionOptions['to']
  readonly conversion?: Partial<Omit<ConvertPrecisionOptions, 'to' | 'emulate'>>
  readonly quantization?: Partial<QuantizeOptions>
}

/** See the head of this file. */
export interface Lowering {
  /** Magnitudes beyond it overflow. */
  readonly greatest: number
  /** What the model carries already of what it would be given. */
  carried(model: Model): string | undefined
  /** The nodes that get the smaller type when these are kept. */
  nodes(model: Model, keepNodes: readonly string[]): readonly Node[]
  /** @param emulate computes in float32 with every value rounded, where the CPU would hide what the type does */
  transform(keepNodes: readonly string[], emulate: boolean): Transform
}

/** @returns the one that the options ask for */
export function loweringOf({ to = 'float16', conversion = {}, quantization }: LoweringOptions): Lowering {
  return quantization === undefined ? converting({ ...conversion, to }) : quantizing(quantization)
}

/** Options that keep these nodes as well. */
function keeping<T extends { readonly keepNodes?: readonly string[] | undefined }>(
  options: T,
  keepNodes: readonly string[],
) {
  return { ...options, keepNodes: [...(options.keepNodes ?? []), ...keepNodes] }
}

function converting(options: Partial<ConvertPrecisionOptions> & Pick<ConvertPrecisionOptions, 'to'>): Lowering {
  return {
    greatest: LIMITS[options.to].greatest,
    carried: carriedType,
    // Weights in Constant nodes go with who reads them.
    nodes: (model, keepNodes) =>
      nodesToConvert(model, keeping(options, keepNodes)).filter(({ opType }) => opType !== 'Constant'),
    transform: (keepNodes, emulate) => convertPrecision({ ...keeping(options, keepNodes), emulate }),
  }
}

function quantizing(options: Partial<QuantizeOptions>): Lowering {
  return {
    // What is beyond its range is cut off.
    greatest: Infinity,
    carried: (model) => (quantizationNodes(model).length > 0 ? 'QuantizeLinear and DequantizeLinear' : undefined),
    nodes: (model, keepNodes) =>
      planQuantization(model, { ...SELECTION_DEFAULTS, ...keeping(options, keepNodes) })
        .nodes.filter(({ activation }) => Number.isFinite(options.ranges?.[activation.name]))
        .map(({ node }) => node),
    // onnxruntime computes QuantizeLinear and DequantizeLinear as they are.
    transform: (keepNodes) => quantize(keeping(options, keepNodes)),
  }
}
