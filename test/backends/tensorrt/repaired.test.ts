// TensorRT-RTX's real builder refuses these models as they are, and takes what the passes make of them.
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, QUANTISED_MODEL, realModel } from '../../onnx/helpers/models.js'
import { modelsOf2017 } from '../../onnx/helpers/node-tests.js'
import { onnxPython } from '../../onnx/helpers/python.js'
import { REFUSED_MODELS } from '../../onnx/helpers/refused-models.js'
import { needsRtx } from './rtx.ts'

needsRtx()

type Feeds = { readonly [input: string]: trt.Tensor }

/** `built`, or the code of the error. */
async function outcome(model: onnx.Model, feeds: Feeds, isolation: 'process' | 'thread' = 'thread'): Promise<string> {
  const open = model.graph.inputs.filter(({ dims }) => dims?.some((dim) => typeof dim !== 'number'))
  const shapes = Object.fromEntries(open.map(({ name }) => [name, feeds[name]?.dims ?? []]))
  try {
    const built = await trt.buildEngine({
      onnx: model,
      backend: 'tensorrt-rtx',
      target: { computeCapabilities: ['8.9'] },
      isolation,
      ...(open.length > 0 && { shapes }),
    })
    return Buffer.from(built.plan).toString('latin1', 0, 4) === 'vtrt' ? 'built' : 'no plan'
  } catch (error) {
    return (error as trt.TrtError).code
  }
}

/** Ifs that ask for the shapes of inputs, and for the value of one. */
const withoutIfs = (shapes: Record<string, number[]>, values: Record<string, number>) => [
  onnx.fixInput({ values }),
  onnx.setShape({ shapes }),
  onnx.removeIf(),
]

const REFUSED = /^(UNSUPPORTED_OP|INVALID_MODEL|BUILD_FAILED|PROCESS_CRASHED)$/

describe('a model that TensorRT-RTX refuses as it is builds', () => {
  it.each(REFUSED_MODELS)('$name', async ({ name, bytes, steps, feeds }) => {
    const model = await onnx.read(bytes)
    // The parser of TensorRT-RTX 1.7 crashes on onnxruntime's.
    const isolation = name === 'MultiHeadAttention' ? 'process' : 'thread'
    expect(await outcome(model, feeds, isolation)).toMatch(REFUSED)
    await onnx.transform(model, steps())
    expect(await outcome(model, feeds)).toBe('built')
  })

  it.for([
    ['all-minilm-l6-v2-q', () => [onnx.lowerDynamicQuantization(), onnx.lowerAsymmetricQuantization()]],
    ['smart-turn-v3.2', () => [onnx.lowerAsymmetricQuantization()]],
    ['all-minilm-l6-v2', () => [onnx.renameRepeatedDims()]],
    ['pp-ocrv2-cls', () => [onnx.renameRepeatedDims()]],
    ['silero-vad-16k', () => withoutIfs({ input: [1, 576], state: [2, 1, 128] }, { sr: 16_000 })],
    ['silero-vad-half', () => withoutIfs({ input: [1, 576], state: [2, 1, 128] }, {})],
  ] as const)('%s', async ([name, steps], ctx) => {
    const real = name === QUANTISED_MODEL.name ? QUANTISED_MODEL : realModel(name)
    const model = await onnx.read(installed(ctx, real))
    const feeds = feedsOf(real, 1)
    expect(await outcome(model, feeds)).toMatch(REFUSED)
    await onnx.transform(model, steps())
    expect(await outcome(model, feeds)).toBe('built')
  })
})

describe('models of 2017', () => {
  const isForetold = (model: onnx.Model) =>
    onnx.lint(model).every(({ severity }) => severity !== 'error') ? 'built' : 'refused'
  const told = async (model: onnx.Model, feeds: Feeds) => (await outcome(model, feeds)).replace(REFUSED, 'refused')

  it('lint foretells which PyTorch wrote for operator set 6 that TensorRT takes, and upgraded it takes all', async (ctx) => {
    const python = onnxPython(ctx)
    const counts = { built: 0, refused: 0 }
    for (const { name, model, feeds } of await modelsOf2017(python)) {
      const foretold = isForetold(model)
      expect(await told(model, feeds), name).toBe(foretold)
      counts[foretold]++
      await onnx.transform(model, [onnx.inferShapes(), onnx.upgradeOpset({ version: 7 })])
      expect(await outcome(model, feeds), name).toBe('built')
    }
    expect(counts).toEqual({ built: 87, refused: 25 })
  })

  it.each(['And', 'Or', 'Xor', 'Equal', 'Greater', 'Less', 'Mean'])('lint foretells %s', async (op) => {
    const type = /And|Or|Xor/i.test(op) ? 'bool' : op === 'Equal' ? 'int32' : 'float32'
    const model = (opset: number) =>
      onnx.read(
        makeModel({
          ir: 3,
          opset,
          inputs: { a: [type, [2, 3]], b: [type, [2, 3]] },
          outputs: { y: [op === 'Mean' ? 'float32' : 'bool', [2, 3]] },
          nodes: [node(op, ['a', 'b'], ['y'])],
        }),
      )
    expect([isForetold(await model(6)), isForetold(await model(7))]).toEqual(['refused', 'built'])
    expect([await told(await model(6), {}), await told(await model(7), {})]).toEqual(['refused', 'built'])
  })
})
