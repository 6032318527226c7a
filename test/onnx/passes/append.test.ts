import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { ocrModel, runOnOnnxruntime } from '../helpers/models.js'
import { checkedByPython } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

const CLASSIFIER = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
const DIMS = [1, 3, 48, 192]

/** uint8 pixels to what the classifier takes; its input is called x too. */
const normalise = () =>
  makeModel({
    inputs: { x: ['uint8', ['N', 3, 48, 192]] },
    outputs: { scaled: ['float32', ['N', 3, 48, 192]] },
    opset: 13,
    initializers: { scale: constant('float32', [], [1 / 255]) },
    nodes: [node('Cast', ['x'], ['f'], { to: 1 }), node('Mul', ['f', 'scale'], ['scaled'])],
  })

const choose = (opset: number) =>
  makeModel({
    inputs: { scores: ['float32', ['N', 2]] },
    outputs: { best: ['int64', ['N']] },
    opset,
    nodes: [node('ArgMax', ['scores'], ['best'], { axis: 1, keepdims: 0 })],
  })

describe('append', () => {
  it('joins pre-processing and post-processing to a real model', async (ctx) => {
    const python = onnxPython(ctx)
    const model = await onnx.read(CLASSIFIER)
    const pixels = Uint8Array.from({ length: 3 * 48 * 192 }, (_, i) => (i * 7) % 256)
    const floats = new Tensor(
      'float32',
      Float32Array.from(pixels, (x) => Math.fround(x * Math.fround(1 / 255))),
      DIMS,
    )
    const [scores] = Object.values(await runOnOnnxruntime(CLASSIFIER, { x: floats })) as [Tensor<'float32'>]
    await onnx.transform(model, [
      onnx.append({ model: await onnx.read(normalise()), inFront: true }),
      onnx.append({ model: await onnx.read(choose(17)) }),
    ])
    expect(model.graph.inputs.map(({ name, type }) => [name, type])).toEqual([['x', 'uint8']])
    const outputs = await runOnOnnxruntime(model.toBytes(), { x: new Tensor('uint8', pixels, DIMS) })
    expect(Object.keys(outputs)).toEqual(['best'])
    const [a, b] = scores.data as unknown as [number, number]
    expect([...(outputs.best as Tensor<'int64'>).data]).toEqual([a >= b ? 0n : 1n])
    expect(await checkedByPython(python, [model])).toEqual([''])
  })

  it('refuses what does not fit: names, types, versions of operator sets', async () => {
    const refusal = async (code: 'INVALID_ARGUMENT', options: Partial<onnx.AppendOptions>) =>
      (await failure(code, async () => onnx.transform(await onnx.read(CLASSIFIER), [onnx.append(options)]))).message
    const behind = await onnx.read(choose(13))
    expect(await refusal('INVALID_ARGUMENT', {})).toMatch(/expected a model/)
    expect(await refusal('INVALID_ARGUMENT', { model: behind, connect: { scores: 'no' } })).toMatch(/"no" to "scores"/)
    const pixels = await onnx.read(normalise())
    expect(await refusal('INVALID_ARGUMENT', { model: pixels })).toMatch(/takes uint8\[N,3,48,192\]/)
    behind.setOpset('com.example', 2)
    const twice = onnx.append({ model: behind })
    const first = await onnx.read(CLASSIFIER)
    first.setOpset('com.example', 1)
    const error = await failure('UNSUPPORTED', () => onnx.transform(first, [twice]))
    expect(error.message).toMatch(/"com.example" of versions 1 and 2/)
  })
})
