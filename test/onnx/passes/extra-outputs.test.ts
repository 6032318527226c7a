import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { makeModel, node } from '../../helpers/onnx-model.js'
import { ocrModel } from '../helpers/models.js'
import { applied } from '../helpers/passes.js'

const read = () => onnx.read(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))
const outputs = (model: onnx.Model) => model.graph.outputs.map(({ name }) => name)

const branching = () =>
  onnx.read(
    makeModel({
      inputs: { x: ['float32', [3]], c: ['bool', []] },
      outputs: { y: ['float32', [3]] },
      nodes: [
        node('Abs', ['x'], ['a']),
        node('If', ['c'], ['y'], {
          then_branch: { outputs: { p: ['float32'] }, nodes: [node('Abs', ['a'], ['p'])] },
          else_branch: { outputs: { q: ['float32'] }, nodes: [node('Neg', ['a'], ['q'])] },
        }),
      ],
    }),
  )

describe('insert-output and mark-intermediates', () => {
  it('give values inside a real model out, as onnxruntime computes them anyway', async () => {
    const [whole, marked] = [await read(), await read()]
    const feeds = onnx.sampleFeeds(whole, { shapes: { x: [1, 3, 48, 192] } })
    const [last] = outputs(whole) as [string]
    const pools = whole.graph.find({ opType: 'GlobalAveragePool' }).map((pool) => pool.outputs[0]?.name as string)
    const first = whole.graph.nodes.find(({ opType }) => opType === 'Conv')?.outputs[0]?.name as string
    const report = await applied(marked, onnx.markIntermediates({ ops: ['GlobalAveragePool'] }))
    await applied(marked, onnx.insertOutput({ values: [first, last] }))
    expect(report.changes.map(({ where }) => where)).toEqual(pools)
    expect(outputs(marked)).toEqual([last, ...pools, first])
    const expected = await onnx.run(whole, feeds, { outputs: [last, ...pools, first] })
    expect(await onnx.run(marked, feeds)).toEqual(expected)
  })

  it('refuse values and nodes of graphs inside, or say that they were left alone', async () => {
    const named = await failure('INVALID_ARGUMENT', async () =>
      onnx.transform(await branching(), [onnx.markIntermediates({ nodes: ['p'] })]),
    )
    expect(named.message).toMatch(/Abs "p" is in a graph inside the model/)
    const value = await failure('INVALID_ARGUMENT', async () =>
      onnx.transform(await branching(), [onnx.insertOutput({ values: ['q'] })]),
    )
    expect(value.message).toMatch(/"q" is a value of a graph inside If "y"/)
    const model = await branching()
    const report = await applied(model, onnx.markIntermediates({ ops: ['Abs'] }))
    expect(outputs(model)).toEqual(['y', 'a'])
    expect(report.notes).toEqual([expect.stringMatching(/^1 of the nodes selected/)])
    await failure('INVALID_ARGUMENT', () => onnx.transform(model, [onnx.insertOutput()]))
  })
})
