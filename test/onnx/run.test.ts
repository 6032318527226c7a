import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, describe, expect, it } from 'vitest'
import { failure } from '../helpers/errors.js'
import { ocrModel } from './helpers/models.js'

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node')
const CLASSIFIER = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')

function picture(seed = 1): Tensor<'float32'> {
  const data = Float32Array.from({ length: 3 * 48 * 192 }, (_, i) => Math.sin(i * seed))
  return new Tensor('float32', data, [1, 3, 48, 192])
}

// A folder for temporary files of this file's own: tests that run beside it use the common one.
const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-'))
process.env.TMPDIR = folder
afterAll(() => rmSync(folder, { recursive: true }))

describe('onnx.run', () => {
  it('gives the outputs that onnxruntime gives, and leaves no file behind', async () => {
    const model = await onnx.read(CLASSIFIER)
    const [output] = model.graph.outputs.map(({ name }) => name) as [string]
    const results = await onnx.run(model, { x: picture() }, { optimization: 'all' })
    const session = await ort.InferenceSession.create(CLASSIFIER)
    const expected = await session.run({ x: new ort.Tensor('float32', picture().data, [1, 3, 48, 192]) })
    expect(Object.keys(results)).toEqual([output])
    expect(results[output]?.dims).toEqual(expected[output]?.dims)
    expect(results[output]?.data).toEqual(expected[output]?.data)
    // onnxruntime leaves files of its own there.
    expect(readdirSync(folder).filter((name) => name.startsWith('tensorrt-node-'))).toEqual([])
  })

  it('gives any value inside, the same that the rest of the model goes on with', async () => {
    const model = await onnx.read(CLASSIFIER)
    const inner = model.graph.find({ opType: 'Conv' }).map(({ outputs }) => outputs[0]?.name as string)
    const [output] = model.graph.outputs.map(({ name }) => name) as [string]
    const wanted = [...inner.slice(0, 3), output, inner.at(-1) as string]
    const results = await onnx.run(model, { x: picture() }, { outputs: wanted })
    expect(Object.keys(results)).toEqual(wanted)
    // The half of the model behind the last convolution, fed with its value, comes to the same end.
    const rest = await onnx.read(CLASSIFIER)
    const last = rest.graph.value(inner.at(-1) as string) as onnx.Value
    const { type, dims } = results[last.name] as Tensor
    const cut = rest.graph.addInput('cut', type, dims)
    last.replaceUsesWith(cut)
    rest.prune()
    const after = await onnx.run(rest, { x: picture(), cut: results[last.name] as Tensor })
    expect(after[output]?.data).toEqual(results[output]?.data)
  })

  it('runs a model as it is now, edits included, and again and again', async () => {
    const model = await onnx.read(CLASSIFIER)
    const [output] = model.graph.outputs as [onnx.Value]
    const negated = model.graph.addNode({ opType: 'Neg', inputs: [output] }).outputs[0] as onnx.Value
    await using runner = await onnx.openRunner(model, { outputs: [output.name, negated.name], threads: 1 })
    model.graph.removeOutput(output)
    for (const seed of [1, 2, 3]) {
      const { [output.name]: plus, [negated.name]: minus } = await runner.run({ x: picture(seed) })
      expect(minus?.data).toEqual(((plus as Tensor).data as Float32Array).map((x) => -x))
    }
  })

  it('says what is wrong with feeds and outputs, before anything runs', async () => {
    const model = await onnx.read(CLASSIFIER)
    expect(
      await failure('INVALID_ARGUMENT', () => onnx.run(model, { x: picture() }, { outputs: ['nowhere'] })),
    ).toMatchObject({ message: expect.stringMatching(/"nowhere"/) })
    await using runner = await onnx.openRunner(model)
    expect(await failure('INVALID_INPUT', () => runner.run({}))).toMatchObject({
      message: expect.stringMatching(/input "x" \(float32\) is missing/),
    })
    expect(await failure('INVALID_INPUT', () => runner.run({ x: picture(), y: picture() }))).toMatchObject({
      message: expect.stringMatching(/there is no input "y"/),
    })
    const doubles = new Tensor('float64', new Float64Array(3 * 48 * 192), [1, 3, 48, 192])
    expect(await failure('INVALID_INPUT', () => runner.run({ x: doubles }))).toMatchObject({
      message: expect.stringMatching(/of type float32, received float64/),
    })
    const narrow = new Tensor('float32', new Float32Array(3), [1, 3, 1, 1])
    expect(
      await failure('INFERENCE_FAILED', () => runner.run({ x: new Tensor('float32', narrow.data, [3]) })),
    ).toMatchObject({ message: expect.stringMatching(/onnxruntime/) })
    await runner.close()
    expect(await failure('CLOSED', () => runner.run({ x: picture() }))).toMatchObject({
      message: expect.stringMatching(/closed/),
    })
  })

  it('says what onnxruntime does not take, and gives up when asked', async () => {
    const model = await onnx.read(CLASSIFIER)
    expect(await failure('ABORTED', () => onnx.openRunner(model, { signal: AbortSignal.abort() }))).toMatchObject({
      message: expect.stringMatching(/aborted/),
    })
    const [conv] = model.graph.find({ opType: 'Conv' }) as [onnx.Node]
    conv.opType = 'Convolution'
    expect(await failure('UNSUPPORTED_OP', () => onnx.run(model, { x: picture() }))).toMatchObject({
      message: expect.stringMatching(/Convolution/),
    })
  })
})
