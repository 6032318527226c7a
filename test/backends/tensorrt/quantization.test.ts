// TensorRT-RTX's real builder takes what int8 and fp8 make of trained models, for both generations of GPUs that have them; of
// all trained models, `npm run quantization` shows it (docs/quantization.md).
import * as trt from 'tensorrt-node'
import { expect, it } from 'vitest'
import { planPreparation } from '#dist/backends/tensorrt/plan-preparation.js'
import { failure } from '../../helpers/errors.ts'
import { constant, makeModel, node } from '../../helpers/onnx-model.ts'
import { feedsOf, installed, realModel } from '../../onnx/helpers/models.js'
import { needsRtx } from './rtx.ts'

needsRtx()

const TARGET = { computeCapabilities: ['8.9', '12.0'] } as const

it.for([
  ['magika', 'int8', 'int8+fp32'],
  ['magika', 'fp8', 'fp8+fp32'],
  ['mtcnn-onet', 'int8', 'int8+fp32'],
  ['mtcnn-onet', 'fp8', 'fp8+fp32'],
  ['pp-ocrv4-rec', 'int8', 'int8+fp32'],
] as const)('%s in %s', async ([name, type, precision], ctx) => {
  const model = realModel(name)
  const feeds = feedsOf(model, 1)
  const built = await trt.buildEngine({
    onnx: installed(ctx, model),
    shapes: Object.fromEntries(Object.entries(feeds).map(([input, { dims }]) => [input, dims])),
    backend: 'tensorrt-rtx',
    target: TARGET,
    [type]: { calibration: [feeds], method: 'max' },
  })
  expect(built.precision).toBe(precision)
  expect(built.computeCapabilities).toEqual(TARGET.computeCapabilities)
  expect(built.warnings).toContainEqual(
    expect.stringMatching(/^the model was converted to (int8|float8e4m3fn): .*nodes/),
  )
})

it('int8 where it is fast, and fp16 for what stays', async (ctx) => {
  const model = realModel('pp-ocrv4-cls')
  const feeds = feedsOf(model, 1)
  const built = await trt.buildEngine({
    onnx: installed(ctx, model),
    shapes: { x: [2, 3, 48, 192] },
    backend: 'tensorrt-rtx',
    target: TARGET,
    int8: { calibration: [feeds], method: 'max' },
    fp16: true,
  })
  expect(built.precision).toMatch(/^int8\+fp16/)
})

it('quantises what a repair brought out of nested Ifs, by samples that have an input which is a constant now', async () => {
  const y = (op: string) => ({ [`${op}_y`]: ['float32', ['N', 32]] as const })
  const branch = (op: string) => ({ outputs: y(op), nodes: [node(op, ['x'], [`${op}_y`])] })
  const product = { outputs: y('MatMul'), nodes: [node('MatMul', ['x', 'w'], ['MatMul_y'])] }
  const inner = node('If', ['is_16k'], ['If_y'], { then_branch: product, else_branch: branch('Abs') })
  const onnx = makeModel({
    inputs: { x: ['float32', ['N', 32]], rate: ['int64', []] },
    outputs: { y: ['float32', ['N', 32]] },
    initializers: {
      k16: constant('int64', [], [16_000]),
      w: constant(
        'float32',
        [32, 32],
        Array.from({ length: 1024 }, (_, at) => Math.sin(at)),
      ),
    },
    nodes: [
      node('Equal', ['rate', 'k16'], ['is_16k']),
      node('If', ['is_16k'], ['y'], {
        then_branch: { outputs: y('If'), nodes: [inner] },
        else_branch: branch('Exp'),
      }),
    ],
  })
  const sample = {
    x: new trt.Tensor('float32', new Float32Array(32).fill(2), [1, 32]),
    rate: new trt.Tensor('int64', BigInt64Array.of(16_000n), []),
  }
  // With a fixed shape the builder takes the Ifs.
  const shapes = { x: { min: [1, 32], opt: [2, 32], max: [4, 32] } }
  const rest = { onnx, shapes, backend: 'tensorrt-rtx', target: TARGET, repair: true } as const
  const built = await trt.buildEngine({ ...rest, int8: { calibration: [sample], method: 'max' } })
  expect(built.repair?.outcome).toBe('repaired')
  expect(built.precision).toBe('int8+fp32')
  expect(built.warnings).toContainEqual(expect.stringMatching(/^the model was converted to int8: 1 nodes quantised/))
})

it('refuses fp8 for GPUs without it, and a quantised network that is to be weakly typed', async (ctx) => {
  const onnx = installed(ctx, realModel('magika'))
  const fp8 = { calibration: {} }
  const tooOld = await failure('UNSUPPORTED', () =>
    trt.buildEngine({
      onnx,
      shapes: { bytes: [1, 2048] },
      backend: 'tensorrt-rtx',
      target: { computeCapabilities: ['8.0', '12.0'] },
      fp8,
    }),
  )
  expect(tooOld.message).toMatch(/fp8.*8\.0/)
  const ranges = {}
  await failure('UNSUPPORTED', async () => planPreparation('trt10', { int8: { ranges }, stronglyTyped: false }))
})

it('TensorRT 10 gets a strongly typed network, without flags for types', () => {
  const int8 = { ranges: { x: 1 } }
  expect(planPreparation('trt10', { int8, fp16: true, tf32: false })).toEqual({
    settings: { stronglyTyped: true, tf32: false },
    preparation: { quantize: { ...int8, to: 'int8' }, convertTo: 'float16' },
  })
  expect(planPreparation('trt10', { fp16: true })).toEqual({ settings: { fp16: true }, preparation: {} })
})
