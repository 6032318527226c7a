// fuse-layer-norm and fuse-gelu: against the bodies that ONNX itself defines, real models, and random graphs.
import { join } from 'node:path'
import type { Tensor } from 'tensorrt-node'
import * as trt from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { expectKeepsMeaning, type Motif, motifGraph, valueNames } from '../helpers/motif-graph.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

interface Case {
  readonly path: string
  readonly inputs: Readonly<Record<string, { dims: number[]; data: number[] }>>
  readonly outputs: readonly { dims: number[]; data: number[] }[]
}

const float32 = ({ dims, data }: { dims: number[]; data: number[] }): Tensor =>
  new trt.Tensor('float32', Float32Array.from(data), dims)

describe.each([
  ['layer_normalization', 'LayerNormalization', onnx.fuseLayerNorm(), 38],
  ['gelu', 'Gelu', onnx.fuseGelu(), 4],
] as const)('ONNX’s own bodies of %s', (prefix, op, step, count) => {
  it('are all found, and give what the tests expect', async (ctx) => {
    const python = onnxPython(ctx)
    const cases: Case[] = JSON.parse(python(NODE_TESTS, prefix))
    expect(cases).toHaveLength(count)
    const models: onnx.Model[] = []
    for (const { path, inputs, outputs } of cases) {
      const model = await onnx.read(join(path, 'model.onnx'))
      await applied(model, step)
      expect(model.graph.find({ opType: op }), path).toHaveLength(1)
      expect(model.graph.find({ opType: /ReduceMean|Sqrt|Erf|Tanh/ }), path).toEqual([])
      const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, float32(tensor)]))
      const given = Object.values(await runOnOnnxruntime(model.toBytes(), feeds))
      for (const [index, wanted] of outputs.entries()) {
        const difference = onnx.compareTensors(float32(wanted), given[index] as Tensor, { atol: 1e-5, rtol: 1e-3 })
        expect(onnx.differenceText(difference), `${path}, output ${index}`).toBeUndefined()
      }
      models.push(model)
    }
    expect(await checkedByPython(python, models)).toEqual(cases.map(() => ''))
  })
})

describe('fuse-layer-norm and fuse-gelu', () => {
  it.for([
    ['all-minilm-l6-v2', 13, 6],
    ['pp-ocrv6-rec', 5, 13],
  ] as const)('find all of %s, which computes the same', async ([name, norms, gelus], ctx) => {
    const path = installed(ctx, realModel(name))
    const [before, after] = [await onnx.read(path), await onnx.read(path)]
    const [norm, gelu] = [await applied(after, onnx.fuseLayerNorm()), await applied(after, onnx.fuseGelu())]
    const replaced = (report: onnx.PassReport) => report.changes.filter(({ what }) => / replaced by /.test(what)).length
    expect([replaced(norm), replaced(gelu)]).toEqual([norms, gelus])
    await expectSameOutputs(before, after, feedsOf(realModel(name), 1), { atol: 1e-4 })
  })

  it('find them anywhere in random graphs, in every form, and leave alone what is none', async () => {
    let found = 0
    await expectKeepsMeaning(motifGraph({ motif: norm, opset: 13 }), [onnx.fuseLayerNorm()], (_, { copies }, model) => {
      expect(model.graph.find({ opType: 'LayerNormalization' }).length).toBe(copies)
      found += copies
    })
    await expectKeepsMeaning(motifGraph({ motif: gelu, opset: 13 }), [onnx.fuseGelu()], (_, { copies }, model) => {
      expect(model.graph.find({ opType: 'Gelu' }).length).toBe(copies)
      found += copies
    })
    expect(found).toBeGreaterThan(100)
    await expectKeepsMeaning(motifGraph({ motif: nearly, opset: 13 }), [onnx.fuseLayerNorm()], (_, __, model) =>
      expect(model.graph.find({ opType: 'LayerNormalization' })).toEqual([]),
    )
  })

  it('say that they need a rank where the axes count from the front', async () => {
    const { nodes, initializers = {} } = norm('a', 'b', '', 0)
    const model = await onnx.read(
      makeModel({
        opset: 13,
        inputs: { x: ['float32', [2, 3, 4]] },
        outputs: { y: ['float32', [2, 3, 4]] },
        initializers,
        nodes: [
          node('Abs', ['x'], ['a']),
          ...nodes.map((step) => (step.op === 'ReduceMean' ? { ...step, attributes: { axes: [2] } } : step)),
          node('Abs', ['b'], ['y']),
        ],
      }),
    )
    const report = await applied(model, onnx.fuseLayerNorm())
    expect(report.notes).toEqual([
      expect.stringMatching(/"a" was left alone: its rank is not known; run infer-shapes first/),
    ])
    await onnx.transform(model, [onnx.inferShapes(), onnx.fuseLayerNorm()])
    expect(model.graph.find({ opType: 'LayerNormalization' })).toHaveLength(1)
  })
})

/** LayerNormalization over [4] of [2,3,4]: `dice` decides how it is written. */
function norm(x: string, y: string, id: string, dice: number): Motif {
  const [m, c, b, q, v, s, d, n, w, e] = valueNames(id, 'm', 'c', 'b', 'q', 'v', 's', 'd', 'n', 'w', 'e')
  const mean = (from: string, to: string) => node('ReduceMean', [from], [to], { axes: [-1] })
  const own = dice % 2 === 0 ? c : b
  const square = dice % 3 === 0 ? node('Mul', [own, own], [q]) : node('Pow', [own, `${id}2`], [q])
  const root = [
    [node('Sqrt', [s], [d]), node('Div', [c, d], [n])],
    [node('Sqrt', [s], [d]), node('Reciprocal', [d], [e]), node('Mul', [e, c], [n])],
    [node('Pow', [s, `${id}-0.5`], [d]), node('Mul', [c, d], [n])],
  ][dice % 3] as ReturnType<typeof node>[]
  const tail =
    dice % 5 === 0
      ? [node('Mul', [`${id}scale`, n], [y])]
      : [node('Mul', [n, `${id}scale`], [w]), node('Add', [`${id}bias`, w], [y])]
  return {
    nodes: [
      mean(x, m),
      node('Sub', [x, m], [c]),
      ...(own === b ? [node('Sub', [x, m], [b])] : []),
      square,
      mean(q, v),
      node('Add', [v, `${id}eps`], [s]),
      ...root,
      ...tail,
    ],
    initializers: {
      [`${id}2`]: constant('float32', [], [2]),
      [`${id}-0.5`]: constant('float32', [], [-0.5]),
      [`${id}eps`]: constant('float32', [], [1e-5]),
      // A scale with ones in front, as Paddle has.
      [`${id}scale`]: constant('float32', dice % 4 === 0 ? [1, 1, 4] : [4], [1, 2, -1, 0.5]),
      [`${id}bias`]: constant('float32', [4], [0, 1, 2, -1]),
    },
  }
}

/** Of another axis than the last, or of other axes each time. */
function nearly(x: string, y: string, id: string, dice: number): Motif {
  const { nodes, initializers = {} } = norm(x, y, id, dice)
  const wrong = { axes: dice % 4 < 2 ? [1] : [-2] }
  const last = nodes.findLastIndex(({ op }) => op === 'ReduceMean')
  const isWrong = (index: number): boolean => [true, index === 0, index === last][dice % 3] as boolean
  const changed = nodes.map((step, index) =>
    step.op === 'ReduceMean' && isWrong(index) ? { ...step, attributes: wrong } : step,
  )
  return { nodes: changed, initializers }
}

function gelu(x: string, y: string, id: string, dice: number): Motif {
  const [a, b, c, d, e, f] = valueNames(id, 'a', 'b', 'c', 'd', 'e', 'f')
  const inner =
    dice % 3 === 0
      ? [node('Div', [x, `${id}root`], [a]), node('Erf', [a], [e])]
      : dice % 3 === 1
        ? [node('Mul', [`${id}inverse`, x], [a]), node('Erf', [a], [e])]
        : [
            node('Pow', [x, `${id}3`], [a]),
            node('Mul', [`${id}cubes`, a], [b]),
            node('Add', [x, b], [c]),
            node('Mul', [c, `${id}pi`], [d]),
            node('Tanh', [d], [e]),
          ]
  const last = [
    [node('Mul', [x, f], [`${id}g`]), node('Mul', [`${id}g`, `${id}half`], [y])],
    [node('Mul', [`${id}half`, f], [`${id}g`]), node('Mul', [x, `${id}g`], [y])],
    [node('Mul', [`${id}half`, x], [`${id}g`]), node('Mul', [`${id}g`, f], [y])],
  ][(dice >> 2) % 3] as ReturnType<typeof node>[]
  const numbers = {
    root: Math.SQRT2,
    inverse: Math.SQRT1_2,
    3: 3,
    cubes: 0.044715,
    pi: Math.sqrt(2 / Math.PI),
    half: 0.5,
    1: 1,
  }
  return {
    nodes: [...inner, node('Add', [e, `${id}1`], [f]), ...last],
    initializers: Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [id + name, constant('float32', [], [value])]),
    ),
  }
}

const NODE_TESTS = `
import glob, json, onnx, os, sys
from onnx import numpy_helper
root = os.path.join(os.path.dirname(onnx.__file__), 'backend/test/data/node')
def tensor(path):
    with open(path, 'rb') as file:
        array = numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))
    return {'dims': array.shape, 'data': array.ravel().tolist()}
cases = []
for path in sorted(glob.glob(f'{root}/test_{sys.argv[1]}_*_expanded*')):
    graph = onnx.load(f'{path}/model.onnx').graph
    data = f'{path}/test_data_set_0'
    cases.append({
        'path': path,
        'inputs': {value.name: tensor(f'{data}/input_{i}.pb') for i, value in enumerate(graph.input)},
        'outputs': [tensor(f'{data}/output_{i}.pb') for i in range(len(graph.output))],
    })
print(json.dumps(cases))
`
