import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { ocrModel, runOnOnnxruntime } from '../helpers/models.js'
import { checkedByPython } from '../helpers/passes.js'
import { onnxPython, type RunPython } from '../helpers/python.js'

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

const HEAD = '<ir_version: 9, opset_import: ["" : 18, "my" : 1]> g'
const BODY = '<domain: "my", opset_import: ["" : 18, "my" : 1]>'
/** By an attribute of the call. */
const SCALE = `${BODY} scale <by> (a) => (b) { f = Constant<value_float: float = @by>() b = Mul(a, f) }`
/** Calls the other one. */
const GATE = `${BODY} gate (a) => (b) {
  zero = Constant<value = float {0.0}>()
  quarter = Constant<value = float {0.125}>()
  is = Greater(a, zero)
  small = my.scale<by = 1.0>(a)
  eighth = Mul(small, quarter)
  b = Where(is, a, eighth)
}`

/** Models as ONNX's text format has them. */
async function parsed(python: RunPython, ...texts: string[]): Promise<[Uint8Array, Uint8Array, Uint8Array]> {
  const script = `
import sys, base64, onnx.parser
for text in sys.argv[1:]: print(base64.b64encode(onnx.parser.parse_model(text).SerializeToString()).decode())`
  const lines = python(script, ...texts)
    .trim()
    .split('\n')
  return lines.map((line) => Buffer.from(line, 'base64')) as never
}

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

  it('takes functions along, each once, and refuses different ones of one name', async (ctx) => {
    const [first, second, other] = await parsed(
      onnxPython(ctx),
      `${HEAD} (float[N] x) => (float[N] y) { y = my.scale<by = 2.0>(x) } ${SCALE}`,
      `${HEAD} (float[N] x) => (float[N] z) { z = my.gate(x) } ${SCALE} ${GATE}`,
      `${HEAD} (float[N] x) => (float[N] z) { z = my.scale<by = 3.0>(x) } ${SCALE.replace('Mul', 'Div')}`,
    )
    const join = async (inFront: boolean) => {
      const [one, two] = [await onnx.read(first), await onnx.read(second)]
      const model = inFront ? two : one
      const step = onnx.append({ model: inFront ? one : two, inFront })
      expect(step.pass.isIdempotent).toBe(false)
      await onnx.transform(model, [step])
      return model
    }
    const x = new Tensor('float32', Float32Array.of(-3, 0.25, 5), [3])
    const models = [await join(false), await join(true)]
    for (const model of models) {
      expect(model.functions.map(({ name }) => name).toSorted()).toEqual(['gate', 'scale'])
      const { z } = await runOnOnnxruntime(model.toBytes(), { x })
      expect([...(z as Tensor).data]).toEqual([-0.75, 0.5, 10])
    }
    expect(await checkedByPython(onnxPython(ctx), models)).toEqual(['', ''])
    const error = await failure('UNSUPPORTED', async () =>
      onnx.transform(await onnx.read(first), [onnx.append({ model: await onnx.read(other) })]),
    )
    expect(error.message).toMatch(/different functions "my:scale"/)
    const old = await onnx.read(first)
    old.irVersion = 3
    const tooOld = await failure('UNSUPPORTED', async () =>
      onnx.transform(old, [onnx.append({ model: await onnx.read(second) })]),
    )
    expect(tooOld.message).toMatch(/IR version 3/)
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
