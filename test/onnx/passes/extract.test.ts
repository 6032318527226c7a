import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { ocrModel } from '../helpers/models.js'
import { applied, checkedByPython } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

const SHAPES = { x: [1, 3, 48, 192] }
const read = () => onnx.read(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))
const names = (items: readonly ({ name: string } | undefined)[]) => items.map((item) => item?.name)

/** x → Neg a → If(c) { Add(a, w) | Abs(a) } y → Exp z */
const branching = () =>
  onnx.read(
    makeModel({
      inputs: { x: ['float32', ['N', 3]], c: ['bool', []] },
      outputs: { z: ['float32', ['N', 3]] },
      initializers: { w: constant('float32', [3], [1, 2, 3]) },
      nodes: [
        node('Neg', ['x'], ['a']),
        node('If', ['c'], ['y'], {
          then_branch: { outputs: { p: ['float32'] }, nodes: [node('Add', ['a', 'w'], ['p'])] },
          else_branch: { outputs: { q: ['float32'] }, nodes: [node('Abs', ['a'], ['q'])] },
        }),
        node('Exp', ['y'], ['z']),
      ],
    }),
  )

describe('extract', () => {
  it('cuts a real model in two halves that compute what the whole does', async (ctx) => {
    const python = onnxPython(ctx)
    const whole = await read()
    const middle = whole.graph.find({ opType: 'MaxPool' })[0]?.inputs[0]?.name as string
    const feeds = onnx.sampleFeeds(whole, { shapes: SHAPES })
    const [output] = names(whole.graph.outputs) as [string]
    const expected = await onnx.run(whole, feeds, { outputs: [middle, output] })
    const [head, tail] = [await read(), await read()]
    const report = await applied(head, onnx.extract({ outputs: [middle] }))
    expect(report.changes.map(({ where }) => where)).toEqual([output, middle, 'model'])
    expect(await onnx.run(head, feeds)).toEqual({ [middle]: expected[middle] })
    const cut = expected[middle] as Tensor
    // The exporter declares no types inside, so what they are is said here, as infer-shapes would.
    for (const half of [head, tail]) half.graph.value(middle)?.setType('float32', cut.dims)
    await applied(tail, onnx.extract({ inputs: [middle] }))
    expect(names(tail.graph.inputs)).toEqual([middle])
    expect(await onnx.run(tail, { [middle]: cut })).toEqual({ [output]: expected[output] })
    expect(head.graph.nodes.length + tail.graph.nodes.length).toBeLessThan(whole.graph.nodes.length + 3)
    expect(await checkedByPython(python, [head, tail])).toEqual(['', ''])
  })

  it('keeps what graphs inside nodes read', async () => {
    const model = await branching()
    await applied(model, onnx.extract({ outputs: ['y'] }))
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['Neg', 'If'])
    const cut = await branching()
    cut.graph.value('a')?.setType('float32', ['N', 3])
    await applied(cut, onnx.extract({ inputs: ['c', 'a'] }))
    expect(names(cut.graph.inputs)).toEqual(['c', 'a'])
    expect(cut.graph.initializers.map(({ name }) => name)).toEqual(['w'])
  })

  it('refuses what is no cut, and says why', async () => {
    const model = await branching()
    const refusal = async (options: Partial<onnx.ExtractOptions>) =>
      (await failure('INVALID_ARGUMENT', () => onnx.transform(model, [onnx.extract(options)]))).message
    expect(await refusal({ outputs: ['nowhere'] })).toMatch(/no value "nowhere"/)
    expect(await refusal({ outputs: ['p'] })).toMatch(/"p" is a value of a graph inside If "y"/)
    expect(await refusal({ inputs: ['a'] })).toMatch(/also need the input "c"/)
    expect(await refusal({ inputs: ['a', 'c'], outputs: ['a'] })).toMatch(/"a" cannot be an input and an output/)
    expect(await refusal({ inputs: ['y'] })).toMatch(/of which type "y" is/)
  })
})
