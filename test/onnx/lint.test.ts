import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { fixShapes } from '#dist/onnx/lint/assuming.js'
import { failure } from '../helpers/errors.js'
import { constant, type ModelSpec, makeModel, node } from '../helpers/onnx-model.js'
import { ocrModel } from './helpers/models.js'
import { REFUSED_MODELS } from './helpers/refused-models.js'

const lint = async (spec: ModelSpec, options?: onnx.LintOptions) => onnx.lint(await onnx.read(makeModel(spec)), options)

describe('lint', () => {
  it('finds nothing in a model that TensorRT takes', async () => {
    const model = await onnx.read(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))
    expect(onnx.lint(model).filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it('names the node, the value, and what a person could do', async () => {
    const spec: ModelSpec = {
      inputs: { x: ['float32', [3, 3]] },
      outputs: { y: ['float32', []] },
      nodes: [node('Det', ['x'], ['y'], {}, { name: 'determinant' })],
    }
    expect(await lint(spec)).toEqual([
      {
        rule: 'unsupported-op',
        severity: 'error',
        where: 'Det "determinant"',
        message: 'TensorRT has no layer for Det',
        values: ['y'],
        fixes: [],
        advice: 'replace it with other ops (surgeon --pass replace-subgraph), or build for TensorRT with a plugin',
      },
    ])
  })

  it('takes ops that plugins bring, and ops of TensorRT that TensorRT-RTX lacks', async () => {
    const spec = (op: string): ModelSpec => ({
      inputs: { x: ['float32', [3, 3]] },
      outputs: { y: ['float32', [3, 3]] },
      nodes: [node(op, ['x'], ['y'])],
    })
    expect(await lint(spec('Swirl'))).toHaveLength(1)
    expect(await lint(spec('Swirl'), { pluginOps: ['Swirl'] })).toEqual([])
    expect(await lint(spec('NonZero'))).toHaveLength(1)
    expect(await lint(spec('NonZero'), { target: 'tensorrt' })).toEqual([])
  })

  it('says which pass mends a slope that is meant by channel, and the pass mends it', async () => {
    const bytes = makeModel({
      inputs: { x: ['float32', [2, 3, 4, 5]] },
      outputs: { y: ['float32', [2, 3, 4, 5]] },
      initializers: { s: constant('float32', [3], [0.1, 0.2, 0.4]) },
      nodes: [node('PRelu', ['x', 's'], ['y'])],
    })
    const model = await onnx.read(bytes)
    const [finding] = onnx.lint(model) as [onnx.Finding]
    expect(finding.rule).toBe('prelu-slope')
    const steps = finding.fixes[0]?.passes ?? []
    await onnx.transform(
      model,
      steps.map(({ pass }) => onnx.PASSES.get(pass)?.() as onnx.Transform),
    )
    expect(onnx.lint(model)).toEqual([])
  })

  it('leaves the model as it was, byte for byte', async () => {
    const bytes = makeModel({
      inputs: { x: ['float32', ['N', 3]] },
      outputs: { y: ['float32', undefined] },
      nodes: [node('Relu', ['x'], ['h']), node('Sigmoid', ['h'], ['y'])],
    })
    const model = await onnx.read(bytes)
    onnx.lint(model)
    expect(Buffer.compare(model.toBytes(), bytes)).toBe(0)
  })

  it('refuses options that it does not know', async () => {
    const model = await onnx.read(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))
    const error = await failure('INVALID_ARGUMENT', async () => onnx.lint(model, { target: 'cuda' as never }))
    expect(error.message).toContain('lint')
  })
})

describe('proposeShapes', () => {
  const input = (name: string, ...dims: onnx.Dim[]) => ({ name, dims })

  it('gives one size to one name in all inputs, and leaves fixed inputs out', () => {
    const shapes = onnx.proposeShapes([
      input('ids', 'batch', 'sequence'),
      input('mask', 'batch', 'sequence'),
      input('table', 4, 4),
      input('rate'),
    ])
    expect(Object.keys(shapes)).toEqual(['ids', 'mask'])
    expect(shapes.ids).toEqual(shapes.mask)
  })

  it('takes sizes of shapes that are given over to dimensions of the same name', () => {
    const inputs = [input('ids', 'batch', 'sequence'), input('mask', 'batch', 'sequence')]
    expect(onnx.proposeShapes(inputs, { ids: [2, 77] }).mask).toEqual({ min: [2, 77], opt: [2, 77], max: [2, 77] })
  })

  it('fixes no shape of an input that is made a constant', () => {
    const range = { min: [1], opt: [2], max: [4] }
    expect(fixShapes({ x: range, mode: range }, { mode: 1 })).toEqual([
      { pass: 'set-shape', options: { shapes: { x: [2] } } },
    ])
    expect(fixShapes({ mode: range }, { mode: 1 })).toEqual([])
  })

  it('keeps a state at one size, and knows a picture by its rank', () => {
    const { state, image } = onnx.proposeShapes([input('state', 2, null, 128), input('image', null, 3, null, null)])
    expect(state).toEqual({ min: [2, 1, 128], opt: [2, 1, 128], max: [2, 1, 128] })
    expect(image?.opt).toEqual([1, 3, 320, 320])
  })
})

describe('of small models that the real builder refuses', () => {
  it.each(REFUSED_MODELS)('lint finds what a pass mends: $name', async ({ bytes, steps }) => {
    const mending = onnx
      .lint(await onnx.read(bytes))
      .flatMap(({ fixes }) => fixes.flatMap(({ passes }) => passes.map(({ pass }) => pass)))
    expect(mending).toEqual(expect.arrayContaining(steps().map(({ pass }) => pass.passName)))
  })
})
