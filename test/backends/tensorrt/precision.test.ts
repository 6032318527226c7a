// TensorRT-RTX's real builder takes what fp16 and bf16 make of trained models, and says that they are mixed.
//
// Four are mended first, as TensorRT-RTX 1.7 refuses them in float32 too: smart-turn-v3.2 (a DequantizeLinear of int32),
// silero-vad, -16k and -half (If inside If).
import * as trt from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.ts'
import { installed, realModel } from '../../onnx/helpers/models.js'
import { needsRtx } from './rtx.ts'

needsRtx()

type Shapes = Readonly<Record<string, readonly number[]>>
type Type = 'fp16' | 'bf16'

/** Dimensions of one name have to be equal for TensorRT: hence 8 × 8 tokens, and squares for PP-OCRv2. */
const MODELS: readonly (readonly [name: string, shapes: Shapes, types: readonly Type[]])[] = [
  ['all-minilm-l6-v2', { input_ids: [8, 8], attention_mask: [8, 8], token_type_ids: [8, 8] }, ['fp16']],
  ['basic-pitch', { 'serving_default_input_2:0': [1, 43_844, 1] }, ['fp16']],
  ['magika', { bytes: [1, 2048] }, ['fp16', 'bf16']],
  ['mtcnn-onet', { input_3: [2, 48, 48, 3] }, ['fp16', 'bf16']],
  ['mtcnn-pnet', { input_1: [1, 24, 32, 3] }, ['fp16', 'bf16']],
  ['mtcnn-rnet', { input_2: [2, 24, 24, 3] }, ['fp16']],
  ['pp-ocrv2-cls', { x: [2, 3, 48, 48] }, ['fp16']],
  ['pp-ocrv4-cls', { x: [2, 3, 48, 192] }, ['fp16']],
  // bfloat16 too: TensorRT-RTX has no ConvTranspose of it.
  ['pp-ocrv4-det', { x: [1, 3, 96, 160] }, ['fp16', 'bf16']],
  ['pp-ocrv4-rec', { x: [1, 3, 48, 160] }, ['fp16']],
  ['pp-ocrv6-det', { x: [1, 3, 96, 160] }, ['fp16']],
  ['pp-ocrv6-rec', { x: [1, 3, 48, 160] }, ['fp16']],
  ['silero-vad-ifless', { input: [1, 576], state: [2, 1, 128] }, ['fp16']],
]

describe.each(MODELS)('%s', (name, shapes, types) => {
  it.for(types)('%s', async (type, ctx) => {
    const built = await trt.buildEngine({
      onnx: installed(ctx, realModel(name)),
      shapes,
      backend: 'tensorrt-rtx',
      target: { computeCapabilities: ['8.9'] },
      [type]: true,
    })
    expect(built.precision).toBe(`${type}+fp32`)
    expect(built.warnings).toContainEqual(expect.stringMatching(/^the model was converted to b?float16: .*nodes in/))
  })
})

const state = [2, 1, 128]
const MENDED: readonly (readonly [name: string, shapes: Shapes, precision: string])[] = [
  ['smart-turn-v3.2', {}, 'int8+fp16+fp32'],
  ['silero-vad', { input: [1, 576], state }, 'fp16+fp32'],
  ['silero-vad-16k', { input: [1, 576], state }, 'fp16+fp32'],
  ['silero-vad-half', { input: [1, 576], state }, 'fp16+fp32'],
]

it.for(MENDED)('%s, repaired, fp16', async ([name, shapes, precision], ctx) => {
  const built = await trt.buildEngine({
    onnx: installed(ctx, realModel(name)),
    shapes,
    backend: 'tensorrt-rtx',
    target: { computeCapabilities: ['8.9'] },
    fp16: true,
    repair: true,
  })
  expect(built.precision).toBe(precision)
  expect(built.repair).toMatchObject({ outcome: 'repaired', proof: { verdict: 'equal' } })
})

it('refuses both types at once, and bf16 for GPUs without it', async (ctx) => {
  const onnx = installed(ctx, realModel('mtcnn-pnet'))
  const rest = { onnx, shapes: { input_1: [1, 24, 32, 3] }, backend: 'tensorrt-rtx' } as const
  const both = await failure('UNSUPPORTED', () => trt.buildEngine({ ...rest, fp16: true, bf16: true }))
  expect(both.message).toMatch(/both/)
  const target = { computeCapabilities: ['7.5'] } as const
  const tooOld = await failure('UNSUPPORTED', () => trt.buildEngine({ ...rest, bf16: true, target }))
  expect(tooOld.message).toMatch(/bf16.*7\.5/)
})
