/**
 * What the model itself is given before it is built, where the builder has no option for it: QuantizeLinear and
 * DequantizeLinear (`int8`, `fp8`), and then the types of mixed precision (`fp16`, `bf16`).
 *
 * It happens where the build does, in the child process by default, so that the caller's event loop is not held.
 */
import type { LowType } from '../onnx/passes/precision/weights.js'
import type { QuantizedType } from '../onnx/passes/quantization/weights.js'
import type { BuildSettings, ModelSource, QuantizationSettings } from './backend.js'

/** What is to be done to a model. */
export interface Preparation {
  readonly quantize?: (QuantizationSettings & { readonly to: QuantizedType }) | undefined
  readonly convertTo?: LowType | undefined
}

/** A prepared model, and what is to be said of it. */
export interface PreparedModel {
  readonly model: ModelSource
  readonly warnings: readonly string[]
  /** For the log. */
  readonly notes: readonly string[]
}

/** The quantisation that the settings ask for. */
export function quantizationOf({ int8, fp8 }: BuildSettings): Preparation['quantize'] {
  if (int8 !== undefined) return { ...int8, to: 'int8' }
  return fp8 && { ...fp8, to: 'float8e4m3fn' }
}

/**
 * Quantises and converts a model; one that carries QuantizeLinear, or float16 or bfloat16, already is not given them again.
 *
 * @throws {TrtError} what reading and the passes throw; `UNSUPPORTED` where the result is longer than an array can be
 */
export async function prepareModel(
  source: ModelSource,
  preparation: Preparation,
  signal: AbortSignal,
): Promise<PreparedModel> {
  if (preparation.quantize === undefined && preparation.convertTo === undefined) {
    return { model: source, warnings: [], notes: [] }
  }
  // The two hundred files of the passes are loaded by builds that need them, and by no child process that just runs a model.
  const { quantizeAndConvert } = await import('./quantize-and-convert.js')
  return quantizeAndConvert(source, preparation, signal)
}
