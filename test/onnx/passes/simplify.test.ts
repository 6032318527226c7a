import fc from 'fast-check'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModels } from '../helpers/models.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { randomModel } from '../helpers/random-graph.js'

const PASSES = { dedupe: onnx.dedupe(), 'fold-constants': onnx.foldConstants(), simplify: onnx.simplify() }

/** Nodes of every graph. */
const countNodes = (model: onnx.Model) => [...model.graphs()].reduce((sum, { nodes }) => sum + nodes.length, 0)

/**
 * Nodes that Python's onnxsim 0.8.1 leaves, graphs inside nodes included (bench/onnx.md); undefined where it fails.
 * Of PP-OCRv6's detection it leaves 13 fewer than {@link onnx.simplify}: it multiplies the 0.5 of each GELU into the
 * convolution behind it, after which nobody can tell that it was one.
 */
const ONNXSIM: Readonly<Record<string, number | undefined>> = {
  'all-minilm-l6-v2': 548,
  'basic-pitch': 180,
  magika: 93,
  'mtcnn-onet': 24,
  'mtcnn-pnet': 13,
  'mtcnn-rnet': 19,
  'pp-ocrv2-cls': 220,
  'pp-ocrv4-cls': 220,
  'pp-ocrv4-det': 494,
  'pp-ocrv4-rec': 559,
  'pp-ocrv6-det': 227 + 13,
  'pp-ocrv6-rec': 303,
  'silero-vad': 672,
  'silero-vad-16k': undefined,
  'silero-vad-half': undefined,
  'silero-vad-ifless': 90,
  'smart-turn-v3.2': 376,
}

describe('dedupe, fold-constants and simplify', () => {
  it('keep what random models compute, are idempotent, and leave what Python takes', async (ctx) => {
    const python = onnxPython(ctx)
    const results: { pass: string; model: onnx.Model }[] = []
    const fewer: Record<string, number> = { dedupe: 0, 'fold-constants': 0, simplify: 0 }
    await fc.assert(
      fc.asyncProperty(
        randomModel(),
        fc.constantFrom(...Object.entries(PASSES)),
        async ({ bytes, feeds }, [pass, step]) => {
          const model = await onnx.read(bytes)
          const before = countNodes(model)
          await applied(model, step)
          await expectSameOutputs(bytes, model.toBytes(), feeds)
          fewer[pass] = (fewer[pass] ?? 0) + before - countNodes(model)
          results.push({ pass, model })
        },
      ),
      { numRuns: 60, seed: 5 },
    )
    const verdicts = await checkedByPython(
      python,
      results.map(({ model }) => model),
    )
    expect(verdicts.filter((verdict) => verdict !== '')).toEqual([])
    for (const [pass, count] of Object.entries(fewer)) expect(count, `nodes taken out by ${pass}`).toBeGreaterThan(10)
  })
})

describe('simplify', () => {
  it('goes on from what a folded constant makes known: here a shape that only onnxruntime computes', async () => {
    const model = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [6]] },
        outputs: { y: ['float32', [2, 3]] },
        initializers: { c: constant('float32', [2], [Math.log(2), Math.log(3)]) },
        nodes: [
          node('Exp', ['c'], ['e']),
          node('Round', ['e'], ['r']),
          node('Cast', ['r'], ['sizes'], { to: 7 }),
          node('Reshape', ['x', 'sizes'], ['z']),
          node('Shape', ['z'], ['shape']),
          node('Cast', ['shape'], ['f'], { to: 1 }),
          node('ReduceProd', ['f'], ['p']),
          node('Mul', ['z', 'p'], ['y']),
        ],
      }),
    )
    await applied(model, onnx.simplify())
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['Reshape', 'Mul'])
  })
})

describe('constants that are only moved, folded without onnxruntime', () => {
  it("are what ONNX's node tests and numpy say, in every width", async (ctx) => {
    const cases: { name: string; model: string; dims: number[]; data: string }[] = JSON.parse(onnxPython(ctx)(MOVED))
    const results = await Promise.all(
      cases.map(async ({ name, model }) => {
        const read = await onnx.read(Buffer.from(model, 'base64'))
        const [report] = await onnx.transform(read, [onnx.foldConstants()])
        // In these words only of what needs no runtime.
        const isFolded = report?.changes.some(({ what }) => what.startsWith('folded into a constant of shape'))
        const tensor = read.graph.outputs[0]?.producer?.get('value', 'tensor')
        const data = isFolded && tensor ? Buffer.from(tensor.bytes()).toString('base64') : 'left to onnxruntime'
        return { name, dims: tensor?.dims, data }
      }),
    )
    expect(results.length).toBeGreaterThan(60)
    expect(results).toEqual(cases.map(({ name, dims, data }) => ({ name, dims, data })))
  })

  it('are, of dequantised biases, what onnxruntime computes, to the bit', async () => {
    const integers = [
      0,
      1,
      -1,
      2 ** 31 - 1,
      -(2 ** 31),
      16777217,
      ...Array.from({ length: 500 }, (_, i) => i * 7919 - 2e6),
    ]
    const scales = integers.map((_, i) => 1e-3 / (i + 1))
    for (const scale of [constant('float32', [scales.length], scales), constant('float32', [], [0.1])]) {
      const bytes = makeModel({
        inputs: { x: ['float32', [1]] },
        outputs: { y: ['float32', [integers.length]] },
        initializers: { bias: constant('int32', [integers.length], integers), scale },
        nodes: [node('DequantizeLinear', ['bias', 'scale'], ['b'], { axis: 0 }), node('Add', ['b', 'x'], ['y'])],
      })
      const model = await onnx.read(bytes)
      const { b } = await onnx.run(model, { x: new Tensor('float32', Float32Array.of(0), [1]) }, { outputs: ['b'] })
      const [report] = await onnx.transform(model, [onnx.foldConstants()])
      expect(report?.changes.map(({ what }) => what)).toEqual([`folded into a constant of shape [${integers.length}]`])
      expect(model.graph.value('b')?.initializer?.toTensor().data).toEqual(b?.data)
    }
  })
})

/** Models whose node reads constants only, with what it gives. */
const MOVED = `
import base64, glob, json, os
import numpy as np, onnx
from onnx import helper, numpy_helper
cases = []
def case(name, model, arrays, expected):
    del model.graph.input[:]
    model.graph.initializer.extend(numpy_helper.from_array(array, key) for key, array in arrays.items())
    data = base64.b64encode(expected.tobytes()).decode()
    text = base64.b64encode(model.SerializeToString()).decode()
    cases.append({'name': name, 'model': text, 'dims': list(expected.shape), 'data': data})
def tensor(path):
    with open(path, 'rb') as file:
        return numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))
root = os.path.join(os.path.dirname(onnx.__file__), 'backend/test/data/node')
for op in ['slice', 'transpose', 'concat']:
    for folder in sorted(glob.glob(f'{root}/test_{op}_*')):
        model = onnx.load(f'{folder}/model.onnx')
        data = f'{folder}/test_data_set_0'
        arrays = {value.name: tensor(f'{data}/input_{i}.pb') for i, value in enumerate(model.graph.input)}
        case(os.path.basename(folder), model, arrays, tensor(f'{data}/output_0.pb'))
random = np.random.default_rng(5)
def made(op, arrays, expected, **attributes):
    node = helper.make_node(op, list(arrays), ['y'], **attributes)
    y = helper.make_tensor_value_info('y', helper.np_dtype_to_tensor_dtype(expected.dtype), expected.shape)
    graph = helper.make_graph([node], 'graph', [], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    case(f'{op} {expected.dtype} {expected.shape}', model, arrays, expected)
for dtype in [np.uint8, np.float16, np.float32, np.int64, np.complex128]:
    for dims in [(33,), (5, 40), (2, 3, 4, 5)]:
        x = random.integers(0, 255, dims).astype(dtype)
        perm = random.permutation(len(dims))
        made('Transpose', {'x': x}, np.transpose(x, perm), perm=perm)
        made('Concat', {'x': x, 'z': x[..., :3]}, np.concatenate([x, x[..., :3]], -1), axis=-1)
        at = {'x': x, 'starts': np.array([-2, 1][: len(dims)]), 'ends': np.array([-99, 99][: len(dims)])}
        steps = {'axes': np.arange(min(2, len(dims))), 'steps': np.array([-2, 3][: len(dims)])}
        made('Slice', {**at, **steps}, x[-2:-99:-2, 1:99:3] if len(dims) > 1 else x[-2:-99:-2])
print(json.dumps(cases))
`

describe('simplify of real models', () => {
  const simplified: onnx.Model[] = []

  it.for(realModels())('keeps what $name computes, in no more nodes than onnxsim leaves', async (real, ctx) => {
    const model = await onnx.read(installed(ctx, real))
    await applied(model, onnx.simplify())
    simplified.push(model)
    expect(countNodes(model)).toBeLessThanOrEqual(ONNXSIM[real.name] ?? Number.POSITIVE_INFINITY)
    await expectSameOutputs(real.path, model.toBytes(), feedsOf(real, 1), { atol: 1e-4, rtol: 1e-3 })
  })

  it("leaves what Python's checker takes", async (ctx) => {
    const python = onnxPython(ctx)
    expect(await checkedByPython(python, simplified)).toEqual(simplified.map(() => ''))
  })
})
