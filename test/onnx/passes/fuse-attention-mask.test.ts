import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, makeModel, type NodeSpec, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { expectKeepsMeaning, type Motif, motifGraph } from '../helpers/motif-graph.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

const LEAST = -3.4028234663852886e38
const FLOAT = 1
const INT64 = 7
const BOOL = 9

/** A mask of where x is above 0 added to x, in each of five forms, and the rows of that made to add up to 1. */
function masked(x: string, y: string, id: string, dice: number, hidden = LEAST): Motif {
  const name = (text: string) => `${id}${text}`
  const cast = (from: string, to: string, type: number) => node('Cast', [name(from)], [name(to)], { to: type })
  const inverted = [cast('is', 'int', INT64), cast('int', 'f', FLOAT), node('Sub', [name('1'), name('f')], [name('i')])]
  const forms: NodeSpec[][] = [
    [...inverted, node('Mul', [name('i'), name('c')], [name('m')])],
    [...inverted, cast('i', 'b', BOOL), node('Where', [name('b'), name('c'), name('i')], [name('m')])],
    [
      node('Not', [name('is')], [name('not')]),
      cast('not', 'f', FLOAT),
      node('Mul', [name('c'), name('f')], [name('m')]),
    ],
    [node('Where', [name('is'), name('0'), name('c')], [name('m')])],
    [node('Not', [name('is')], [name('not')]), node('Where', [name('not'), name('c'), name('0')], [name('m')])],
  ]
  const sum = dice % 2 === 0 ? [x, name('m')] : [name('m'), x]
  return {
    nodes: [
      node('Greater', [x, name('0')], [name('is')]),
      ...(forms[dice % forms.length] as NodeSpec[]),
      node('Add', sum, [name('s')]),
      node('Softmax', [name('s')], [y], { axis: -1 }),
    ],
    initializers: {
      [name('0')]: constant('float32', [], [0]),
      [name('1')]: constant('float32', dice % 3 === 0 ? [] : [1], [1]),
      [name('c')]: constant('float32', [], [hidden]),
    },
  }
}

const steps = [onnx.inferShapes(), onnx.fuseAttentionMask()]

describe('fuse-attention-mask', () => {
  it('finds every form in random graphs, and leaves alone what hides by little', async () => {
    let found = 0
    await expectKeepsMeaning(motifGraph({ motif: masked }), steps, ([, report], { copies }, model) => {
      expect(report?.changes).toHaveLength(copies)
      expect(model.graph.find({ opType: 'Where' })).toHaveLength(copies)
      expect(model.graph.find({ opType: /^(Mul|Sub|Add)$/ }).filter(({ name }) => name.startsWith('m'))).toEqual([])
      found += copies
    })
    expect(found).toBeGreaterThan(50)
    const little = motifGraph({ motif: (x, y, id, dice) => masked(x, y, id, dice, -10_000) })
    await expectKeepsMeaning(
      little,
      steps,
      ([, report], { copies }) => {
        expect(report?.changes).toEqual([])
        expect(report?.notes).toHaveLength(copies)
      },
      5,
    )
  })

  it('says which masks it cannot tell to be 0 and 1', async () => {
    const model = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [2, 3]], m: ['float16', [2, 3]] },
        outputs: { y: ['float32', [2, 3]] },
        initializers: { c: constant('float32', [], [LEAST]), one: constant('float32', [], [1]) },
        nodes: [
          node('Cast', ['m'], ['f'], { to: FLOAT }),
          node('Sub', ['one', 'f'], ['i']),
          node('Mul', ['i', 'c'], ['h']),
          node('Add', ['x', 'h'], ['y']),
        ],
      }),
    )
    const report = await applied(model, onnx.fuseAttentionMask())
    expect(report).toMatchObject({ changes: [], notes: [expect.stringMatching(/its mask "m" is float16/)] })
  })

  it('takes the six of a real model, which says the same to the last bit, and in float16 survives what is masked whole', async (ctx) => {
    const real = realModel('all-minilm-l6-v2')
    const model = await onnx.read(installed(ctx, real))
    await onnx.transform(model, [onnx.inferShapes()])
    const report = await applied(model, onnx.fuseAttentionMask())
    expect(report.changes).toHaveLength(6)
    expect(await checkedByPython(onnxPython(ctx), [model])).toEqual([''])
    const feeds = feedsOf(real, 3)
    const mask = feeds.attention_mask as Tensor<'int64'>
    // One sequence is masked in part, the other one as a whole.
    mask.data.fill(0n, 5)
    await expectSameOutputs(real.path, model, feeds, { atol: 0, rtol: 0 })
    await onnx.transform(model, [onnx.convertPrecision({ emulate: true })])
    const [output] = Object.values(await runOnOnnxruntime(model.toBytes(), feeds)) as [Tensor]
    const [wanted] = Object.values(await runOnOnnxruntime(real.path, feeds)) as [Tensor]
    const worst = (wanted.data as Float32Array).reduce(
      (most, x, i) => Math.max(most, Math.abs(x - (output.data[i] as number))),
      0,
    )
    expect(worst).toBeLessThan(0.02)
  })
})
