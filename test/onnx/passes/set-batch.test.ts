import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { type Constant, constant, makeModel, type NodeSpec, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, type RealModel, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { applied, checkedByPython } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

/** One sample of a tensor with the batch in front. */
const sample = ({ type, dims, data }: Tensor, index: number): Tensor => {
  const size = data.length / (dims[0] as number)
  return new Tensor(type, data.slice(index * size, (index + 1) * size) as never, [1, ...dims.slice(1)]) as Tensor
}

const stacked = (tensors: readonly Tensor[]): Tensor => {
  const [{ type, dims }] = tensors as [Tensor]
  const data = tensors.flatMap((tensor) => Array.from(tensor.data as Iterable<number>))
  const joined = Tensor.fromBuffer(type, new ArrayBuffer(0), [0])
  const typed = (joined.data.constructor as Float32ArrayConstructor).from(data)
  return new Tensor(type, typed as never, [tensors.length * (dims[0] as number), ...dims.slice(1)]) as Tensor
}

/** Feeds of `count` samples, and what the model as it was says of each alone. */
async function reference(real: RealModel, count: number) {
  const singles = Array.from({ length: count }, (_, seed) =>
    Object.fromEntries(Object.entries(feedsOf(real, seed)).map(([name, tensor]) => [name, sample(tensor, 0)])),
  )
  const outputs: Tensor[][] = []
  for (const feeds of singles) outputs.push(Object.values(await runOnOnnxruntime(real.path, feeds)))
  const feeds = Object.fromEntries(
    Object.keys(singles[0] ?? {}).map((name) => [name, stacked(singles.map((single) => single[name] as Tensor))]),
  )
  return { feeds, outputs }
}

async function expectSampleBySample(model: onnx.Model, real: RealModel, count: number): Promise<void> {
  const { feeds, outputs } = await reference(real, count)
  const given = Object.values(await runOnOnnxruntime(model.toBytes(), feeds))
  for (const [index, single] of outputs.entries()) {
    for (const [output, expected] of single.entries()) {
      const actual = sample(given[output] as Tensor, index)
      expect(actual.dims).toEqual(expected.dims)
      const isOff = (x: number, i: number) => !(Math.abs(x - (actual.data[i] as number)) <= 1e-3 * (1 + Math.abs(x)))
      expect((expected.data as Float32Array).findIndex(isOff), `sample ${index} of output ${output}`).toBe(-1)
    }
  }
}

describe('set-batch on real models', () => {
  it.for(['pp-ocrv4-cls', 'mtcnn-onet', 'magika'])(
    'fixes the batch of %s, and sets it free again where simplify has written it into the graph',
    async (name, ctx) => {
      const python = onnxPython(ctx)
      const real = realModel(name)
      const model = await onnx.read(installed(ctx, real))
      await onnx.transform(model, [onnx.setShape({ shapes: fixedShapes(real, 2) })])
      // Now every shape is a constant, as in a model that was exported with fixed shapes.
      await onnx.transform(model, [onnx.simplify()])
      await expectSampleBySample(model, real, 2)
      await applied(model, onnx.setBatch({ batch: 3 }))
      await expectSampleBySample(model, real, 3)
      await applied(model, onnx.setBatch({ batch: 'batch' }))
      expect(model.graph.inputs.filter(({ initializer }) => !initializer).map(({ dims }) => dims?.[0])).toEqual(
        Object.keys(real.inputs).map(() => 'batch'),
      )
      for (const count of [1, 4]) await expectSampleBySample(model, real, count)
      expect(await checkedByPython(python, [model])).toEqual([''])
    },
  )
})

function fixedShapes(real: RealModel, batch: number): Record<string, number[]> {
  return Object.fromEntries(Object.entries(real.inputs).map(([name, { dims }]) => [name, [batch, ...dims.slice(1)]]))
}

describe('sizes that are written into the graph', () => {
  const ints = (...values: number[]) => constant('int64', [values.length], values)

  /** x [1,2,4] through every op that holds sizes; what it computes for each sample does not depend on the batch. */
  const fixed = () =>
    makeModel({
      inputs: { x: ['float32', [1, 2, 4]] },
      outputs: { heads: ['float32', [2, 4]], padded: ['float32', [1, 3, 4]], big: ['float32', [1, 2, 8]] },
      initializers: {
        to_heads: ints(2, 4),
        back: ints(1, 2, 4),
        zero: ints(0),
        one: ints(1),
        first: ints(0),
        token: constant('float32', [1, 1, 4], [9, 8, 7, 6]),
        none: constant('float32', [0], []),
        sizes: ints(1, 2, 8),
        same: ints(1, 2, 4),
      },
      nodes: [
        node('Reshape', ['x', 'to_heads'], ['heads']),
        node('Reshape', ['heads', 'back'], ['b']),
        node('Slice', ['b', 'zero', 'one', 'first'], ['s']),
        node('Expand', ['s', 'same'], ['e']),
        node('Concat', ['token', 'e'], ['padded'], { axis: 1 }),
        node('Resize', ['e', 'none', 'none', 'sizes'], ['big'], { mode: 'nearest' }),
      ],
    })

  it.for([3, 'N'] as const)('follow a batch of %s in Reshape, Slice, Expand, Concat and Resize', async (batch) => {
    const model = await onnx.read(fixed())
    await applied(model, onnx.setBatch({ batch }))
    const data = Float32Array.from({ length: 24 }, (_, i) => i)
    const given = await runOnOnnxruntime(model.toBytes(), { x: new Tensor('float32', data, [3, 2, 4]) })
    for (let index = 0; index < 3; index++) {
      const x = new Tensor('float32', data.slice(index * 8, index * 8 + 8), [1, 2, 4])
      const expected = await runOnOnnxruntime(fixed(), { x })
      for (const [name, tensor] of Object.entries(expected)) {
        const size = tensor.data.length
        expect(given[name]?.data.slice(index * size, (index + 1) * size), `${name} of sample ${index}`).toEqual(
          tensor.data,
        )
      }
    }
    expect(given.heads?.dims).toEqual([6, 4])
    expect(model.graph.value('padded')?.dims).toEqual([batch, 3, 4])
  })

  /** By what holds the batch of 2: nodes from x [2,5,4] to y, which has the batch in front. */
  const HOLDERS: Readonly<Record<string, { nodes: NodeSpec[]; constants: Record<string, Constant> }>> = {
    'an expanded token': {
      nodes: [node('Expand', ['token', 'sizes'], ['tokens']), node('Concat', ['tokens', 'x'], ['y'], { axis: 1 })],
      constants: { token: constant('float32', [1, 1, 4], [9, 8, 7, 6]), sizes: ints(2, 1, 4) },
    },
    'a ConstantOfShape': {
      nodes: [
        node('ConstantOfShape', ['sizes'], ['tokens'], { value: constant('float32', [1], [0.5]) }),
        node('Concat', ['x', 'tokens'], ['y'], { axis: 1 }),
      ],
      constants: { sizes: ints(2, 1, 4) },
    },
    'a Tile': {
      nodes: [node('Tile', ['places', 'times'], ['all']), node('Add', ['all', 'x'], ['y'])],
      constants: {
        places: constant(
          'float32',
          [1, 5, 4],
          Array.from({ length: 20 }, (_, i) => i),
        ),
        times: ints(2, 1, 1),
      },
    },
    'a stored constant': {
      nodes: [node('Mul', ['x', 'all'], ['m']), node('MatMul', ['m', 'w'], ['y'])],
      constants: {
        all: constant(
          'float32',
          [2, 5, 1],
          Array.from({ length: 10 }, (_, i) => i % 5),
        ),
        w: constant(
          'float32',
          [2, 4, 3],
          Array.from({ length: 24 }, (_, i) => Math.sin(i % 12)),
        ),
      },
    },
    'the states of an LSTM': {
      nodes: [
        node('Transpose', ['x'], ['steps'], { perm: [1, 0, 2] }),
        node('ConstantOfShape', ['sizes'], ['cell'], { value: constant('float32', [1], [0.25]) }),
        node('LSTM', ['steps', 'w', 'r', '', 'lengths', 'hidden', 'cell'], ['', 'last'], { hidden_size: 3 }),
        node('Transpose', ['last'], ['y'], { perm: [1, 0, 2] }),
      ],
      constants: {
        sizes: ints(1, 2, 3),
        lengths: constant('int32', [2], [4, 4]),
        hidden: constant('float32', [1, 2, 3], [1, 2, 3, 1, 2, 3]),
        w: constant(
          'float32',
          [1, 12, 4],
          Array.from({ length: 48 }, (_, i) => Math.sin(i)),
        ),
        r: constant(
          'float32',
          [1, 12, 3],
          Array.from({ length: 36 }, (_, i) => Math.cos(i)),
        ),
      },
    },
  }

  it.for(Object.entries(HOLDERS))('follow in %s', async ([, { nodes, constants }], ctx) => {
    const bytes = makeModel({
      inputs: { x: ['float32', [2, 5, 4]] },
      outputs: { y: ['float32', ['a', 'b', 'c']] },
      initializers: constants,
      nodes,
    })
    const samples = [0, 1, 2].map((seed) => Float32Array.from({ length: 20 }, (_, i) => Math.sin(i + 20 * seed)))
    const run = async (model: Uint8Array, ...seeds: number[]) => {
      const data = Float32Array.from(seeds.flatMap((seed) => [...(samples[seed] as Float32Array)]))
      const { y } = await runOnOnnxruntime(model, { x: new Tensor('float32', data, [seeds.length, 5, 4]) })
      return seeds.map((_, index) => sample(y as Tensor, index))
    }
    const [[first, second], [third]] = [await run(bytes, 0, 1), await run(bytes, 2, 0)]
    const models: onnx.Model[] = []
    for (const batch of [3, 1, 'N'] as const) {
      const model = await onnx.read(bytes)
      models.push(model)
      await applied(model, onnx.setBatch({ batch }))
      if (batch !== 1) expect(await run(model.toBytes(), 0, 1, 2)).toEqual([first, second, third])
      if (batch !== 3) expect(await run(model.toBytes(), 2)).toEqual([third])
    }
    expect(await checkedByPython(onnxPython(ctx), models)).toEqual(['', '', ''])
  })

  it('stay where each of the batch has something of its own', async () => {
    const own = makeModel({
      inputs: { x: ['float32', [2, 2]] },
      outputs: { y: ['float32', [2, 2]] },
      initializers: { w: constant('float32', [2, 2], [1, 2, 1, 3]) },
      nodes: [node('Add', ['x', 'w'], ['y'])],
    })
    const error = await failure('UNSUPPORTED', async () =>
      onnx.transform(await onnx.read(own), [onnx.setBatch({ batch: 3 })]),
    )
    expect(error.message).toMatch(/Add "y"/)
  })

  it('say no where they cannot follow, and what is no input or axis', async () => {
    const layer = makeModel({
      inputs: { x: ['float32', [1, 3, 2, 2]] },
      outputs: { y: ['float32', [1, 5]] },
      initializers: { w: constant('float32', [12, 5], new Array(60).fill(1)) },
      nodes: [node('Flatten', ['x'], ['f'], { axis: 1 }), node('MatMul', ['f', 'w'], ['y'])],
    })
    const refusal = async (step: onnx.Transform, code: 'UNSUPPORTED' | 'INVALID_ARGUMENT') =>
      (await failure(code, async () => onnx.transform(await onnx.read(layer), [step]))).message
    expect(await refusal(onnx.setShape({ shapes: { x: [1, 3, 4, 4] } }), 'UNSUPPORTED')).toMatch(/MatMul "y"/)
    expect(await refusal(onnx.setShape({ shapes: { z: [1] } }), 'INVALID_ARGUMENT')).toMatch(/no input "z"/)
    expect(await refusal(onnx.setShape({ shapes: { x: [1] } }), 'INVALID_ARGUMENT')).toMatch(/has 4 dimensions/)
    expect(await refusal(onnx.setBatch({ batch: 2, axes: { x: 4 } }), 'INVALID_ARGUMENT')).toMatch(/no axis 4/)
    expect(await refusal(onnx.setBatch(), 'INVALID_ARGUMENT')).toMatch(/expected a batch/)
  })

  it('change in every input that has the name', async () => {
    const model = await onnx.read(
      makeModel({
        inputs: { a: ['float32', ['N', 'S']], b: ['float32', ['S', 'N']] },
        outputs: { y: ['float32', ['N', 'N']] },
        nodes: [node('MatMul', ['a', 'b'], ['y'])],
      }),
    )
    await applied(model, onnx.setShape({ sizes: { N: 4, S: 'T' } }))
    expect(model.graph.inputs.map(({ dims }) => dims)).toEqual([
      [4, 'T'],
      ['T', 4],
    ])
    expect(model.graph.outputs[0]?.dims).toEqual([4, 4])
  })
})
