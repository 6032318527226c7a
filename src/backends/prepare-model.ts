/**
 * What the model itself is given before it is built, where the builder has no option for it: QuantizeLinear and
 * DequantizeLinear (`int8`, `fp8`), and then the types of mixed precision (`fp16`, `bf16`).
 *
 * It happens where the build does, in the child process by default, so that the caller's event loop is not held.
 */
import { type PassReport, quantize, transform } from '../onnx/index.js'
import { readSource } from '../onnx/model/read.js'
import { takeInside } from '../onnx/model/take-inside.js'
import { carriedType, convertPrecision } from '../onnx/passes/convert-precision.js'
import type { LowType } from '../onnx/passes/precision/weights.js'
import { quantizationNodes } from '../onnx/passes/quantization/check.js'
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
  { quantize: quantization, convertTo }: Preparation,
  signal: AbortSignal,
): Promise<PreparedModel> {
  if (quantization === undefined && convertTo === undefined) return { model: source, warnings: [], notes: [] }
  const model = readSource(source)
  const reports: [type: string, report: PassReport][] = []
  const warnings: string[] = []
  if (quantization !== undefined) {
    const carried = quantizationNodes(model).length > 0
    const [report] = (await transform(model, [quantize(quantization)], { signal })) as [PassReport]
    if (carried) warnings.push(...report.notes.map((note) => `${quantization.to}: ${note}`))
    else reports.push([quantization.to, report])
  }
  if (convertTo !== undefined) {
    const carried = carriedType(model)
    if (carried === undefined) {
      const [report] = (await transform(model, [convertPrecision({ to: convertTo })], { signal })) as [PassReport]
      reports.push([convertTo, report])
    } else if (carried !== convertTo) {
      warnings.push(`${convertTo}: the model is built as it is, as it carries ${carried} already`)
    }
  }
  if (reports.length === 0) return { model: source, warnings, notes: [] }
  takeInside(model)
  return {
    model: { bytes: model.toBytes() },
    warnings: [...warnings, ...reports.map(summary)],
    notes: reports.flatMap(([, { notes }]) => notes),
  }
}

function summary([to, { figures }]: readonly [string, PassReport]): string {
  const counts = Object.entries(figures).filter(([, count]) => count > 0)
  return `the model was converted to ${to}: ${counts.map(([name, count]) => `${count} ${name}`).join('; ')}`
}
