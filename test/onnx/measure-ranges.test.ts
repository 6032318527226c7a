import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from './helpers/models.js'

/** y = (x · 1000 + 1) / 1000: in the middle are values that fp16 holds coarsely; and a sequence, which is no tensor. */
const bytes = makeModel({
  inputs: { x: ['float32', [4]] },
  outputs: { y: ['float32', [4]], n: ['int64', []] },
  initializers: { k: constant('float32', [1], [1000]), one: constant('float32', [1], [1]) },
  nodes: [
    node('Mul', ['x', 'k'], ['big']),
    node('Add', ['big', 'one'], ['bigger']),
    node('Div', ['bigger', 'k'], ['y']),
    node('SequenceConstruct', ['x', 'y'], ['sequence']),
    node('SequenceLength', ['sequence'], ['n']),
  ],
})
const feeds = (...values: number[]) => ({ x: new Tensor('float32', Float32Array.from(values)) })

describe('measureRanges', () => {
  it('gives the greatest magnitude of each float value over all samples, and leaves out what is no tensor', async () => {
    const model = await onnx.read(bytes)
    const before = model.toBytes()
    const progress: number[] = []
    const ranges = await onnx.measureRanges(model, [feeds(0, 1, -2, 0.5), feeds(3, 0, 0, 0)], {
      onProgress: ({ done, total }) => progress.push(done / total),
    })
    expect(ranges).toEqual({ big: 3000, bigger: 3001, y: Math.fround(3.001) })
    expect(progress.at(-1)).toBe(1)
    expect(Buffer.compare(model.toBytes(), before)).toBe(0)
    expect((await onnx.measureRanges(model, [feeds(Number.NaN, 0, 0, 0)])).big).toBe(Infinity)
  })

  it('keeps nodes in float32 whose values are great, and nothing else', async () => {
    const kept = async (samples: readonly Record<string, Tensor>[]) => {
      const model = await onnx.read(bytes)
      const ranges = await onnx.measureRanges(model, samples)
      await onnx.transform(model, [onnx.inferShapes(), onnx.convertPrecision({ ranges })])
      return model.graph.value('bigger')?.type
    }
    expect(await kept([feeds(3, 0, 0, 0)])).toBe('float32')
    expect(await kept([feeds(0.1, 0, 0, 0)])).toBe('float16')
  })

  it('gives what onnxruntime gives for a value of a real model', async (ctx) => {
    const real = realModel('magika')
    const model = await onnx.read(installed(ctx, real))
    const [output] = model.graph.outputs as [onnx.Value]
    const samples = [feedsOf(real, 1), feedsOf(real, 2)]
    const ranges = await onnx.measureRanges(model, samples)
    const results = await Promise.all(samples.map((sample) => runOnOnnxruntime(real.path, sample)))
    const seen = results.flatMap((result) => [...((result[output.name] as Tensor).data as Float32Array)])
    expect(ranges[output.name]).toBeCloseTo(Math.max(...seen.map(Math.abs)), 5)
  })

  it('wants samples', async () => {
    await failure('INVALID_ARGUMENT', async () => onnx.measureRanges(await onnx.read(bytes), []))
  })
})
