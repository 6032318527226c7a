import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { type Attribute, constant, float, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel } from '../helpers/models.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

const WEIGHTS = { s: constant('float32', [4], [1, 2, -1, 0.5]), b: constant('float32', [4], [0, 1, 2, -1]) }
const SLOPE = [0.25, -1, 2]

/** x [2,3,5,4] through one LayerNormalization and one PRelu, however they are written. */
function network(
  norm: ReturnType<typeof node>,
  prelu: ReturnType<typeof node>,
  more: Record<string, ReturnType<typeof constant>> = {},
): Promise<onnx.Model> {
  return onnx.read(
    makeModel({
      opset: { '': 17, nv: 1 },
      inputs: { x: ['float32', [2, 3, 5, 4]] },
      outputs: { y: ['float32', [2, 3, 5, 4]] },
      initializers: { ...WEIGHTS, p: constant('float32', [3, 1, 1], SLOPE), ...more },
      nodes: [norm, prelu],
    }),
  )
}

const standard = () =>
  network(
    node('LayerNormalization', ['x', 's', 'b'], ['n'], { axis: -1, epsilon: 1e-3 }),
    node('PRelu', ['n', 'p'], ['y']),
  )

const custom = (
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
  domain = 'nv',
) => node(op, inputs, [output], attributes, { domain })

const FIELDS = { axis: -1, epsilon: 1e-3 }
const bySymbolic = () =>
  network(
    custom('CustomLayerNormalization', ['x', 's', 'b'], 'n', {
      ...FIELDS,
      name: 'CustomLayerNormalization',
      info: 'of layer 3',
      beta: 2,
    }),
    custom('CustomPRelu', ['n', 'q'], 'y', { plugin_version: '2' }),
    { q: constant('float32', [3], SLOPE) },
  )
const byFields = () =>
  network(
    custom(
      'CustomLayerNormalization',
      ['x'],
      'n',
      { ...FIELDS, scale: [1, 2, -1, 0.5], bias: float([0, 1, 2, -1]) },
      'my.ops',
    ),
    custom('CustomPRelu', ['n'], 'y', { slope: SLOPE }, 'my.ops'),
  )
const wrapped = () =>
  network(
    custom(
      'Plugin',
      ['x', 't', 'b'],
      'n',
      { name: 'CustomLayerNormalization', info: '{"axis_i": -1, "epsilon_f": 0.001}' },
      '',
    ),
    custom('Plugin', ['n', 'p'], 'y', { name: 'CustomPRelu', info: '' }, ''),
    { t: constant('float32', [1, 1, 4], [1, 2, -1, 0.5]) },
  )

describe('use-plugins and lower-plugins', () => {
  it.for([
    ['smart-turn-v3.2', 'LayerNormalization', 10],
    ['mtcnn-onet', 'PRelu', 5],
  ] as const)('take every node of %s there and back', async ([name, op, count], ctx) => {
    const python = onnxPython(ctx)
    const path = installed(ctx, realModel(name))
    const [before, after] = [await onnx.read(path), await onnx.read(path)]
    await applied(after, onnx.usePlugins({ pluginVersion: '2' }))
    const plugins = after.graph.find({ opType: `Custom${op === 'PRelu' ? 'PRelu' : op}`, domain: 'trt.plugins' })
    expect(plugins).toHaveLength(count)
    expect(plugins[0]?.get('plugin_version', 'string')).toBe('2')
    expect(await checkedByPython(python, [after])).toEqual([''])
    const report = await applied(after, onnx.lowerPlugins())
    expect(report.changes.filter(({ what }) => what === `replaced by ${op}`)).toHaveLength(count)
    const listing = (model: onnx.Model) =>
      model
        .print()
        .replace(/, trt.plugins 1/, '')
        .replace(/opset onnx \d+/, '')
    if (op === 'LayerNormalization') expect(listing(after)).toBe(listing(before))
    await expectSameOutputs(before, after, feedsOf(realModel(name), 1))
    expect(await checkedByPython(python, [after])).toEqual([''])
  })

  it.each([
    ['what PyTorch symbolics leave', bySymbolic],
    ['weights as attributes', byFields],
    ['the wrapped form', wrapped],
  ])('lower %s to what onnxruntime runs', async (_, make) => {
    const model = await make()
    const report = await applied(model, onnx.lowerPlugins())
    expect(report.changes.filter(({ what }) => /^replaced by/.test(what))).toHaveLength(2)
    expect(model.graph.nodes.map(({ opType, domain }) => `${domain}:${opType}`)).toEqual([
      ':LayerNormalization',
      ':PRelu',
    ])
    const reference = await standard()
    await expectSameOutputs(reference, model, onnx.sampleFeeds(reference), { atol: 1e-6 })
    if (make === bySymbolic) expect(report.notes).toEqual([expect.stringMatching(/has no beta/)])
  })

  it('refuse weights that fit nothing, and a rank that is not known', async () => {
    const wrong = await network(
      custom('CustomLayerNormalization', ['x', 't', 'b'], 'n', { axis: 2 }),
      custom('CustomPRelu', ['n', 'p'], 'y'),
      { t: constant('float32', [7], Array(7).fill(1)) },
    )
    const error = await failure('INVALID_MODEL', () => onnx.transform(wrong, [onnx.lowerPlugins()]))
    expect(error.message).toMatch(/"t" \[7\] is not what is normalized over, \[5,4\]/)
    const model = await network(custom('Mystery', ['x'], 'n'), custom('CustomPRelu', ['n', 's'], 'y'))
    const unknown = await failure('INVALID_MODEL', () => onnx.transform(model, [onnx.lowerPlugins()]))
    expect(unknown.hint).toMatch(/infer-shapes/)
  })

  it('leave alone what the plugin cannot do', async () => {
    const model = await network(
      node('LayerNormalization', ['x', 's', 'b'], ['n'], { stash_type: 16 }),
      node('PRelu', ['n', 'p'], ['y'], {}, { name: 'mine' }),
    )
    const report = await applied(model, onnx.usePlugins())
    expect(report.notes).toEqual([expect.stringMatching(/in float32 only/)])
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['LayerNormalization', 'CustomPRelu'])
  })
})
