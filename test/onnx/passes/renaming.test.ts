import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, ocrModel, realModel } from '../helpers/models.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

const classifier = () => onnx.read(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))

describe('rename-op', () => {
  it('renames there and back, with attributes', async () => {
    const model = await classifier()
    const before = model.print()
    const there = { ops: ['HardSigmoid'], to: 'my.ops:Gate', attributes: { kind: 'hard', sizes: [1, 2] }, opset: 3 }
    const report = await applied(model, onnx.renameOp(there))
    expect(report.changes).toHaveLength(9)
    expect(model.opsets.get('my.ops')).toBe(3)
    expect(model.graph.find({ opType: 'HardSigmoid' })).toEqual([])
    await applied(model, onnx.renameOp({ ops: ['my.ops:Gate'], to: 'HardSigmoid', without: ['kind', 'sizes'] }))
    expect(model.print().replace(/, my.ops 3/, '')).toBe(before)
    await failure('INVALID_ARGUMENT', () => onnx.transform(model, [onnx.renameOp({ to: 'Relu' })]))
  })
})

describe('rename-values', () => {
  it('renames in every graph of a real model, which computes the same', async (ctx) => {
    const python = onnxPython(ctx)
    const vad = realModel('silero-vad-16k')
    const path = installed(ctx, vad)
    const [before, after] = [await onnx.read(path), await onnx.read(path)]
    const [output] = after.graph.outputs
    await applied(after, onnx.renameValues({ names: { [output?.name ?? '']: 'speech' }, prefix: 'vad/' }))
    expect(after.graph.inputs.map(({ name }) => name)).toEqual(before.graph.inputs.map(({ name }) => `vad/${name}`))
    expect(after.graph.outputs[0]?.name).toBe('vad/speech')
    for (const graph of after.graphs()) for (const { name } of graph.values) expect(name).toMatch(/^vad\//)
    const feeds = feedsOf(vad, 1)
    const renamed = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [`vad/${name}`, tensor]))
    const wanted = Object.values(await onnx.run(before, feeds))
    expect(Object.values(await onnx.run(after, renamed))).toEqual(wanted)
    expect(await checkedByPython(python, [after])).toEqual([''])
  })

  it('refuses names that are not there, and those that would change each time', async () => {
    const step = (names: Record<string, string>) => () => onnx.renameValues({ names })
    expect(step({ a: 'b', b: 'a' })).toThrow(/none of them twice/)
    expect(step({ a: 'c', b: 'c' })).toThrow(/none of them twice/)
    const error = await failure('INVALID_ARGUMENT', async () =>
      onnx.transform(await classifier(), [onnx.renameValues({ names: { nobody: 'y' } })]),
    )
    expect(error.message).toMatch(/no value "nobody"/)
  })
})

describe('strip-doc', () => {
  it('takes away what Python wrote into every message, and nothing else', async (ctx) => {
    const python = onnxPython(ctx)
    const path = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
    const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-docs-'))
    ctx.onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'documented.onnx')
    python(DOCUMENT, path, file)
    const model = await onnx.read(file)
    const plain = await applied(model, onnx.stripDoc())
    expect(plain.changes).toEqual([{ where: 'model', what: expect.stringMatching(/^\d{3,} doc strings taken away/) }])
    expect(Buffer.from(model.toBytes()).includes('a doc string')).toBe(false)
    expect(Buffer.from(model.toBytes()).includes('a stack trace')).toBe(true)
    await applied(model, onnx.stripDoc({ metadata: true }))
    expect(Buffer.from(model.toBytes()).includes('a stack trace')).toBe(false)
    expect(model.metadata.get('labels')).toBe('kept')
    model.metadata.set('labels', undefined)
    await model.write(file)
    expect(python(SAME, path, file).trim()).toBe('True')
  })
})

describe('fix-instance-norm-epsilon', () => {
  it('raises what is smaller, also where it is not written', async (ctx) => {
    const python = onnxPython(ctx)
    const weights = { s: constant('float32', [2], [1, 2]), b: constant('float32', [2], [0, 1]) }
    const norm = (x: string, y: string, attributes: Record<string, number>) =>
      node('InstanceNormalization', [x, 's', 'b'], [y], attributes)
    const bytes = makeModel({
      inputs: { x: ['float32', [1, 2, 9]] },
      outputs: { z: ['float32', [1, 2, 9]] },
      initializers: weights,
      nodes: [norm('x', 'a', {}), norm('a', 'b1', { epsilon: 1e-3 }), norm('b1', 'z', { epsilon: 1e-12 })],
    })
    const [before, after] = [await onnx.read(bytes), await onnx.read(bytes)]
    const report = await applied(after, onnx.fixInstanceNormEpsilon())
    expect(report.changes.map(({ where }) => where)).toEqual(['InstanceNormalization "a"', 'InstanceNormalization "z"'])
    expect(after.graph.nodes.map((node) => node.get('epsilon', 'float'))).toEqual([1e-4, 1e-3, 1e-4].map(Math.fround))
    await expectSameOutputs(before, after, onnx.sampleFeeds(before), { atol: 2e-3 })
    expect(await checkedByPython(python, [after])).toEqual([''])
  })
})

const DOCUMENT = `
import onnx, sys
model = onnx.load(sys.argv[1])
graph = model.graph
model.doc_string = graph.doc_string = 'a doc string'
model.metadata_props.add(key='labels', value='kept')
for item in [*graph.node, *graph.input, *graph.output, *graph.initializer, *[a for n in graph.node for a in n.attribute]]:
    item.doc_string = 'a doc string'
    if hasattr(item, 'metadata_props'):
        item.metadata_props.add(key='pkg.torch.onnx.stack_trace', value='a stack trace')
onnx.save(model, sys.argv[2])
`

const SAME = `
import onnx, sys
def plain(model):
    for message in [model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input]:
        message.ClearField('doc_string')
    return model
print(plain(onnx.load(sys.argv[1])) == plain(onnx.load(sys.argv[2])))
`
