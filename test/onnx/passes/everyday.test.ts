import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

describe('clamp-weights', () => {
  it('moves what is beyond the limit, infinities too, with its sign, and nothing else', async (ctx) => {
    const values = [1, -3.4e38, Infinity, -Infinity, 65504, 65505, -0, Number.NaN]
    const model = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [8]] },
        outputs: { y: ['float32', [8]] },
        initializers: { w: constant('float32', [8], values) },
        nodes: [
          node('Constant', [], ['c'], { value: constant('float32', [], [-1e30]) }),
          node('Add', ['x', 'w'], ['a']),
          node('Max', ['a', 'c'], ['y']),
        ],
      }),
    )
    const report = await applied(model, onnx.clampWeights())
    expect([...(model.graph.value('w')?.initializer?.toTensor().data ?? [])]).toEqual([
      1,
      -65504,
      65504,
      -65504,
      65504,
      65504,
      -0,
      Number.NaN,
    ])
    expect(model.graph.node('c')?.get('value', 'tensor')?.toTensor().data[0]).toBe(-65504)
    expect(report).toMatchObject({ figures: { 'elements moved': 5 }, notes: [expect.stringMatching(/^w has 1 .*NaN/)] })
    expect(await checkedByPython(onnxPython(ctx), [model])).toEqual([''])
  })

  it('settles at limits that the type does not hold exactly, and refuses one that is none', async () => {
    const weights = constant('float32', [2], [1, -0.05])
    const bytes = makeModel({
      inputs: { x: ['float32', [2]] },
      outputs: { y: ['float32', [2]] },
      initializers: { w: weights },
      nodes: [node('Add', ['x', 'w'], ['y'])],
    })
    const model = await onnx.read(bytes)
    await applied(model, onnx.clampWeights({ max: 0.1 }))
    expect([...(model.graph.value('w')?.initializer?.toTensor().data ?? [])]).toEqual([0.1, -0.05].map(Math.fround))
    await failure('INVALID_ARGUMENT', () => onnx.clampWeights({ max: 0 }))
  })

  it('changes a mask of a real model, whose outputs stay as they were', async (ctx) => {
    const real = realModel('all-minilm-l6-v2')
    const model = await onnx.read(installed(ctx, real))
    const report = await applied(model, onnx.clampWeights())
    expect(report.changes.length).toBeGreaterThan(0)
    // Sequences that are masked in part: a mask of -65504 hides as well as one of -3.4e38.
    const feeds = feedsOf(real, 4)
    const mask = feeds.attention_mask as Tensor<'int64'>
    mask.data.fill(0n, 5, 8)
    await expectSameOutputs(real.path, model, feeds)
  })
})

describe('cast-int64', () => {
  it('lets a real model take int32, and say the same', async (ctx) => {
    const real = realModel('all-minilm-l6-v2')
    const model = await onnx.read(installed(ctx, real))
    const report = await applied(model, onnx.castInt64())
    expect(report.changes.map(({ where }) => where)).toEqual(['input_ids', 'attention_mask', 'token_type_ids'])
    expect(model.graph.inputs.map(({ type, dims }) => [type, dims?.length])).toEqual(Array(3).fill(['int32', 2]))
    const wide = feedsOf(real, 5)
    const narrow = Object.fromEntries(
      Object.entries(wide).map(([name, { data, dims }]) => [
        name,
        new Tensor('int32', Int32Array.from(data as BigInt64Array, Number), dims) as Tensor,
      ]),
    )
    expect(await runOnOnnxruntime(model.toBytes(), narrow)).toEqual(await runOnOnnxruntime(real.path, wide))
    expect(await checkedByPython(onnxPython(ctx), [model])).toEqual([''])
  })

  it('does so for outputs, also one that is read inside, and says which constants int32 cannot hold', async () => {
    const spec = {
      inputs: { x: ['float32', [2, 3]] },
      outputs: { i: ['int64', [2]], y: ['int64', [2]] },
      initializers: { big: constant('int64', [1], [2n ** 40n]) },
      nodes: [node('ArgMax', ['x'], ['i'], { axis: 1, keepdims: 0 }), node('Min', ['i', 'big'], ['y'])],
    } as const
    const model = await onnx.read(makeModel(spec))
    const report = await applied(model, onnx.castInt64())
    expect(report.notes).toEqual([expect.stringMatching(/^constant "big" holds integers that int32 cannot/)])
    const feeds = { x: new Tensor('float32', Float32Array.of(1, 3, 2, 9, 8, 7), [2, 3]) }
    const { i, y } = await runOnOnnxruntime(model.toBytes(), feeds)
    expect([i, y].map((tensor) => [tensor?.type, ...(tensor?.data ?? [])])).toEqual([
      ['int32', 1, 0],
      ['int32', 1, 0],
    ])
    const inputsOnly = await onnx.read(makeModel(spec))
    expect((await applied(inputsOnly, onnx.castInt64({ outputs: false }))).changes).toEqual([])
  })
})

describe('rewrite-focus', () => {
  /** As PyTorch exports YOLOv5's Focus: for each corner a Slice of rows and one of columns, then Concat and Conv. */
  function focus({ order = [0, 1, 2, 3], readTwice = false, step = 2 } = {}) {
    const corners = [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const
    const parts = order.map((index) => corners[index] as readonly [number, number])
    const int = (value: number | bigint) => constant('int64', [1], [BigInt(value)])
    const [batch, channels, rows, columns] = [2, 3, 8, 6] as const
    const weights = Array.from({ length: 5 * 4 * channels * 9 }, (_, index) => Math.sin(index))
    return makeModel({
      opset: 12,
      inputs: { x: ['float32', [batch, channels, rows, columns]] },
      outputs: {
        y: ['float32', [batch, 5, rows / 2, columns / 2]],
        ...(readTwice && { z: ['float32', [batch, 4 * channels, rows / 2, columns / 2]] as const }),
      },
      initializers: {
        zero: int(0),
        one: int(1),
        end: int(2n ** 63n - 1n),
        rows: int(2),
        columns: int(-1),
        step: int(step),
        w: constant('float32', [5, 4 * channels, 3, 3], weights),
      },
      nodes: [
        ...parts.flatMap(([row, column], index) => [
          node('Slice', ['x', row ? 'one' : 'zero', 'end', 'rows', 'step'], [`r${index}`]),
          node('Slice', [`r${index}`, column ? 'one' : 'zero', 'end', 'columns', 'step'], [`s${index}`]),
        ]),
        node('Concat', ['s0', 's1', 's2', 's3'], ['f'], { axis: 1 }),
        node('Conv', ['f', 'w'], ['y'], { pads: [1, 1, 1, 1] }),
        ...(readTwice ? [node('Relu', ['f'], ['z'])] : []),
      ],
    })
  }
  const feeds = {
    x: new Tensor(
      'float32',
      Float32Array.from({ length: 288 }, (_, i) => Math.cos(i)),
      [2, 3, 8, 6],
    ),
  }
  const ops = (model: onnx.Model) => model.graph.nodes.map(({ opType }) => opType)

  it('makes SpaceToDepth of it, its order in the weights of the convolution', async (ctx) => {
    const model = await onnx.read(focus())
    const report = await applied(model, onnx.rewriteFocus())
    expect(report.changes).toEqual([{ where: 'Concat "f"', what: 'made SpaceToDepth, folded into Conv "y"' }])
    expect(ops(model)).toEqual(['SpaceToDepth', 'Conv'])
    await expectSameOutputs(focus(), model, feeds)
    expect(await checkedByPython(onnxPython(ctx), [model])).toEqual([''])
  })

  it('whatever the order of the corners, and by a Gather where others read it', async () => {
    for (const order of [
      [0, 2, 1, 3],
      [3, 0, 2, 1],
      [1, 3, 0, 2],
    ]) {
      for (const readTwice of [false, true]) {
        const model = await onnx.read(focus({ order, readTwice }))
        await applied(model, onnx.rewriteFocus())
        expect(ops(model)).not.toContain('Slice')
        await expectSameOutputs(focus({ order, readTwice }), model, feeds)
      }
    }
    const unfolded = await onnx.read(focus())
    await applied(unfolded, onnx.rewriteFocus({ fold: false }))
    expect(ops(unfolded)).toEqual(['SpaceToDepth', 'Gather', 'Conv'])
    await expectSameOutputs(focus(), unfolded, feeds)
  })

  it('leaves what is no Focus', async () => {
    const threes = await onnx.read(focus({ step: 3 }))
    const same = await onnx.read(focus({ order: [0, 0, 1, 2] }))
    for (const model of [threes, same]) expect((await applied(model, onnx.rewriteFocus())).changes).toEqual([])
  })
})
