/**
 * `fp16` and `bf16` where the builder has no such flag: the model itself gets the types, by the pass convert-precision.
 *
 * It happens where the build does, in the child process by default, so that the caller's event loop is not held.
 */
import { TrtError } from '../../errors.js'
import { type Model, type PassReport, read, transform } from '../../onnx/index.js'
import { carriedType, convertPrecision } from '../../onnx/passes/convert-precision.js'
import type { LowType } from '../../onnx/passes/precision/weights.js'
import type { BuildSettings, ModelSource } from '../backend.js'
import type { AddonFamily } from './addon.js'

/** What is left to the builder, and what the model is converted to first. */
export interface PlannedConversion {
  readonly settings: BuildSettings
  /** Undefined where the builder does all. */
  readonly convertTo: LowType | undefined
}

/** @throws {TrtError} `UNSUPPORTED` for both types at once, and for bf16 on GPUs that have none */
export function planConversion(family: AddonFamily, settings: BuildSettings): PlannedConversion {
  const { fp16 = false, bf16 = false, ...rest } = settings
  const byFlag = family === 'trt10' && settings.stronglyTyped !== true
  if (byFlag || (!fp16 && !bf16)) return { settings, convertTo: undefined }
  if (fp16 && bf16) {
    throw new TrtError('UNSUPPORTED', 'expected fp16 or bf16, received both: the model is converted to one type', {
      hint: 'leave one out; TensorRT 10 takes both, without stronglyTyped',
    })
  }
  if (bf16 && rest.computeCapabilities?.includes('7.5')) {
    throw new TrtError('UNSUPPORTED', 'bf16: GPUs of compute capability 7.5 have no bfloat16', {
      hint: 'use fp16, or leave 7.5 out of target.computeCapabilities',
    })
  }
  return { settings: rest, convertTo: fp16 ? 'float16' : 'bfloat16' }
}

/** A converted model, and what is to be said of it. */
export interface ConvertedModel {
  readonly model: ModelSource
  readonly warnings: readonly string[]
  /** For the log. */
  readonly notes: readonly string[]
}

/**
 * Converts a model; one that carries float16 or bfloat16 stays as it is.
 *
 * @throws {TrtError} what reading and converting throw; `UNSUPPORTED` where the result is longer than an array can be
 */
export async function convertModel(source: ModelSource, to: LowType, signal: AbortSignal): Promise<ConvertedModel> {
  const model = await read('path' in source ? source.path : source.bytes)
  const carried = carriedType(model)
  if (carried !== undefined) {
    const warnings = carried === to ? [] : [`${to}: the model is built as it is, as it carries ${carried} already`]
    return { model: source, warnings, notes: [] }
  }
  const [report] = (await transform(model, [convertPrecision({ to })], { signal })) as [PassReport]
  takeInside(model)
  return { model: { bytes: model.toBytes() }, warnings: [summary(to, report)], notes: report.notes }
}

/** Bytes have no folder, so what is outside the model has to come in. */
function takeInside(model: Model): void {
  for (const graph of model.graphs()) {
    for (const tensor of graph.initializers) {
      if (!tensor.isExternal) continue
      tensor.set({ type: tensor.type, dims: tensor.dims, data: tensor.bytes() })
    }
  }
}

function summary(to: LowType, { figures }: PassReport): string {
  const counts = Object.entries(figures).filter(([, count]) => count > 0)
  return `the model was converted to ${to}: ${counts.map(([name, count]) => `${count} ${name}`).join('; ')}`
}
