// What only a GPU can show: that engines run and compute what the model says, and that TensorRT's builder makes
// something of each option. Skipped, with the reason, where no GPU and TensorRT are. `npm run test:gpu` runs only these.

import * as trt from 'tensorrt-node'
import { beforeAll, describe, expect, it } from 'vitest'
import { inferenceObstacle } from '#dist/backends/tensorrt/tensorrt-backend.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'

const CHANNELS = 64
const DIMS = [2, CHANNELS, 16, 16]

/** Two convolutions beside each other, added: large enough for fp16, sparsity and streams to matter. */
const model = makeModel({
  inputs: { x: ['float32', ['batch', CHANNELS, 16, 16]] },
  outputs: { y: ['float32', ['batch', CHANNELS, 16, 16]] },
  initializers: { a: weights(1), b: weights(2) },
  nodes: [
    node('Conv', ['x', 'a'], ['left'], { pads: [1, 1, 1, 1] }),
    node('Conv', ['x', 'b'], ['right'], { pads: [1, 1, 1, 1] }),
    node('Add', ['left', 'right'], ['sum']),
    node('Relu', ['sum'], ['y']),
  ],
})
const shapes = { x: { min: [1, CHANNELS, 16, 16], opt: DIMS, max: [4, CHANNELS, 16, 16] } }

function weights(seed: number) {
  const values = Array.from({ length: CHANNELS * CHANNELS * 9 }, (_, index) => Math.sin(index * seed + seed) / 24)
  return constant('float32', [CHANNELS, CHANNELS, 3, 3], values)
}

function input(): trt.Tensor<'float32'> {
  const count = DIMS.reduce((a, b) => a * b)
  return new trt.Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, index) => Math.cos(index)),
    DIMS,
  )
}

function dataOf({ y }: trt.Results): Float32Array {
  if (!(y?.data instanceof Float32Array)) throw new Error('the engine gave no float32 output y')
  return y.data
}

describe.each(['tensorrt', 'tensorrt-rtx'] as const)('%s', (backend) => {
  let obstacle: string | undefined
  beforeAll(async () => {
    obstacle = await inferenceObstacle(backend)
  })
  const build = (options: Partial<trt.BuildOptions> = {}) =>
    trt.buildEngine({ onnx: model, shapes, backend, ...options })

  async function maxError(plan: Uint8Array): Promise<number> {
    const cpu = await trt.buildEngine({ onnx: model, shapes, backend: 'onnxruntime' })
    await using expected = await trt.loadEngine(cpu.plan)
    await using engine = await trt.loadEngine(plan)
    const reference = dataOf(await expected.infer({ x: input() }))
    const computed = dataOf(await engine.infer({ x: input() }))
    return computed.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (reference[at] ?? 0))), 0)
  }

  it('computes what the CPU backend computes', async (context) => {
    if (obstacle !== undefined) context.skip(obstacle)
    expect(await maxError((await build({ tf32: false })).plan)).toBeLessThan(1e-4)
  })

  it('computes in fp16 within half precision', async (context) => {
    if (obstacle !== undefined) context.skip(obstacle)
    expect(await maxError((await build({ fp16: true })).plan)).toBeLessThan(2e-2)
  })

  it('serves overlapping calls with their own results', async (context) => {
    if (obstacle !== undefined) context.skip(obstacle)
    await using engine = await trt.loadEngine((await build()).plan)
    const scaled = (factor: number) =>
      new trt.Tensor(
        'float32',
        input().data.map((value) => value * factor),
        DIMS,
      )
    const results = await Promise.all([1, 2, 4, 8].map((factor) => engine.infer({ x: scaled(factor) })))
    const [first, ...others] = results.map((result) => dataOf(result)[100] ?? Number.NaN)
    expect(others).toEqual([2, 4, 8].map((factor) => expect.closeTo((first ?? Number.NaN) * factor, 2)))
  })

  it.for<[string, Partial<trt.BuildOptions>]>([
    ['tf32', { tf32: false }],
    ['versionCompatible', { versionCompatible: true }],
    ['hardwareCompatibility', { hardwareCompatibility: 'ampere+' }],
    ['refittable', { refittable: true }],
    ['stripPlan', { stripPlan: true }],
    ['profilingVerbosity', { profilingVerbosity: 'detailed' }],
    ['workspace', { workspace: 1 }],
    ['sparsity', { sparsity: true }],
    ['weightStreaming', { weightStreaming: true, stronglyTyped: true }],
  ])('%s: the plan differs, or the build fails, or the option is refused', async ([, options], context) => {
    if (obstacle !== undefined) context.skip(obstacle)
    const plain = await build()
    const built = await build(options).catch((error: trt.TrtError) => error)
    if (built instanceof trt.TrtError) return expect(['UNSUPPORTED', 'BUILD_FAILED']).toContain(built.code)
    expect(Buffer.compare(built.plan, plain.plan)).not.toBe(0)
  })
})
