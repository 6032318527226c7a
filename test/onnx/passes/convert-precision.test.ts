// Error and soundness of mixed precision on the trained models; that TensorRT-RTX builds them is in
// test/backends/tensorrt/precision.test.ts.
import fc from 'fast-check'
import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { feedsOf, installed, realModels, runOnOnnxruntime } from '../helpers/models.js'
import { applied, checkedByPython } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { randomModel } from '../helpers/random-graph.js'

const TYPES = ['float16', 'bfloat16'] as const

/** The greatest difference of each output, as a part of the output's greatest magnitude. */
function errors(wanted: Record<string, Tensor>, given: Record<string, Tensor>): number[] {
  expect(Object.keys(given)).toEqual(Object.keys(wanted))
  return Object.entries(wanted).map(([name, reference]) => {
    const other = given[name] as Tensor
    expect([other.type, other.dims]).toEqual([reference.type, reference.dims])
    const [floats, others] = [reference.data as Float32Array, other.data as Float32Array]
    const difference = floats.reduce((worst, x, i) => Math.max(worst, Math.abs(x - (others[i] as number))), 0)
    expect(others.every(Number.isFinite), `${name} is finite`).toBe(floats.every(Number.isFinite))
    return difference / floats.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 1e-6)
  })
}

const AS_IT_IS = { graphOptimizationLevel: 'disabled' } as const

/**
 * By model: the greatest error of float16 and of bfloat16, emulated op by op, as a part of the output's magnitude; about
 * twice what was measured on the inputs of `feedsOf`. onnxruntime's CPU computes float16 in float32, and has no bfloat16.
 */
const TOLERANCES: Readonly<Record<string, readonly [float16: number, bfloat16: number]>> = {
  'all-minilm-l6-v2': [0.003, 0.03],
  'basic-pitch': [0.06, 0.22],
  magika: [0.002, 0.005],
  'mtcnn-onet': [0.0016, 0.016],
  'mtcnn-pnet': [0.003, 0.04],
  'mtcnn-rnet': [0.0035, 0.04],
  'pp-ocrv2-cls': [0.005, 0.04],
  'pp-ocrv4-cls': [0.005, 0.04],
  'pp-ocrv4-det': [0.5, 0.5], // gives 4.5e-7 everywhere on these inputs: nothing but rounding
  'pp-ocrv4-rec': [0.017, 0.06],
  'pp-ocrv6-det': [0.05, 0.42],
  'pp-ocrv6-rec': [0.018, 0.085],
  'silero-vad': [0.003, 0.05],
  'silero-vad-16k': [0.003, 0.05],
  'silero-vad-half': [0.0035, 0.03],
  'silero-vad-ifless': [0.006, 0.035],
  'smart-turn-v3.2': [0.0016, 0.003],
}

describe('trained models', () => {
  it('are converted to sound models of both types, and again to nothing', async (ctx) => {
    const python = onnxPython(ctx)
    const models: onnx.Model[] = []
    for (const model of realModels()) {
      for (const to of TYPES) {
        const converted = await onnx.read(installed(ctx, model))
        const { figures } = await applied(converted, onnx.convertPrecision({ to }))
        expect(figures[`nodes in ${to}`], model.name).toBeGreaterThan(5)
        expect(doubtfulCasts(converted), model.name).toEqual([])
        models.push(converted)
      }
    }
    expect(await checkedByPython(python, models)).toEqual(models.map(() => ''))
  }, 120_000)

  it.each(realModels())('$name: float16 runs, and errs no more than it says; bfloat16 too', async (model) => {
    const { name, path } = model
    const feeds = feedsOf(model, 1)
    const reference = await runOnOnnxruntime(path, feeds)
    const tolerances = TOLERANCES[name] as readonly [number, number]
    for (const [index, to] of TYPES.entries()) {
      const emulated = await onnx.read(path)
      await onnx.transform(emulated, [onnx.convertPrecision({ to, emulate: true })])
      const given = await runOnOnnxruntime(emulated.toBytes(), feeds, AS_IT_IS)
      const worst = Math.max(...errors(reference, given))
      expect(worst).toBeLessThanOrEqual(tolerances[index] as number)
      if (name !== 'pp-ocrv4-det') expect(worst, 'nothing was rounded').toBeGreaterThan(1e-7)
    }
    const converted = await onnx.read(path)
    await onnx.transform(converted, [onnx.convertPrecision()])
    expect(Math.max(...errors(reference, await runOnOnnxruntime(converted.toBytes(), feeds)))).toBeLessThanOrEqual(
      tolerances[0],
    )
  })
})

/** Casts that a better plan would not have: behind a Cast, to the type that is there, or twice the same. */
function doubtfulCasts(model: onnx.Model): string[] {
  const doubtful: string[] = []
  const seen = new Set<string>()
  for (const graph of model.graphs()) {
    for (const cast of graph.find({ opType: 'Cast' })) {
      const [source] = cast.inputs
      if (!cast.name.includes('_to_float') && !cast.name.includes('_to_bfloat')) continue
      const key = `${source?.name} ${cast.getInt('to')}`
      if (source?.producer?.opType === 'Cast' || source?.type === cast.outputs[0]?.type || seen.has(key)) {
        doubtful.push(cast.name)
      }
      seen.add(key)
    }
  }
  return doubtful
}

it('converts random models to sound ones that compute nearly the same', async (ctx) => {
  const python = onnxPython(ctx)
  const models: onnx.Model[] = []
  await fc.assert(
    fc.asyncProperty(
      randomModel(),
      fc.constantFrom(...TYPES),
      fc.boolean(),
      async ({ bytes, feeds }, to, keepIoTypes) => {
        // onnxruntime 1.30 loses a value that a Cast gives and only a branch reads.
        const reference = await runOnOnnxruntime(bytes, feeds, AS_IT_IS).catch(() => undefined)
        if (reference === undefined) return
        const model = await onnx.read(bytes)
        await applied(model, onnx.convertPrecision({ to, keepIoTypes }))
        models.push(model)
        const emulated = await onnx.read(bytes)
        await onnx.transform(emulated, [onnx.convertPrecision({ to, emulate: true })])
        const runs = [emulated, ...(to === 'float16' && keepIoTypes ? [model] : [])]
        for (const run of runs) {
          const given = await runOnOnnxruntime(run.toBytes(), feeds, AS_IT_IS)
          for (const error of errors(reference, given)) expect(error).toBeLessThan(to === 'float16' ? 0.02 : 0.2)
        }
      },
    ),
    { numRuns: 40, seed: 7 },
  )
  expect(models.length).toBeGreaterThan(30)
  expect(await checkedByPython(python, models)).toEqual(models.map(() => ''))
})
