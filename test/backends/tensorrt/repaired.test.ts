// TensorRT-RTX's real builder refuses these models as they are, and takes what the passes make of them.
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { feedsOf, installed, QUANTISED_MODEL, realModel } from '../../onnx/helpers/models.js'
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
