// Error and soundness of mixed precision on the trained models; that TensorRT-RTX builds them is in
// test/backends/tensorrt/precision.test.ts.
import fc from 'fast-check'
import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { weightRange } from '#dist/onnx/passes/precision/weights.js'
import { constant, type GraphSpec, makeModel, node } from '../../helpers/onnx-model.js'
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
        expectSound(converted)
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

/** Every node has the types that ONNX gives it, and there is no Cast that a better plan would not have. */
function expectSound(model: onnx.Model): void {
  expect(doubtfulCasts(model)).toEqual([])
  expect(onnx.checkTypes(model).map(({ message }) => message)).toEqual([])
}

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
        expectSound(model)
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

describe('graphs inside nodes and functions', () => {
  const weights = constant(
    'float32',
    [4, 4],
    Array.from({ length: 16 }, (_, i) => Math.sin(i) / 2),
  )
  const floats = (...names: string[]) => Object.fromEntries(names.map((name) => [name, ['float32', [3, 4]] as const]))

  /** A matrix product with a tanh behind, once for each round, and its results put together. */
  const loop = (inner: GraphSpec['nodes'] = []) =>
    makeModel({
      inputs: { ...floats('x'), n: ['int64', []] },
      outputs: { ...floats('y'), all: ['float32', ['n', 3, 4]] },
      initializers: { w: weights },
      nodes: [
        node('MatMul', ['x', 'w'], ['before']),
        node('Loop', ['n', '', 'before'], ['after', 'all'], {
          body: {
            inputs: { i: ['int64', []], go: ['bool', []], ...floats('v') },
            outputs: { still: ['bool', []], ...floats('next', 'given') },
            nodes: [
              node('Identity', ['go'], ['still']),
              ...inner,
              node('MatMul', ['v', 'w'], ['product']),
              node('Add', ['product', 'before'], ['sum']),
              node('Tanh', ['sum'], ['next']),
              node('MatMul', ['next', 'w'], ['given']),
            ],
          },
        }),
        node('MatMul', ['after', 'w'], ['y']),
      ],
    })

  const branch = (name: string, op: string): GraphSpec => ({
    outputs: floats(name),
    nodes: [node('MatMul', ['v', 'w'], [`${name}_product`]), node(op, [`${name}_product`], [name])],
  })

  const scan = () =>
    makeModel({
      inputs: { ...floats('state'), xs: ['float32', [5, 3, 4]] },
      outputs: { ...floats('last'), ys: ['float32', [5, 3, 4]] },
      initializers: { w: weights },
      nodes: [
        node('Scan', ['state', 'xs'], ['last', 'ys'], {
          num_scan_inputs: 1,
          body: {
            inputs: floats('s', 'x'),
            outputs: floats('t', 'y'),
            nodes: [
              node('MatMul', ['s', 'w'], ['p']),
              node('Add', ['p', 'x'], ['q']),
              node('Tanh', ['q'], ['t']),
              node('MatMul', ['t', 'w'], ['y']),
            ],
          },
        }),
      ],
    })

  const nested = [
    node('ReduceMax', ['v'], ['most'], { keepdims: 0 }),
    node('Less', ['most', 'most'], ['is']),
    node('If', ['is'], ['chosen'], { then_branch: branch('p', 'Relu'), else_branch: branch('q', 'Sigmoid') }),
  ]

  it.for([
    ['a Loop', loop()],
    ['an If in a Loop', loop(nested)],
    ['a Scan', scan()],
  ] as const)('%s: converted inside, float32 where values go in and out', async ([, bytes], ctx) => {
    const feeds = onnx.sampleFeeds(await onnx.read(bytes))
    if (feeds.n !== undefined) (feeds.n.data as BigInt64Array)[0] = 3n
    const reference = await runOnOnnxruntime(bytes, feeds, AS_IT_IS)
    for (const to of TYPES) {
      const model = await onnx.read(bytes)
      await applied(model, onnx.convertPrecision({ to }))
      expectSound(model)
      const products = model.graph.find({ opType: 'MatMul', nested: true })
      expect(products.map(({ outputs }) => outputs[0]?.type)).toEqual(products.map(() => to))
      const [owner] = model.graph.find({ opType: /Loop|Scan/ }) as [onnx.Node]
      const body = owner.subgraphs[0] as onnx.Graph
      const types = [...body.inputs, ...body.outputs].map(({ type }) => type)
      expect(types.filter((type) => type.includes('16'))).toEqual([])
      expect(await checkedByPython(onnxPython(ctx), [model])).toEqual([''])
      if (to === 'bfloat16') continue
      const given = await runOnOnnxruntime(model.toBytes(), feeds, AS_IT_IS)
      for (const error of errors(reference, given)) expect(error).toBeLessThan(0.005)
    }
  })

  it('functions are put in the place of their calls, and converted there', async (ctx) => {
    const python = onnxPython(ctx)
    const text = `<ir_version: 9, opset_import: ["" : 18, "my" : 1]> g (float[3, 4] x, float[4, 4] w) => (float[3, 4] y) {
  a = my.layer<alpha = 0.25>(x, w)
  y = my.layer(a, w)
}
<domain: "my", opset_import: ["" : 18, "my" : 1]> layer <alpha: float = 0.5> (x, w) => (y) {
  p = MatMul(x, w)
  y = my.act<alpha: float = @alpha>(p)
}
<domain: "my", opset_import: ["" : 18]> act <alpha> (x) => (y) { y = LeakyRelu<alpha: float = @alpha>(x) }`
    const script =
      'import sys, base64, onnx.parser; print(base64.b64encode(onnx.parser.parse_model(sys.argv[1]).SerializeToString()).decode())'
    const bytes = Buffer.from(python(script, text), 'base64')
    const model = await onnx.read(bytes)
    await applied(model, onnx.convertPrecision())
    expectSound(model)
    expect(model.functions).toEqual([])
    expect(model.graph.find({ opType: 'LeakyRelu' }).map((each) => each.get('alpha', 'float'))).toEqual([0.25, 0.5])
    expect(model.graph.find({ opType: 'MatMul' }).map(({ outputs }) => outputs[0]?.type)).toEqual([
      'float16',
      'float16',
    ])
    expect(await checkedByPython(python, [model])).toEqual([''])
    const feeds = onnx.sampleFeeds(model)
    const reference = await runOnOnnxruntime(bytes, feeds, AS_IT_IS)
    for (const error of errors(reference, await runOnOnnxruntime(model.toBytes(), feeds, AS_IT_IS)))
      expect(error).toBeLessThan(0.005)
  })
})

describe('what stays in float32', () => {
  it('goes by the range of weights, those that stand for infinity left out', () => {
    const rangeOf = (...values: number[]) =>
      weightRange(onnx.ModelTensor.from({ type: 'float32', dims: [values.length], data: Float32Array.from(values) }))
    const masks = [-1e9, 3e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]
    expect(rangeOf(0, -65504, 12, -0, 0.5, ...masks)).toEqual({ greatest: 65504, least: 0.5 })
    expect(rangeOf(-(2 ** -149), 9e8)).toEqual({ greatest: 9e8, least: 2 ** -149 })
    expect(rangeOf(0, -0)).toEqual({ greatest: 0, least: Number.POSITIVE_INFINITY })
  })

  /** Four products of one shared weight, in a row; behind the second a mean of 100. */
  const chain = (scale: number) =>
    onnx.read(
      makeModel({
        inputs: { x: ['float32', [100, 4]] },
        outputs: { y: ['float32', [1, 4]] },
        initializers: {
          w: constant(
            'float32',
            [4, 4],
            Array.from({ length: 16 }, (_, i) => Math.cos(i) / 3),
          ),
          loud: constant(
            'float32',
            [4, 4],
            Array.from({ length: 16 }, (_, i) => scale * Math.cos(i)),
          ),
        },
        nodes: [
          node('MatMul', ['x', 'w'], ['first']),
          node('MatMul', ['first', 'loud'], ['second']),
          node('MatMul', ['second', 'w'], ['third']),
          node('ReduceMean', ['third'], ['mean'], { axes: [0] }),
          node('MatMul', ['mean', 'w'], ['y']),
        ],
      }),
    )

  /** Names of the nodes that do, of those that compute. */
  const kept = async (options: Partial<onnx.ConvertPrecisionOptions>, scale = 1) => {
    const model = await chain(scale)
    const report = await applied(model, onnx.convertPrecision(options))
    expectSound(model)
    const nodes = model.graph.nodes.filter(({ opType }) => opType !== 'Cast')
    return { model, report, names: nodes.filter(({ inputs }) => inputs[0]?.type === 'float32').map(({ name }) => name) }
  }

  it('nodes by name and by op, and those that are loud or long', async () => {
    expect((await kept({})).names).toEqual([])
    expect((await kept({ keepNodes: ['sec*'] })).names).toEqual(['second'])
    expect((await kept({ keepNodes: ['first', 'y'] })).names).toEqual(['first', 'y'])
    expect((await kept({ keepOps: ['ReduceMean'] })).names).toEqual(['mean'])
    expect((await kept({ keepOps: ['MatMul'] })).report.figures['nodes in float16']).toBe(0)
    expect((await kept({ maxReduction: 99 })).names).toEqual(['mean'])
    expect((await kept({ maxReduction: 100 })).names).toEqual([])
    expect((await kept({ maxWeight: 100 }, 101)).names).toEqual(['second'])
    expect((await kept({ maxWeight: 102 }, 101)).names).toEqual([])
    // bfloat16 has the range of float32.
    expect((await kept({ to: 'bfloat16', maxWeight: 100 }, 101)).names).toEqual([])
  })

  it('a constant that both types read is there in both, and once each', async () => {
    const { model } = await kept({ keepNodes: ['first', 'third'] })
    const weights = model.graph.initializers
      .filter(({ dims }) => dims.length === 2)
      .map(({ name, type }) => [name, type])
    expect(weights.toSorted()).toEqual([
      ['loud', 'float16'],
      ['w', 'float32'],
      ['w_float16', 'float16'],
    ])
    const readers = (name: string) => model.graph.value(name)?.consumers.map((each) => each.name)
    expect([readers('w'), readers('w_float16')]).toEqual([['first', 'third'], ['y']])
  })
})
