import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { ocrModel } from './helpers/models.js'

/** A pass made of one edit, that claims to keep the meaning. */
function pass(name: string, apply: (model: onnx.Model, context: onnx.PassContext) => void, keepsMeaning = true) {
  return onnx.definePass<Record<never, never>>({
    name,
    summary: name,
    keepsMeaning,
    options: {},
    defaults: {},
    apply: (model, _, context) => apply(model, context),
  })()
}

const scaled = (factor: number) =>
  pass('scale-weights', (model, context) => {
    const weight = model.graph.find({ opType: 'Conv' })[3]?.inputs[1] as onnx.Value
    const source = weight.initializer ?? weight.producer?.get('value', 'tensor')
    const { dims, data } = (source as onnx.ModelTensor).toTensor() as Tensor<'float32'>
    weight.graph.setInitializer(weight, { type: 'float32', dims, data: data.map((x) => x * factor) })
    context.change(weight, `scaled by ${factor}`)
  })

const renamed = pass('rename', (model, context) => {
  model.graph.inputs[0]?.rename('pixels')
  model.graph.outputs[0]?.rename('scores')
  context.change('model', 'renamed')
})

const read = () => onnx.read(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))
const VERIFY = { verify: { shapes: { x: [1, 3, 48, 192] } } }

describe('onnx.transform with verify', () => {
  it('lets pass what keeps the meaning, new names included, and says how near it is', async () => {
    const [report] = await onnx.transform(await read(), [renamed], { verify: true })
    expect(report?.verification?.maxAbsError).toEqual({ scores: 0 })
    expect(Object.keys(report?.verification?.shapes ?? {})).toEqual(['pixels'])
    expect(report?.changes).toEqual([{ where: 'model', what: 'renamed' }])
  })

  it('refuses what does not, with the output and where it differs', async () => {
    const error = await failure('VERIFICATION_FAILED', async () => onnx.transform(await read(), [scaled(1.5)], VERIFY))
    expect(error.message).toMatch(
      /^scale-weights: .* output ".*": \d+ of 2 elements differ, by up to .* at \[0,\d\] expected /,
    )
    expect(error.hint).toMatch(/read it again/)
  })

  it('adds errors of several passes up: each alone would be let pass', async () => {
    const small = Array.from({ length: 40 }, () => scaled(1.0002))
    await onnx.transform(await read(), small.slice(0, 1), VERIFY)
    await failure('VERIFICATION_FAILED', async () =>
      onnx.transform(await read(), small, { verify: { ...VERIFY.verify, rtol: 1e-4, atol: 1e-5 } }),
    )
  })

  it('takes a new reference after a pass that is meant to change the meaning', async () => {
    const negate = pass(
      'negate',
      (model, context) => {
        const [output] = model.graph.outputs as [onnx.Value]
        output.replaceUsesWith(model.graph.addNode({ opType: 'Neg', inputs: [output] }).outputs[0] as onnx.Value)
        context.change(output, 'negated')
      },
      false,
    )
    const reports = await onnx.transform(
      await read(),
      [renamed, negate, pass('nothing', (_, context) => context.change('model', 'nothing'))],
      { verify: true },
    )
    expect(reports.map(({ verification }) => verification !== undefined)).toEqual([true, false, true])
  })

  it('refuses a model that does not load or run any more, and one with other outputs', async () => {
    const broken = pass('break', (model, context) => {
      model.graph.find({ opType: 'Conv' })[0]?.set('group', 'int', 5)
      context.change('model', 'broken')
    })
    await failure('VERIFICATION_FAILED', async () => onnx.transform(await read(), [broken], { verify: true }))
    const extra = pass('extra', (model, context) => {
      model.graph.addOutput(model.graph.nodes[5]?.outputs[0] as onnx.Value)
      context.change('model', 'output added')
    })
    await failure('VERIFICATION_FAILED', async () => onnx.transform(await read(), [extra], { verify: true }))
  })

  it('says in a note that it could not check what onnxruntime has no operator for', async () => {
    const bytes = makeModel({
      inputs: { x: ['float32', [2]] },
      outputs: { y: ['float32', [2]] },
      nodes: [node('NoSuchOp', ['x'], ['y'])],
    })
    const [report] = await onnx.transform(
      await onnx.read(bytes),
      [pass('touch', (_, context) => context.change('model', 'touched'))],
      { verify: true },
    )
    expect(report?.verification).toBeUndefined()
    expect(report?.notes).toEqual([expect.stringMatching(/^not verified: .*NoSuchOp/)])
  })

  it('asks for shapes where no made-up ones suit the model', async () => {
    const weights = constant('float32', [13, 2], new Array(26).fill(1))
    const bytes = makeModel({
      inputs: { x: ['float32', ['N', 'K']] },
      outputs: { y: ['float32', ['N', 2]] },
      initializers: { w: weights },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    })
    const touch = pass('touch', (_, context) => context.change('model', 'touched'))
    const error = await failure('INFERENCE_FAILED', async () =>
      onnx.transform(await onnx.read(bytes), [touch], { verify: true }),
    )
    expect(error.hint).toMatch(/shapes/)
    const [report] = await onnx.transform(await onnx.read(bytes), [touch], { verify: { shapes: { x: [3, 13] } } })
    expect(report?.verification?.shapes).toEqual({ x: [3, 13] })
  })
})

describe('set-attribute', () => {
  it('sets, changes and takes away attributes of the selected nodes, and is idempotent', async () => {
    const model = await read()
    const set = onnx.setAttribute({ ops: ['HardSigmoid'], name: 'alpha', value: 0.25 })
    const [report] = await onnx.transform(model, [set])
    const nodes = model.graph.find({ opType: 'HardSigmoid' })
    expect(report?.changes).toHaveLength(nodes.length)
    expect(nodes.length).toBeGreaterThan(0)
    expect(nodes.every((node) => node.get('alpha', 'float') === 0.25)).toBe(true)
    expect((await onnx.transform(model, [set]))[0]?.changes).toEqual([])
    const first = nodes[0]?.name as string
    await onnx.transform(model, [onnx.setAttribute({ nodes: [first], name: 'alpha' })])
    expect(nodes.filter((node) => node.attribute('alpha') === undefined).map(({ name }) => name)).toEqual([first])
    // Written, it is what Python's onnx would read: the attribute's type stays a float also for whole numbers.
    await onnx.transform(model, [onnx.setAttribute({ ops: ['HardSigmoid'], name: 'beta', value: 1 })])
    const again = await onnx.read(model.toBytes())
    expect(again.graph.find({ opType: 'HardSigmoid' })[0]?.get('beta', 'float')).toBe(1)
  })

  it('refuses options that it does not know, values of a wrong kind, and names that no node has', async () => {
    const model = await read()
    await failure('INVALID_ARGUMENT', () => onnx.setAttribute({ nam: 'x' } as object))
    await failure('INVALID_ARGUMENT', () => onnx.setAttribute({ name: 'x', value: [1, 'a'] as never }))
    await failure('INVALID_ARGUMENT', () => onnx.transform(model, [onnx.setAttribute({ value: 1 })]))
    await failure('INVALID_ARGUMENT', () =>
      onnx.transform(model, [onnx.setAttribute({ name: 'x', nodes: ['no such node'], value: 1 })]),
    )
  })
})
