import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, float, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel } from '../helpers/models.js'
import { expectKeepsMeaning, motifGraph } from '../helpers/motif-graph.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

// onnxruntime's own op, so that it tells whether the replacement is right.
const GELU = {
  pattern: 'y = Mul(Mul(x, Add(Erf(Div(x, 1.41421356)), 1)), 0.5)',
  replacement: 'y = com.microsoft:Gelu(x)',
}
const SWISH = { pattern: 'y = Mul(x, Sigmoid(x))', replacement: 'y = com.microsoft:QuickGelu(x) {alpha: 1.0}' }

describe('replace-subgraph', () => {
  it('puts one node in the place of five in a real model', async (ctx) => {
    const python = onnxPython(ctx)
    const minilm = realModel('all-minilm-l6-v2')
    const path = installed(ctx, minilm)
    const [before, after] = [await onnx.read(path), await onnx.read(path)]
    const report = await applied(after, onnx.replaceSubgraph(GELU))
    expect(report.figures).toEqual({ matches: 6 })
    expect(after.graph.find({ opType: 'Erf' })).toEqual([])
    // Five nodes and three Constant nodes each gone, one come.
    expect(after.graph.nodes.length).toBe(before.graph.nodes.length - 6 * 7)
    await expectSameOutputs(before, after, feedsOf(minilm, 1))
    expect(await checkedByPython(python, [after])).toEqual([''])
  })

  it('finds patterns anywhere, inputs swapped, Identity in between, and parts used by others', async () => {
    const motif = (x: string, y: string, id: string, dice: number) => {
      const [a, b] = dice % 2 === 0 ? [x, `${id}i`] : [`${id}i`, x]
      return {
        nodes: [node('Sigmoid', [x], [`${id}s`]), node('Identity', [`${id}s`], [`${id}i`]), node('Mul', [a, b], [y])],
      }
    }
    let found = 0
    await expectKeepsMeaning(
      motifGraph({ motif, opset: { '': 17, 'com.microsoft': 1 } }),
      [onnx.replaceSubgraph(SWISH)],
      ([report], { copies }) => {
        expect(report?.changes.length).toBeGreaterThanOrEqual(copies)
        found += copies
      },
    )
    expect(found).toBeGreaterThan(50)
  })

  it('goes by attributes, constants and shapes, and copies attributes', async () => {
    const model = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [1, 4, 8, 8]] },
        outputs: { y: ['float32', [1, 4, 8, 8]], z: ['float32', [1, 4, 8, 8]] },
        initializers: { w: constant('float32', [4, 4, 1, 1], Array(16).fill(0.5)), a: constant('float32', [1], [0.1]) },
        nodes: [
          node('Conv', ['x', 'w'], ['c'], { dilations: [1, 1], pads: [0, 0, 0, 0] }),
          node('LeakyRelu', ['c'], ['y'], { alpha: 0.25 }),
          node('Conv', ['x', 'w'], ['d'], { group: 1 }),
          node('LeakyRelu', ['d'], ['e'], { alpha: float(0) }),
          node('Mul', ['e', 'a'], ['z']),
        ],
      }),
    )
    const replaced = async (pattern: string, shapes?: onnx.ReplaceSubgraphOptions['shapes']) => {
      const copy = await onnx.read(model.toBytes())
      const replacement =
        'y = my.ops:ConvAct(x, $w) {...c, pads: null, slope: 0.5, kind: "leaky", sizes: [1.0, 2], group: c.group}'
      await onnx.transform(copy, [onnx.replaceSubgraph({ pattern, replacement, shapes })])
      return copy.graph.find({ domain: 'my.ops' })
    }
    const [both, one] = [
      await replaced('c = Conv(x, $w) y = LeakyRelu(c)'),
      await replaced('c = Conv(x, $w); y = LeakyRelu(c) {alpha: 0.25}'),
    ]
    expect([both.length, one.length]).toEqual([2, 1])
    expect(one[0]?.attributes.map(({ name, type, value }) => [name, type, value])).toEqual([
      ['dilations', 'ints', [1, 1]],
      ['slope', 'float', 0.5],
      ['kind', 'string', 'leaky'],
      ['sizes', 'floats', [1, 2]],
    ])
    expect(both.map((conv) => conv.get('group', 'int')).toSorted()).toEqual([1, undefined])
    expect(await replaced('c = Conv(x, $w) y = LeakyRelu(c) {alpha: 0.5}')).toEqual([])
    expect(await replaced('c = Conv(x, $w) {group: null} y = LeakyRelu(c)')).toHaveLength(1)
    const chain = 'c = Conv(x, $w) y = LeakyRelu(c)'
    expect(await replaced(chain, { x: [null, 'C', 'S', 'S'], $w: ['C', 'C', 1, 1] })).toHaveLength(2)
    expect(await replaced(chain, { x: [null, 'C', 'S', 8], $w: ['S', 'C', 1, 1] })).toEqual([])
    expect(await replaced(chain, { x: [null, null, null] })).toEqual([])
    expect(await replaced('c = Conv(x, $w) y = Mul(LeakyRelu(c), 0.1)')).toHaveLength(1)
    expect(await replaced('c = Conv(x, $w) y = Mul(LeakyRelu(c), 0.2)')).toEqual([])
    expect(await replaced('c = Conv($x, $w) y = LeakyRelu(c)').catch(({ code }) => code)).toBe('INVALID_ARGUMENT')
  })

  it.each([
    [{ pattern: 'y = Relu(x' }, /expected ,, received the end/],
    [{ pattern: 'y = Relu(x)', replacement: 'z = Relu(x)' }, /does not give y/],
    [{ pattern: 'y = Relu(x)', replacement: 'y = Abs(z)' }, /speaks of z/],
    [{ pattern: 'y = Relu(x)', replacement: 'x = Abs(x) y = Abs(x)' }, /gives x, which is an input/],
    [{ pattern: 'y = Relu(x)', replacement: 'y = Abs|Neg(x)' }, /leaves open/],
    [{ pattern: 'y = Relu(x) #' }, /received {1,2}#/],
    [{ replacement: 'y = Abs(x)' }, /expected a pattern/],
    [{ pattern: 'y = Mul(x, Sigmoid(x))', replacement: 'n = Neg(x) y = Mul(n, Sigmoid(n))' }, /no end/],
  ])('refuses %j', async (options, message) => {
    const nodes = [node('Sigmoid', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])]
    const model = await onnx.read(
      makeModel({ inputs: { x: ['float32', [2]] }, outputs: { y: ['float32', [2]] }, nodes }),
    )
    const step = onnx.replaceSubgraph({ replacement: 'y = Abs(x)', ...options })
    const error = await failure('INVALID_ARGUMENT', () => onnx.transform(model, [step]))
    expect(error.message).toMatch(message)
  })
})
