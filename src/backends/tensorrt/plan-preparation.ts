/** What is left to TensorRT's builder, and what the model is given first: each family has its own flags. */
import { TrtError } from '../../errors.js'
import type { BuildSettings } from '../backend.js'
import { type Preparation, quantizationOf } from '../prepare-model.js'
import type { AddonFamily } from './addon.js'

/** What the builder is told, and what is done to the model before. */
export interface PlannedPreparation {
  readonly settings: BuildSettings
  readonly preparation: Preparation
}

/** GPUs that do not have a type, out of those that can be built for. */
const WITHOUT = { bf16: ['7.5'], fp8: ['7.5', '8.0', '8.6'] } as const

/**
 * A quantised network is strongly typed on TensorRT 10 too: else its builder would take int8 as leave, not as order.
 *
 * @throws {TrtError} `UNSUPPORTED` for two types that exclude each other, and for GPUs that have none of a type
 */
export function planPreparation(family: AddonFamily, settings: BuildSettings): PlannedPreparation {
  const { fp16 = false, bf16 = false, int8, fp8, ...rest } = settings
  const quantization = quantizationOf(settings)
  for (const [type, asked] of [
    ['bf16', bf16],
    ['fp8', fp8 !== undefined],
  ] as const) {
    const lacking = asked && rest.computeCapabilities?.find((gpu) => WITHOUT[type].includes(gpu as never))
    if (lacking) {
      throw new TrtError('UNSUPPORTED', `${type}: GPUs of compute capability ${lacking} do not have it`, {
        hint: `use ${type === 'bf16' ? 'fp16' : 'int8'}, or leave ${lacking} out of target.computeCapabilities`,
      })
    }
  }
  if (quantization !== undefined && rest.stronglyTyped === false) {
    throw new TrtError('UNSUPPORTED', 'stronglyTyped: false: a quantised network takes all types from the model', {
      hint: 'leave stronglyTyped out',
    })
  }
  const isTyped = family !== 'trt10' || rest.stronglyTyped === true || quantization !== undefined
  if (!isTyped) return { settings, preparation: {} }
  if (fp16 && bf16) {
    throw new TrtError('UNSUPPORTED', 'expected fp16 or bf16, received both: the model is converted to one type', {
      hint: 'leave one out; TensorRT 10 takes both, without stronglyTyped',
    })
  }
  const convertTo = fp16 ? 'float16' : bf16 ? 'bfloat16' : undefined
  return {
    settings: family === 'trt10' ? { ...rest, stronglyTyped: true } : rest,
    preparation: { quantize: quantization, convertTo },
  }
}
