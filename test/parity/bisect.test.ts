import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { afterAll, describe, expect, it } from 'vitest'
import { seededRandom } from '#dist/npy/random.js'
import { documentOf, runCli } from '../cli/helpers/run-cli.js'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { feedsOf, installed, ocrModel, realModel } from '../onnx/helpers/models.js'

const PATH = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
const FEEDS = feedsOf(realModel('pp-ocrv4-cls'), 1)
const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-bisect-'))
afterAll(() => rmSync(folder, { recursive: true }))

const AS_IT_IS = { optimization: 'disabled' } as const

/** Of nodes without names, and with one name for two. */
const NAMELESS = makeModel({
  inputs: { x: ['float32', [1, 4]] },
  outputs: { y: ['float32', [1, 4]] },
  initializers: {
    w: constant(
      'float32',
      [4, 4],
      Array.from({ length: 16 }, (_, at) => at + 0.3),
    ),
  },
  nodes: [
    { ...node('MatMul', ['x', 'w'], ['a']), name: '' },
    { ...node('MatMul', ['a', 'w'], ['b']), name: 'twice' },
    { ...node('MatMul', ['b', 'w'], ['c']), name: 'twice' },
    { ...node('MatMul', ['c', 'w'], ['y']), name: '' },
  ],
})

/**
 * A trained model of which three convolutions give values beyond float16, from weights that float16 holds, and are divided
 * again behind. The divisions, called `again …`, are for the caller to keep, so that each layer has one culprit.
 */
async function overflowing(): Promise<{ model: onnx.Model; culprits: string[] }> {
  const model = await onnx.read(PATH)
  const { graph } = model
  const ranges = await onnx.measureRanges(model, [FEEDS])
  const suited = graph.find({ opType: 'Conv' }).filter((conv) => {
    const given = ranges[conv.outputs[0]?.name as string] as number
    return conv.inputs[2] === undefined && given * scaleOf(conv) > 4 * 65504
  })
  const chosen = [0, Math.floor(suited.length / 2), suited.length - 1].map((index) => suited[index] as onnx.Node)
  for (const [index, conv] of chosen.entries()) {
    const output = conv.outputs[0] as onnx.Value
    const { dims, data } = weightsOf(conv)
    const scale = scaleOf(conv)
    conv.setInput(1, graph.addInitializer({ type: 'float32', dims, data: data.map((x) => x * scale) }))
    const divisor = graph.addInitializer({ type: 'float32', dims: [], data: Float32Array.of(scale) })
    const readers = output.consumers
    const division = graph.addNode({ opType: 'Div', name: `again ${index}`, inputs: [output, divisor] })
    const quotient = division.outputs[0] as onnx.Value
    for (const reader of readers) reader.inputs = reader.inputs.map((input) => (input === output ? quotient : input))
  }
  return { model, culprits: chosen.map(({ name }) => name) }
}

/** The greatest power of two, which changes no digit, that leaves the weights within float16. */
function scaleOf(conv: onnx.Node): number {
  const greatest = weightsOf(conv).data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return 2 ** Math.floor(Math.log2(65504 / greatest))
}

function weightsOf(conv: onnx.Node): trt.Tensor<'float32'> {
  const weight = conv.inputs[1] as onnx.Value
  const tensor = weight.initializer ?? weight.producer?.get('value', 'tensor')
  return (tensor as onnx.ModelTensor).toTensor() as trt.Tensor<'float32'>
}

describe('bisect', () => {
  it('finds exactly the three layers that overflow, in O(k log n) trials', { timeout: 600_000 }, async () => {
    const { model, culprits } = await overflowing()
    const before = model.print()
    const progress: number[] = []
    const found = await trt.bisect({
      model,
      conversion: { keepNodes: ['again *'] },
      inputs: { feeds: FEEDS },
      tolerance: { atol: 1e-2, rtol: 0 },
      onProgress: ({ trials }) => progress.push(trials),
    })
    expect(found.keepNodes).toEqual(culprits)
    expect(found.plain.some((output) => output.nonFinite > 0 || !output.passed)).toBe(true)
    expect(found.outputs.every((output) => output.passed)).toBe(true)
    expect(found.nodes.convertible).toBeGreaterThan(200)
    expect(found.nodes.converted / found.nodes.convertible).toBeGreaterThan(0.98)
    expect(found.trials).toBeLessThanOrEqual(2 + 3 * (2 * Math.ceil(Math.log2(found.nodes.convertible)) + 3))
    expect(progress).toEqual(Array.from({ length: found.trials }, (_, index) => index + 1))
    expect(model.print()).toBe(before)
    // What it gives back is what keepNodes makes of the model, in the real type.
    const same = await onnx.read(model.toBytes())
    await onnx.transform(same, [onnx.convertPrecision({ keepNodes: ['again *', ...culprits] })])
    expect(found.model.print()).toBe(same.print())
    expect(found.model.graph.nodes.filter(({ opType }) => opType === 'Cast').length).toBeGreaterThan(2)
  })

  it.for([['pp-ocrv4-cls', 0.8]] as const)(
    'meets a tolerance on %s that float16 misses, with 90 %% of nodes in float16',
    { timeout: 600_000 },
    async ([name, share], ctx) => {
      const trained = realModel(name)
      installed(ctx, trained)
      const feeds = feedsOf(trained, 1)
      const reference = await onnx.run(await onnx.read(trained.path), feeds, AS_IT_IS)
      const half = await onnx.read(trained.path)
      await onnx.transform(half, [onnx.convertPrecision({ emulate: true })])
      const given = await onnx.run(half, feeds, AS_IT_IS)
      const errorOf = (output: string) =>
        onnx.compareTensors(reference[output] as trt.Tensor, given[output] as trt.Tensor, { atol: 0, rtol: 0 }).maxAbs
      const values = Object.fromEntries(
        Object.keys(reference).map((output) => [output, { atol: share * errorOf(output), rtol: 0 }]),
      )
      const found = await trt.bisect({ model: trained.path, inputs: { feeds }, tolerance: { values } })
      expect(found.plain.every((output) => output.passed)).toBe(false)
      expect(found.outputs.every((output) => output.passed)).toBe(true)
      expect(found.keepNodes.length).toBeGreaterThan(0)
      expect(found.nodes.converted / found.nodes.convertible).toBeGreaterThanOrEqual(0.9)
      // Judged by what was found alone, in a conversion that bisect did not make.
      const mixed = await onnx.read(trained.path)
      await onnx.transform(mixed, [onnx.convertPrecision({ emulate: true, keepNodes: found.keepNodes })])
      const { passed } = await trt.compare({
        model: trained.path,
        candidates: { mixed },
        inputs: { feeds },
        tolerance: { values },
      })
      expect(passed).toBe(true)
    },
  )

  it('takes the layer back to float32 whose range cuts its values off, and leaves the others in int8', async () => {
    const random = seededRandom(5)
    const uniform = (count: number, scale: number) =>
      Array.from({ length: count }, () => scale * (random() / 2 ** 31 - 1))
    const layers = [0, 1, 2, 3, 4, 5]
    const chain = makeModel({
      inputs: { v0: ['float32', [2, 32]] },
      outputs: { v6: ['float32', [2, 32]] },
      // Of a variance that keeps that of the activations.
      initializers: Object.fromEntries(
        layers.map((at) => [`w${at}`, constant('float32', [32, 32], uniform(1024, Math.sqrt(3 / 32)))]),
      ),
      nodes: layers.map((at) => node('MatMul', [`v${at}`, `w${at}`], [`v${at + 1}`], {}, { name: `layer ${at}` })),
    })
    const feeds = { v0: new trt.Tensor('float32', Float32Array.from(uniform(64, 1)), [2, 32]) }
    const model = await onnx.read(chain)
    const ranges = await onnx.calibrate(model, [feeds], { method: 'max' })
    ranges.v3 = (ranges.v3 as number) / 10
    const { v6 } = await onnx.run(model, feeds)
    const greatest = Math.max(...Array.from((v6 as trt.Tensor).data as Float32Array, Math.abs))
    const tolerance = { atol: 0.2 * greatest, rtol: 0 }
    const found = await trt.bisect({ model, quantization: { ranges }, inputs: { feeds }, tolerance })
    expect(found.keepNodes).toEqual(['layer 3'])
    expect(found.plain.every(({ passed }) => passed)).toBe(false)
    expect(found.nodes).toEqual({ converted: 5, convertible: 6 })
    expect(found.model.graph.find({ opType: 'QuantizeLinear' })).toHaveLength(5)
    await failure('INVALID_ARGUMENT', () => trt.bisect({ model: found.model, quantization: { ranges } }))
  })

  it('builds an engine for each trial where it is told to, and keeps nothing where nothing is needed', async () => {
    const build = { backend: 'onnxruntime', shapes: { x: [2, 3, 48, 192] } } as const
    const found = await trt.bisect({ model: PATH, inputs: { feeds: FEEDS }, tolerance: { atol: 0.1 }, build })
    expect(found).toMatchObject({ keepNodes: [], trials: 1, nodes: { converted: found.nodes.convertible } })
    expect(found.outputs[0]?.maxAbs).toBeGreaterThan(0)
    // The engine adds up in another order than the model as it is.
    const exact = { model: PATH, inputs: { feeds: FEEDS }, tolerance: { atol: 0, rtol: 0 }, build }
    await failure('VERIFICATION_FAILED', () => trt.bisect(exact))
  })

  it('gives names to nodes that have none, and refuses what cannot be', async () => {
    const found = await trt.bisect({ model: NAMELESS, tolerance: { atol: 0, rtol: 1e-6 } })
    expect(found.keepNodes).toEqual(['a', 'twice', 'twice_1', 'y'])
    expect(found.model.graph.nodes.map(({ name }) => name)).toEqual(found.keepNodes)
    // Weights of a model in memory may lie in a file beside it.
    const path = join(folder, 'external.onnx')
    await (await onnx.read(NAMELESS)).write(path, { externalData: { threshold: 0 } })
    const beside = await onnx.read(path)
    expect((await trt.bisect({ model: beside, tolerance: { rtol: 0.1 } })).keepNodes).toEqual(['y'])
    const half = await onnx.read(NAMELESS)
    await onnx.transform(half, [onnx.convertPrecision()])
    await failure('INVALID_ARGUMENT', () => trt.bisect({ model: half }))
    await failure('ABORTED', () => trt.bisect({ model: NAMELESS, signal: AbortSignal.abort() }))
  })
})

describe('tensorrt-node bisect', () => {
  it('prints what to keep, writes the mixed model, and tells how far it is', async () => {
    writeFileSync(join(folder, 'small.onnx'), NAMELESS)
    const output = join(folder, 'mixed.onnx')
    const run = await runCli(['bisect', join(folder, 'small.onnx'), '-o', output, '--rtol', '0.1', '--keep', 'twice'])
    expect(run.code).toBe(0)
    // The last product is beyond float16.
    expect(run.stdout).toContain('  y\n')
    expect(run.stderr).toContain('searching')
    const written = await onnx.read(output)
    expect(written.graph.find({ opType: 'Cast' }).length).toBeGreaterThan(2)
  })

  it('writes nothing without -o, and gives all it found as JSON', async () => {
    writeFileSync(join(folder, 'other.onnx'), NAMELESS)
    const run = await runCli(['bisect', join(folder, 'other.onnx'), '--rtol', '0.1', '--json'])
    expect(documentOf(run)).toMatchObject({ keepNodes: ['y'], output: null, outputs: [{ passed: true }] })
  })

  it('refuses what it cannot read', async () => {
    expect(await runCli(['bisect', PATH, '--to', 'float8'])).toMatchObject({ code: 2 })
    expect(await runCli(['bisect', PATH, '--shapes', 'x:2x3x48x192', '--indices', 'x=1'])).toMatchObject({ code: 2 })
  })
})
