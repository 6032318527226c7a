import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { expectKeepsMeaning, motifGraph } from '../helpers/motif-graph.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

/** As MXNet exports it: IR 3, the slope [C] listed among the inputs too. Two PRelus, of [2,3,4,w] and [2,d]. */
function exported(w: number, d = 3): Promise<onnx.Model> {
  return onnx.read(
    makeModel({
      ir: 3,
      opset: 9,
      inputs: { x: ['float32', [2, 3, 4, w]], f: ['float32', [2, d]], s: ['float32', [3]], t: ['float32', [d]] },
      outputs: { y: ['float32', [2, 3, 4, w]], g: ['float32', [2, d]] },
      initializers: { s: constant('float32', [3], [0.1, 0.2, 0.4]), t: constant('float32', [d], Array(d).fill(0.5)) },
      nodes: [node('PRelu', ['x', 's'], ['y']), node('PRelu', ['f', 't'], ['g'])],
    }),
  )
}

describe('fix-prelu-slope', () => {
  it('makes slopes by channel of ONNX’s own tests run, as they expect', async (ctx) => {
    const python = onnxPython(ctx)
    const cases: { path: string; x: number[]; dims: number[]; y: number[] }[] = JSON.parse(python(CONVERTED))
    expect(cases).toHaveLength(2)
    for (const { path, x, dims, y } of cases) {
      const model = await onnx.read(join(path, 'model.onnx'))
      const report = await applied(model, onnx.fixPreluSlope())
      expect(report.changes).toEqual([
        {
          where: expect.anything(),
          what: dims.length === 4 ? 'slope [3] reshaped to [3,1,1]' : 'slope [3] reshaped to [3,1,1,1]',
        },
      ])
      // onnxruntime has no PRelu of version 6, which knew no other slope than one by channel.
      model.setOpset('', 7)
      const [input] = model.graph.inputs
      const feeds = { [input?.name ?? '']: new trt.Tensor('float32', Float32Array.from(x), dims) }
      const [given] = Object.values(await runOnOnnxruntime(model.toBytes(), feeds))
      const wanted = new trt.Tensor('float32', Float32Array.from(y), given?.dims)
      expect(onnx.compareTensors(wanted, given as trt.Tensor, { atol: 1e-6, rtol: 0 }).maxAbs).toBe(0)
    }
  })

  it('changes the input of an old model too, and leaves slopes of two dimensions', async (ctx) => {
    const python = onnxPython(ctx)
    const model = await exported(5)
    const report = await applied(model, onnx.fixPreluSlope())
    expect(report).toMatchObject({
      changes: [{ where: 'PRelu "y"', what: 'slope [3] reshaped to [3,1,1]' }],
      notes: [],
    })
    const dims = (name: string) => [model.graph.value(name)?.dims, model.graph.value(name)?.initializer?.dims]
    expect(dims('s')).toEqual([
      [3, 1, 1],
      [3, 1, 1],
    ])
    expect(dims('t')).toEqual([[3], [3]])
    expect(await checkedByPython(python, [model])).toEqual([''])
  })

  it('decides by the model’s other slopes where the width is the channels', async () => {
    const alone = await exported(3)
    const report = await applied(alone, onnx.fixPreluSlope())
    expect(report).toMatchObject({
      changes: [],
      notes: [expect.stringMatching(/stays by the last one, as ONNX has it/)],
    })
    const both = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [2, 3, 4, 3]], z: ['float32', [2, 3, 4, 5]] },
        outputs: { y: ['float32', [2, 3, 4, 3]], w: ['float32', [2, 3, 4, 5]], v: ['float32', [2, 3, 4, 3]] },
        initializers: { s: constant('float32', [3], [0.1, 0.2, 0.4]) },
        nodes: [node('PRelu', ['x', 's'], ['y']), node('PRelu', ['z', 's'], ['w']), node('Mul', ['x', 's'], ['v'])],
      }),
    )
    const decided = await applied(both, onnx.fixPreluSlope())
    expect(decided.changes.map(({ where }) => where)).toEqual(['PRelu "w"', 'PRelu "y"'])
    expect(decided.notes).toEqual([expect.stringMatching(/was taken by channel, as others of the model are/)])
    // The slope itself stays: Mul reads it as ONNX has it.
    expect(both.graph.value('s')?.dims).toEqual([3])
    await onnx.run(both, onnx.sampleFeeds(both))
  })

  it.for(['mtcnn-pnet', 'mtcnn-rnet', 'mtcnn-onet'])(
    'leaves every slope of %s, as they are right',
    async (name, ctx) => {
      const model = await onnx.read(installed(ctx, realModel(name)))
      await onnx.transform(model, [onnx.inferShapes()])
      const report = await applied(model, onnx.fixPreluSlope())
      expect(report).toMatchObject({ changes: [], notes: [] })
    },
  )
})

describe('decompose-prelu', () => {
  it('keeps a real model’s outputs', async (ctx) => {
    const python = onnxPython(ctx)
    const onet = realModel('mtcnn-onet')
    const path = installed(ctx, onet)
    const [before, after] = [await onnx.read(path), await onnx.read(path)]
    const report = await applied(after, onnx.decomposePrelu())
    expect(report.changes).toHaveLength(5)
    expect(after.graph.find({ opType: 'PRelu' })).toEqual([])
    await expectSameOutputs(before, after, feedsOf(onet, 1), { atol: 0, rtol: 0 })
    expect(await checkedByPython(python, [after])).toEqual([''])
  })

  it('keeps the outputs of random graphs, whatever the slope’s shape', async () => {
    const shapes = [[4], [3, 1], [1], [], [2, 3, 4]]
    const motif = (x: string, y: string, id: string, dice: number) => {
      const dims = shapes[dice % shapes.length] as number[]
      const count = dims.reduce((a, b) => a * b, 1)
      return {
        nodes: [node('PRelu', [x, `${id}s`], [y])],
        initializers: {
          [`${id}s`]: constant(
            'float32',
            dims,
            Array.from({ length: count }, (_, i) => 0.3 - i / 7),
          ),
        },
      }
    }
    await expectKeepsMeaning(motifGraph({ motif }), [onnx.decomposePrelu()], (_, __, model) =>
      expect(model.graph.find({ opType: 'PRelu' })).toEqual([]),
    )
  })
})

const CONVERTED = `
import json, onnx, os
from onnx import numpy_helper
root = os.path.join(os.path.dirname(onnx.__file__), 'backend/test/data/pytorch-converted')
def tensor(path):
    with open(path, 'rb') as file:
        return numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))
cases = []
for rank in [2, 3]:
    path = f'{root}/test_PReLU_{rank}d_multiparam'
    x, y = [tensor(f'{path}/test_data_set_0/{name}_0.pb') for name in ['input', 'output']]
    cases.append({'path': path, 'x': x.ravel().tolist(), 'dims': x.shape, 'y': y.ravel().tolist()})
print(json.dumps(cases))
`
