/**
 * What every pass promises, on random graphs: the model computes what it is to compute, applied again it changes nothing,
 * and Python's full check takes the result. A pass without a case here is applied with its defaults; convert-precision,
 * which keeps no meaning exactly, has its own tests.
 */
import fc from 'fast-check'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, type NodeSpec, node } from '../../helpers/onnx-model.js'
import { runOnOnnxruntime } from '../helpers/models.js'
import { type Motif, type MotifGraph, motifGraph } from '../helpers/motif-graph.js'
import { applied, checkedByPython, expectSameTensors } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { type RandomModel, randomInput, randomModel } from '../helpers/random-graph.js'

type Feeds = Readonly<Record<string, Tensor>>

/** A pass, what it is applied to, and what the model is to compute afterwards. */
interface Trial {
  readonly model: onnx.Model
  readonly step: onnx.Transform
  readonly feeds: Feeds
  /** Outputs, in order. */
  readonly wanted: readonly Tensor[]
  /** Makes a model of plugins one that onnxruntime and the checker know. */
  readonly afterwards?: onnx.Transform
}

/** Draws models; undefined where one does not suit. */
type Case = fc.Arbitrary<() => Promise<Trial | undefined>>

const AS_IT_IS = { graphOptimizationLevel: 'disabled' } as const

/** Outputs by name, of what the model takes of the feeds. */
async function run(model: onnx.Model | Uint8Array, feeds: Feeds): Promise<Record<string, Tensor>> {
  const bytes = model instanceof onnx.Model ? model.toBytes() : model
  const { graph } = await onnx.read(bytes)
  const taken = graph.inputs.filter(({ name }) => feeds[name] !== undefined)
  return runOnOnnxruntime(bytes, Object.fromEntries(taken.map(({ name }) => [name, feeds[name] as Tensor])), AS_IT_IS)
}

/** What each node of the main graph gives, in order. */
async function everyValue(bytes: Uint8Array, feeds: Feeds): Promise<[name: string, tensor: Tensor][]> {
  const model = await onnx.read(bytes)
  const names = model.graph.nodes.flatMap(({ outputs }) => outputs.map((value) => value?.name as string))
  onnx.inferTypes(model)
  for (const name of names) model.graph.addOutput(model.graph.value(name) as onnx.Value)
  const given = await run(model, feeds)
  return names.map((name) => [name, given[name] as Tensor])
}

const dice = fc.nat(1_000_000)

/** With random models of convolutions, glue and branches. */
function onModels(
  trial: (drawn: RandomModel & { readonly model: onnx.Model }, dice: number) => Promise<Trial | undefined>,
  opset = 17,
): Case {
  return fc.tuple(randomModel({ opset }), dice).map(
    ([drawn, dice]) =>
      async () =>
        trial({ ...drawn, model: await onnx.read(drawn.bytes) }, dice),
  )
}

/** With random graphs sown with what the pass looks for; by default the outputs are to be those of the twin. */
function onMotifs(
  step: onnx.Transform,
  graphs: fc.Arbitrary<MotifGraph>,
  extra: { before?: onnx.Transform; afterwards?: onnx.Transform } = {},
): Case {
  return graphs.map(({ bytes, twin }) => async () => {
    const model = await onnx.read(bytes)
    if (extra.before !== undefined) await onnx.transform(model, [extra.before])
    const feeds = onnx.sampleFeeds(model)
    return { ...extra, model, step, feeds, wanted: Object.values(await run(twin, feeds)) }
  })
}

/** Where a pass leaves out what it changes, outputs are those of before. */
const asBefore = (step: onnx.Transform, opset?: number): Case =>
  onModels(
    async ({ bytes, model, feeds }) => ({ model, step, feeds, wanted: Object.values(await run(bytes, feeds)) }),
    opset,
  )

/** For models that are of a batch of 2, some with all their sizes written into the graph, what they say of another one. */
const withBatch = (stepFor: (batch: number, isDynamic: boolean, dice: number) => onnx.Transform): Case =>
  onModels(async ({ twin, model }, dice) => {
    const batch = 1 + (dice % 4)
    const isDynamic = model.graph.inputs[0]?.dims?.[0] !== 2
    const feeds = { x: randomInput(batch, dice) }
    // Where the batch went into the columns of a matrix product, only the batch of the weights will do.
    const wanted = await run(twin({ isDynamic: true }), feeds).catch(() => undefined)
    if (wanted === undefined) return undefined
    if (dice % 3 === 0 && !isDynamic) await onnx.transform(model, [onnx.simplify()])
    return { model, step: stepFor(batch, isDynamic, dice), feeds, wanted: Object.values(wanted) }
  })

const scalars = (id: string, numbers: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [id + name, constant('float32', [], [value])]))

/** If with a constant of each branch's own: names inside graphs have to be told apart as well. */
function branching(x: string, y: string, id: string, dice: number): Motif {
  const branch = (op: string, name: string) => ({
    outputs: { [`${id}${name}`]: ['float32', [2, 2, 3, 4]] as const },
    initializers: { [`${id}${name}c`]: constant('float32', [], [dice % 5]) },
    nodes: [node(op, [x, `${id}${name}c`], [`${id}${name}`])],
  })
  return {
    nodes: [
      node('ReduceMax', [x], [`${id}m`], { keepdims: 0 }),
      node('Greater', [`${id}m`, `${id}half`], [`${id}is`]),
      node('If', [`${id}is`], [y], { then_branch: branch('Sub', 'p'), else_branch: branch('Mul', 'q') }),
    ],
    initializers: scalars(id, { half: 0.5 }),
  }
}

/** [2,3,4,6] through YOLOv5's Focus and a convolution, and back to where it was. */
function focus(x: string, y: string, id: string, dice: number): Motif {
  const rotated = [0, 1, 2, 3].map((index) => (index + dice) % 4)
  const order = dice % 2 === 0 ? rotated : rotated.toReversed()
  const int = (value: bigint) => constant('int64', [1], [value])
  // Every seventh is none: it takes a corner twice.
  const corners = dice % 7 === 6 ? order.with(0, order[1] as number) : order
  const conv = node('Conv', [`${id}f`, `${id}w`], [`${id}c`])
  const other: NodeSpec[] =
    dice % 3 === 0 ? [node('Abs', [`${id}f`], [`${id}a`]), node('Add', [`${id}a`, `${id}c`], [`${id}s`])] : []
  return {
    nodes: [
      ...corners.flatMap((corner, index) => [
        node('Slice', [x, `${id}${corner & 1}`, `${id}end`, `${id}rows`, `${id}2`], [`${id}r${index}`]),
        node(
          'Slice',
          [`${id}r${index}`, `${id}${corner >> 1}`, `${id}end`, `${id}columns`, `${id}2`],
          [`${id}s${index}`],
        ),
      ]),
      node(
        'Concat',
        [0, 1, 2, 3].map((index) => `${id}s${index}`),
        [`${id}f`],
        { axis: 1 },
      ),
      conv,
      ...other,
      node('DepthToSpace', [other.length > 0 ? `${id}s` : `${id}c`], [y], { blocksize: 2 }),
    ],
    initializers: {
      [`${id}0`]: int(0n),
      [`${id}1`]: int(1n),
      [`${id}2`]: int(2n),
      [`${id}rows`]: int(2n),
      [`${id}columns`]: int(dice % 2 === 0 ? 3n : -1n),
      [`${id}end`]: int(2n ** 31n - 1n),
      [`${id}w`]: constant(
        'float32',
        [12, 12, 1, 1],
        Array.from({ length: 144 }, (_, i) => Math.sin(i + dice)),
      ),
    },
  }
}

/** InstanceNormalization over [2,3,4], with one of these epsilons, or the least that it is to have. */
const instanceNorm =
  (least: number) =>
  (x: string, y: string, id: string, dice: number): Motif => {
    const epsilon = [1e-12, 1e-5, 1e-4, 0.25][dice % 4] as number
    const weights = constant('float32', [3], [1, -2, 0.5])
    return {
      nodes: [node('InstanceNormalization', [x, `${id}s`, `${id}b`], [y], { epsilon: Math.max(epsilon, least) })],
      initializers: { [`${id}s`]: weights, [`${id}b`]: weights },
    }
  }

/** PRelu with a slope of [3] for the second of three dimensions, as it comes and as ONNX wants it. */
const prelu =
  (dims: readonly number[]) =>
  (x: string, y: string, id: string): Motif => ({
    nodes: [node('PRelu', [x, `${id}s`], [y])],
    initializers: { [`${id}s`]: constant('float32', dims, [0.5, -1, 2]) },
  })

const pluginOps = (x: string, y: string, id: string, dice: number): Motif =>
  dice % 2 === 0
    ? prelu([3, 1])(x, y, id)
    : {
        nodes: [node('LayerNormalization', [x, `${id}s`, `${id}b`], [y], { axis: -1, epsilon: 0.001 })],
        initializers: {
          [`${id}s`]: constant('float32', [4], [1, 2, -1, 0.5]),
          [`${id}b`]: constant('float32', [4], [0, 1, 2, -1]),
        },
      }

const CASES: Readonly<Record<string, Case>> = {
  append: fc
    .tuple(randomModel(), motifGraph({ motif: branching, dims: [2, 2, 3, 4] }), dice)
    .map(([second, { bytes: first }, dice]) => async () => {
      const [before, behind] = [await onnx.read(first), await onnx.read(second.bytes)]
      const feeds = onnx.sampleFeeds(before)
      const given = await run(first, feeds)
      const [link] = Object.keys(given).slice(-1) as [string]
      const { [link]: x, ...rest } = given
      const results = Object.values(await run(second.bytes, { x: x as Tensor }))
      const connect = { x: link }
      return dice % 2 === 0
        ? {
            model: before,
            step: onnx.append({ model: behind, connect }),
            feeds,
            wanted: [...Object.values(rest), ...results],
          }
        : {
            model: behind,
            step: onnx.append({ model: before, connect, inFront: true }),
            feeds,
            wanted: [...results, ...Object.values(rest)],
          }
    }),
  'cast-int64': onModels(async ({ model, feeds }) => {
    const { graph } = model
    onnx.inferTypes(model)
    const sizes = graph.nodes.flatMap(({ outputs }) => outputs).filter((value) => value?.type === 'int64')
    for (const value of sizes.slice(0, 2)) graph.addOutput(value as onnx.Value)
    const count = graph.addInput('count', 'int64', [])
    const [float] = graph.addNode({ opType: 'Cast', inputs: [count], attributes: { to: ['int', 1] } }).outputs
    const [sum] = graph.addNode({ opType: 'Add', inputs: [graph.inputs[0], float] }).outputs as [onnx.Value]
    sum.setType('float32', graph.inputs[0]?.dims)
    graph.addOutput(sum)
    const given = await run(model, { ...feeds, count: new Tensor('int64', BigInt64Array.of(-3n), []) })
    const wanted = Object.values(given).map((tensor) =>
      tensor.type === 'int64'
        ? new Tensor('int32', Int32Array.from(tensor.data as BigInt64Array, Number), tensor.dims)
        : tensor,
    )
    const count32 = new Tensor('int32', Int32Array.of(-3), [])
    return { model, step: onnx.castInt64(), feeds: { ...feeds, count: count32 }, wanted }
  }),
  'clamp-weights': onModels(async ({ twin, model, feeds }, dice) => {
    const max = 0.1 + (dice % 30) / 10
    return {
      model,
      step: onnx.clampWeights({ max }),
      feeds,
      wanted: Object.values(await run(twin({ limit: max }), feeds)),
    }
  }),
  extract: onModels(async ({ bytes, model, feeds }, dice) => {
    const values = await everyValue(bytes, feeds)
    onnx.inferTypes(model)
    const end = dice % values.length
    const [output, wanted] = values[end] as [string, Tensor]
    const [input, tensor] = values[Math.floor(dice / 1000) % Math.max(end, 1)] as [string, Tensor]
    const isCut = dice % 3 > 0 && input !== output
    const step = onnx.extract({ outputs: [output], ...(isCut && { inputs: ['x', input] }) })
    return { model, step, feeds: { ...feeds, [input]: tensor }, wanted: [wanted] }
  }),
  'fix-input': onModels(async ({ twin, feeds }) => {
    const model = await onnx.read(twin({ isDynamic: false }))
    const wanted = Object.values(await run(model, feeds))
    const step = onnx.fixInput({ values: { x: [...(feeds.x as Tensor<'float32'>).data] } })
    return { model, step, feeds, wanted }
  }),
  'fix-instance-norm-epsilon': onMotifs(
    onnx.fixInstanceNormEpsilon(),
    motifGraph({ motif: instanceNorm(0), twin: instanceNorm(1e-4) }),
  ),
  'fix-prelu-slope': onMotifs(onnx.fixPreluSlope(), motifGraph({ motif: prelu([3]), twin: prelu([3, 1]) }), {
    before: onnx.inferShapes(),
  }),
  'insert-output': onModels(async ({ bytes, model, feeds }, dice) => {
    const values = await everyValue(bytes, feeds)
    onnx.inferTypes(model)
    const [name, tensor] = values[dice % values.length] as [string, Tensor]
    const given = await run(bytes, feeds)
    const wanted = [...Object.values(given), ...(name in given ? [] : [tensor])]
    return { model, step: onnx.insertOutput({ values: [name] }), feeds, wanted }
  }),
  'lower-plugins': onMotifs(onnx.lowerPlugins(), motifGraph({ motif: pluginOps }), { before: onnx.usePlugins() }),
  'mark-intermediates': onModels(async ({ bytes, model, feeds }, dice) => {
    const values = await everyValue(bytes, feeds)
    onnx.inferTypes(model)
    // Nodes are called as what they give.
    const [name, tensor] = values[dice % values.length] as [string, Tensor]
    const given = await run(bytes, feeds)
    const wanted = [...Object.values(given), ...(name in given ? [] : [tensor])]
    return { model, step: onnx.markIntermediates({ nodes: [name] }), feeds, wanted }
  }),
  'rename-op': asBefore(onnx.renameOp({ ops: ['Identity'], to: 'Dropout' })),
  'rename-values': onModels(async ({ bytes, model, feeds }, dice) => {
    const wanted = Object.values(await run(bytes, feeds))
    const prefix = dice % 2 === 0 ? 'first/' : undefined
    const step = onnx.renameValues({ names: { x: 'pixels' }, prefix })
    return { model, step, feeds: { [`${prefix ?? ''}pixels`]: feeds.x as Tensor }, wanted }
  }),
  'replace-subgraph': asBefore(onnx.replaceSubgraph({ pattern: 'y = Relu(x)', replacement: 'y = Max(x, Sub(x, x))' })),
  'rewrite-focus': onMotifs(onnx.rewriteFocus(), motifGraph({ motif: focus, dims: [2, 3, 4, 6] }), {
    before: onnx.inferShapes(),
  }),
  'set-attribute': asBefore(onnx.setAttribute({ ops: ['BatchNormalization'], name: 'epsilon', value: 1e-5 })),
  'set-batch': withBatch((batch, _, dice) => onnx.setBatch({ batch: dice % 5 < 3 ? batch : 'B' })),
  'set-shape': withBatch((batch, isDynamic, dice) =>
    isDynamic && dice % 2 === 0
      ? onnx.setShape({ sizes: { N: dice % 5 < 3 ? batch : 'M' } })
      : onnx.setShape({ shapes: { x: [batch, null, null, null] } }),
  ),
  'upgrade-opset': asBefore(onnx.upgradeOpset({ version: 21 }), 13),
  'use-plugins': onMotifs(onnx.usePlugins(), motifGraph({ motif: pluginOps }), { afterwards: onnx.lowerPlugins() }),
}

describe('on random graphs', () => {
  const results: { readonly pass: string; readonly model: onnx.Model }[] = []

  const passes = [...onnx.PASSES].filter(([name, pass]) => pass.keepsMeaning || name in CASES)

  it.for(passes)('%s', async ([name, pass]) => {
    let [changes, runs] = [0, 0]
    await fc.assert(
      fc.asyncProperty(CASES[name] ?? asBefore(pass()), async (draw) => {
        const trial = await draw()
        if (trial === undefined) return
        const { model, step, feeds, wanted, afterwards } = trial
        const report = pass.isIdempotent ? await applied(model, step) : await step.apply(model)
        changes += report.changes.length
        if (afterwards !== undefined) await onnx.transform(model, [afterwards])
        expectSameTensors(wanted, await run(model, feeds))
        results.push({ pass: name, model })
        runs++
      }),
      { numRuns: 16, seed: 9 },
    )
    expect(runs).toBeGreaterThan(8)
    if (name in CASES) expect(changes).toBeGreaterThan(0)
  })

  it("leave what Python's checker takes", async (ctx) => {
    const verdicts = await checkedByPython(
      onnxPython(ctx),
      results.map(({ model }) => model),
    )
    const refused = results.flatMap(({ pass }, index) => (verdicts[index] === '' ? [] : [[pass, verdicts[index]]]))
    expect(refused).toEqual([])
  })
})
