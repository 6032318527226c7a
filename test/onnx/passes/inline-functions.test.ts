import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { runOnOnnxruntime } from '../helpers/models.js'
import { applied, checkedByPython, expectSameTensors } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

const HEAD = '<ir_version: 10, opset_import: ["" : 18, "my" : 1]> g (float[3] x) => (float[3] y, float[3] z)'
const BOTH = '<domain: "my", opset_import: ["" : 18, "my" : 1]>'
const levels = Array.from({ length: 30 }, (_, i) => `${BOTH} f${i + 1} (a) => (b) { c = my.f${i}(a) b = my.f${i}(c) }`)

const MODELS = [
  // Attributes handed down and defaults, an input that is left out, one that is given out as it came, calls in branches,
  // names that are taken, an older operator set.
  `${HEAD} {
  b = my.scale<by = 3.0>(x)
  y = my.choose(b)
  q, z = my.clip(x)
}
<domain: "my", opset_import: ["" : 17, "my" : 1]> choose (a) => (b) {
  s = ReduceSum<keepdims = 0>(a)
  zero = Constant<value_float = 0.0>()
  is = Greater(s, zero)
  b = If(is) <
    then_branch = yes () => (float[3] p) { p = my.scale(a) },
    else_branch = no () => (float[3] q) { q = Neg(a) }
  >
}
${BOTH} scale <by: float = 2.0> (a) => (b) { f = Constant<value_float: float = @by>() b = Mul(a, f) }
${BOTH} clip (a, most) => (b, c) { least = Constant<value_float = -0.5>() b = Identity(a) c = Clip(a, least, most) }`,
  `${HEAD} { y = my.f(x) z = Relu(x) } ${BOTH} f (a) => (b) { b = my.f(a) }`,
  `${HEAD} { y = my.f30(x) z = Relu(x) } ${BOTH} f0 (a) => (b) { b = Relu(a) } ${levels.join('\n')}`,
]

describe('inline-functions', () => {
  it('puts bodies in the place of calls, wherever they are, and refuses calls without end', async (ctx) => {
    const python = onnxPython(ctx)
    const script = `
import sys, base64, onnx.parser
for text in sys.argv[1:]: print(base64.b64encode(onnx.parser.parse_model(text).SerializeToString()).decode())`
    const [bytes, recursive, doubling] = python(script, ...MODELS)
      .trim()
      .split('\n')
      .map((line) => Buffer.from(line, 'base64')) as unknown as [Uint8Array, Uint8Array, Uint8Array]
    const model = await onnx.read(bytes)
    const report = await applied(model, onnx.inlineFunctions())
    expect(report.changes.filter(({ what }) => what.startsWith('replaced by'))).toHaveLength(4)
    expect(model.functions).toEqual([])
    expect(model.graph.find({ domain: 'my', nested: true })).toEqual([])
    for (const data of [
      [-3, 0.25, 5],
      [-3, 0.25, 1],
    ]) {
      const x = new Tensor('float32', Float32Array.from(data), [3])
      const wanted = Object.values(await runOnOnnxruntime(bytes, { x }))
      expectSameTensors(wanted, await runOnOnnxruntime(model.toBytes(), { x }), { atol: 0, rtol: 0 })
    }
    expect(await checkedByPython(python, [model])).toEqual([''])
    const refusal = async (code: 'INVALID_MODEL' | 'UNSUPPORTED', given: Uint8Array) =>
      (await failure(code, async () => onnx.transform(await onnx.read(given), [onnx.inlineFunctions()]))).message
    expect(await refusal('INVALID_MODEL', recursive)).toMatch(/my:f calls itself/)
    expect(await refusal('UNSUPPORTED', doubling)).toMatch(/more than 100000 nodes/)
  })
})
