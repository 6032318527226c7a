// Where QuantizeLinear and DequantizeLinear go, and what they hold; that TensorRT-RTX builds it is in
// test/backends/tensorrt/quantization.test.ts.
import fc from 'fast-check'
import { Tensor, type TrtError } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { numberToFloat8 } from '#dist/npy/half.js'
import { toInt8 } from '#dist/onnx/passes/quantization/weights.js'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { applied, checkedByPython } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { randomModel } from '../helpers/random-graph.js'

const TYPES = ['int8', 'float8e4m3fn'] as const
const AS_IT_IS = { graphOptimizationLevel: 'disabled', extra: { session: { x64quantprecision: '1' } } } as const

const ramp = (count: number, scale: number) => Array.from({ length: count }, (_, i) => scale * Math.sin(i))
const zeros = (count: number) => new Array<number>(count).fill(0)

/**
 * Two convolutions with bias, a residual of the first one's input, a product with weights, one without, and convolutions that
 * stay: of few channels, and inside a branch.
 */
const bytes = makeModel({
  inputs: { x: ['float32', [1, 16, 4, 4]], go: ['bool', []] },
  outputs: { y: ['float32', [1, 16, 4, 16]], few: ['float32', [1, 2, 4, 4]], branch: ['float32', [1, 16, 4, 4]] },
  initializers: {
    w1: constant('float32', [32, 16, 1, 1], ramp(512, 0.2)),
    b1: constant('float32', [1, 32, 1, 1], ramp(32, 1)),
    // The last channel has nothing but zeros.
    w2: constant('float32', [16, 32, 1, 1], [...ramp(480, 30), ...zeros(32)]),
    w3: constant('float32', [4, 16], ramp(64, 1)),
    w4: constant('float32', [2, 16, 1, 1], ramp(32, 1)),
    w5: constant('float32', [16, 16, 1, 1], ramp(256, 1)),
  },
  nodes: [
    node('Conv', ['x', 'w1'], ['c1']),
    node('Add', ['c1', 'b1'], ['biased']),
    node('Relu', ['biased'], ['r1']),
    node('Conv', ['r1', 'w2'], ['c2']),
    node('Add', ['x', 'c2'], ['sum']),
    node('MatMul', ['sum', 'w3'], ['product']),
    node('MatMul', ['sum', 'product'], ['y']),
    node('Conv', ['x', 'w4'], ['few']),
    node('If', ['go'], ['branch'], {
      then_branch: { outputs: { t: ['float32'] }, nodes: [node('Conv', ['x', 'w5'], ['t'])] },
      else_branch: { outputs: { e: ['float32'] }, nodes: [node('Identity', ['x'], ['e'])] },
    }),
  ],
})
const RANGES = { x: 1, r1: 4, sum: 100 }
/** Of the product with 4 rows. */
const SELECTION = { minChannels: 4 }

const read = () => onnx.read(bytes)

/** What a node reads, as the op that gives it. */
const givers = (model: onnx.Model, name: string) =>
  model.graph.node(name)?.inputs.map((value) => value?.producer?.opType ?? value?.name)

describe('quantize', () => {
  it.each(TYPES)('%s: puts pairs on inputs, weights and residuals, and nowhere else', async (to) => {
    const model = await read()
    const { notes, figures } = await applied(model, onnx.quantize({ to, ranges: RANGES, ...SELECTION }))
    expect(givers(model, 'c1')).toEqual(['DequantizeLinear', 'DequantizeLinear'])
    expect(givers(model, 'c2')).toEqual(['DequantizeLinear', 'DequantizeLinear'])
    expect(givers(model, 'sum')).toEqual(['DequantizeLinear', 'Conv'])
    expect(givers(model, 'product')).toEqual(['DequantizeLinear', 'DequantizeLinear'])
    // Not behind outputs, not on a bias, not on products of two activations, not on few channels.
    expect(givers(model, 'biased')).toEqual(['Conv', 'b1'])
    expect(givers(model, 'y')).toEqual(['Add', 'MatMul'])
    expect(givers(model, 'few')).toEqual(['x', 'w4'])
    // One pair for x, though three nodes read it.
    expect(model.graph.find({ opType: 'QuantizeLinear' })).toHaveLength(3)
    expect(model.graph.value('w1')).toBeUndefined()
    expect(figures).toMatchObject({ 'nodes quantised': 4, 'activations quantised': 3, 'weights quantised': 3 })
    expect(notes).toContainEqual(expect.stringMatching(/fewer than 4 channels: few$/))
    expect(notes).toContainEqual(expect.stringMatching(/graphs of nodes are not calibrated: t$/))
    expect(notes).toContainEqual(expect.stringMatching(/no constant float32 weights: y$/))
  })

  it('scales weights by channel and activations by their range, and as powers of two where asked', async () => {
    const model = await read()
    const scale = (name: string) => Array.from(model.graph.value(name)?.initializer?.toTensor().data as Float32Array)
    await onnx.transform(model, [onnx.quantize({ ranges: RANGES, ...SELECTION })])
    expect(scale('r1_scale')).toEqual([Math.fround(4 / 127)])
    const scales = scale('w2_scale')
    expect(scales).toHaveLength(16)
    expect(scales[3]).toBeCloseTo(Math.max(...ramp(480, 30).slice(96, 128).map(Math.abs)) / 127, 5)
    expect(scales[15]).toBe(1)

    const coarse = await read()
    await onnx.transform(coarse, [onnx.quantize({ ranges: RANGES, powerOfTwo: true, ...SELECTION })])
    expect(Array.from(coarse.graph.value('r1_scale')?.initializer?.toTensor().data as Float32Array)).toEqual([2 ** -4])
  })

  it('computes nearly the same, and is sound to Python', async (ctx) => {
    const python = onnxPython(ctx)
    const feeds = {
      x: new Tensor('float32', Float32Array.from(ramp(256, 1)), [1, 16, 4, 4]),
      go: new Tensor('bool', Uint8Array.of(1), []),
    }
    const reference = await runOnOnnxruntime(bytes, feeds, AS_IT_IS)
    const models: onnx.Model[] = []
    for (const to of TYPES) {
      const model = await read()
      const ranges = await onnx.calibrate(model, [feeds], { method: 'max', ...SELECTION })
      await onnx.transform(model, [onnx.quantize({ to, ranges, ...SELECTION })])
      const given = await runOnOnnxruntime(model.toBytes(), feeds, AS_IT_IS)
      const { snr } = onnx.compareTensors(reference.y as Tensor, given.y as Tensor, { atol: 0, rtol: 0 })
      // 8 bits are 48 dB, and 4 of fp8 (3 and the one that is implied) 26, of which three layers leave some.
      expect(snr).toBeGreaterThan(to === 'int8' ? 33 : 18)
      expect(snr).toBeLessThan(60)
      models.push(model)
    }
    expect(await checkedByPython(python, models)).toEqual(['', ''])
  })

  it('leaves what it is told to, and what has no range', async () => {
    const kept = await read()
    await onnx.transform(kept, [onnx.quantize({ ranges: RANGES, keepNodes: ['c*'], ...SELECTION })])
    expect(givers(kept, 'c1')).toEqual(['x', 'w1'])
    expect(givers(kept, 'sum')).toEqual(['x', 'Conv'])
    expect(givers(kept, 'product')).toEqual(['DequantizeLinear', 'DequantizeLinear'])

    const only = await read()
    await onnx.transform(only, [onnx.quantize({ ranges: RANGES, ops: ['Conv'], nodes: ['c1'], ...SELECTION })])
    expect(only.graph.find({ opType: 'QuantizeLinear' })).toHaveLength(1)

    const unknown = await read()
    const [report] = await onnx.transform(unknown, [onnx.quantize({ ranges: { x: 1, r1: Infinity }, ...SELECTION })])
    expect(givers(unknown, 'c2')).toEqual(['Relu', 'w2'])
    expect(report?.notes).toContainEqual(expect.stringMatching(/no finite range: c2, product/))
    await failure('INVALID_ARGUMENT', async () => onnx.transform(await read(), [onnx.quantize(SELECTION)]))
  })

  it('leaves a model alone that is quantised, and says what TensorRT refuses of it', async (ctx) => {
    const model = await onnx.read(installed(ctx, realModel('smart-turn-v3.2')))
    const [report] = await onnx.transform(model, [onnx.quantize({ ranges: RANGES })])
    expect(report?.changes).toEqual([])
    expect(report?.notes[0]).toMatch(/^left alone: the model carries 192 nodes/)
    expect(report?.notes).toContainEqual(expect.stringMatching(/TensorRT refuses \d+ nodes, as the type is int32/))
  })
})

it('rounds as ONNX does, every int8 and float8 among it', (ctx) => {
  const python = onnxPython(ctx)
  const values = [
    ...Array.from({ length: 4001 }, (_, i) => Math.fround((i - 2000) * 0.25)),
    ...Array.from({ length: 2000 }, (_, i) => Math.fround((i % 2 ? 1 : -1) * 2 ** (i / 100 - 12))),
    ...[0, -0, 448, 463.9, 464, 1e9, 2 ** -10, 2 ** -9, 1.5 * 2 ** -9].map(Math.fround),
  ]
  const script = `
import json, sys, numpy, ml_dtypes
x = numpy.array(json.load(open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin), dtype=numpy.float32)
print(json.dumps([
  numpy.clip(numpy.rint(x), -128, 127).astype(numpy.int8).tolist(),
  numpy.clip(x, -448, 448).astype(ml_dtypes.float8_e4m3fn).view(numpy.uint8).tolist(),
]))`
  const text = `[${values.map((x) => (Object.is(x, -0) ? '-0.0' : x)).join(',')}]`
  const [int8, float8] = JSON.parse(
    python(
      script.replace('open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin', `__import__("io").StringIO("${text}")`),
    ),
  )
  expect(values.map((x) => toInt8(x) + 0)).toEqual(int8)
  expect(values.map(numberToFloat8)).toEqual(float8)
})

it('quantises random models to sound ones that compute nearly the same', async (ctx) => {
  const python = onnxPython(ctx)
  const models: onnx.Model[] = []
  await fc.assert(
    fc.asyncProperty(
      randomModel().filter(({ bytes }) => bytes.length > 150),
      fc.constantFrom(...TYPES),
      async ({ bytes, feeds }, to) => {
        const model = await onnx.read(bytes)
        const method = { method: 'max', minChannels: 1 } as const
        const ranges = await onnx.calibrate(model, [feeds], method).catch((error: TrtError) => {
          if (error.message.includes('nothing in the model')) return undefined
          throw error
        })
        if (ranges === undefined) return
        const reference = await runOnOnnxruntime(bytes, feeds, AS_IT_IS)
        await applied(model, onnx.quantize({ to, ranges, minChannels: 1 }))
        models.push(model)
        const given = await runOnOnnxruntime(model.toBytes(), feeds, AS_IT_IS)
        for (const [name, expected] of Object.entries(reference)) {
          expect((given[name] as Tensor).dims).toEqual(expected.dims)
          const { snr } = onnx.compareTensors(expected, given[name] as Tensor, { atol: 0, rtol: 0 })
          expect(snr).toBeGreaterThan(to === 'int8' ? 10 : 6)
        }
      },
    ),
    { numRuns: 40, seed: 3 },
  )
  expect(models.length).toBeGreaterThan(8)
  expect(await checkedByPython(python, models)).toEqual(models.map(() => ''))
})

it('takes a trained model down to a quarter of its weights, and keeps what it says', async (ctx) => {
  const real = realModel('magika')
  const model = await onnx.read(installed(ctx, real))
  const feeds = feedsOf(real, 1)
  const size = () => model.graph.initializers.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const before = size()
  const ranges = await onnx.calibrate(model, [feeds, feedsOf(real, 2)], { method: 'percentile', percentile: 99.9 })
  await onnx.transform(model, [onnx.quantize({ ranges })])
  expect(size() / before).toBeLessThan(0.6)
  const reference = Object.values(await runOnOnnxruntime(real.path, feeds))[0] as Tensor
  const given = Object.values(await runOnOnnxruntime(model.toBytes(), feeds, AS_IT_IS))[0] as Tensor
  expect(onnx.compareTensors(reference, given, { atol: 0, rtol: 0 }).snr).toBeGreaterThan(20)
})
