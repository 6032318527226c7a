// TensorRT-RTX's real builder refuses these models as they are, and takes what the passes make of them.
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { feedsOf, installed, realModel } from '../../onnx/helpers/models.js'
import { REFUSED_MODELS } from '../../onnx/helpers/refused-models.js'
import { needsRtx } from './rtx.ts'

needsRtx()

type Feeds = { readonly [input: string]: trt.Tensor }

/** `built`, or the code of the error. */
async function outcome(model: onnx.Model, feeds: Feeds): Promise<string> {
  const open = model.graph.inputs.filter(({ dims }) => dims?.some((dim) => typeof dim !== 'number'))
  const shapes = Object.fromEntries(open.map(({ name }) => [name, feeds[name]?.dims ?? []]))
  try {
    const built = await trt.buildEngine({
      onnx: model,
      backend: 'tensorrt-rtx',
      target: { computeCapabilities: ['8.9'] },
      isolation: 'thread',
      ...(open.length > 0 && { shapes }),
    })
    return Buffer.from(built.plan).toString('latin1', 0, 4) === 'vtrt' ? 'built' : 'no plan'
  } catch (error) {
    return (error as trt.TrtError).code
  }
}

const REFUSED = /^(UNSUPPORTED_OP|INVALID_MODEL|BUILD_FAILED)$/

describe('a model that TensorRT-RTX refuses as it is builds', () => {
  it.each(REFUSED_MODELS)('$name', async ({ bytes, steps, feeds }) => {
    const model = await onnx.read(bytes)
    expect(await outcome(model, feeds)).toMatch(REFUSED)
    await onnx.transform(model, steps())
    expect(await outcome(model, feeds)).toBe('built')
  })

  it.for([
    ['smart-turn-v3.2', () => [onnx.lowerAsymmetricQuantization()]],
    ['all-minilm-l6-v2', () => [onnx.renameRepeatedDims()]],
    ['pp-ocrv2-cls', () => [onnx.renameRepeatedDims()]],
  ] as const)('%s', async ([name, steps], ctx) => {
    const model = await onnx.read(installed(ctx, realModel(name)))
    const feeds = feedsOf(realModel(name), 1)
    expect(await outcome(model, feeds)).toMatch(REFUSED)
    await onnx.transform(model, steps())
    expect(await outcome(model, feeds)).toBe('built')
  })
})
