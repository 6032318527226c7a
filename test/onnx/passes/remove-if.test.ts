import fc from 'fast-check'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.js'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { randomModel } from '../helpers/random-graph.js'

const ifs = (model: onnx.Model) => model.graph.find({ opType: 'If', nested: true })

/** If(c) { If(true) { Neg } { x } } { w }, where both branches use one name, and the inner one gives an outer value. */
const nested = () =>
  onnx.read(
    makeModel({
      inputs: { x: ['float32', [2]], c: ['bool', []] },
      outputs: { y: ['float32', [2]] },
      initializers: { yes: constant('bool', [], [1]) },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: {
            outputs: { p: ['float32', [2]] },
            nodes: [
              node('Abs', ['x'], ['same']),
              node('If', ['yes'], ['p'], {
                then_branch: { outputs: { q: ['float32', [2]] }, nodes: [node('Neg', ['same'], ['q'])] },
                else_branch: { outputs: { r: ['float32', [2]] }, nodes: [node('Identity', ['x'], ['r'])] },
              }),
            ],
          },
          else_branch: {
            outputs: { s: ['float32', [2]] },
            initializers: { w: constant('float32', [2], [5, 6]) },
            nodes: [node('Sqrt', ['w'], ['same']), node('Add', ['same', 'w'], ['s'])],
          },
        }),
      ],
    }),
  )

describe('remove-if', () => {
  it('keeps what random models compute, and leaves no If with a constant condition', async (ctx) => {
    const python = onnxPython(ctx)
    const models: onnx.Model[] = []
    let removed = 0
    await fc.assert(
      fc.asyncProperty(randomModel(), async ({ bytes, feeds }) => {
        const model = await onnx.read(bytes)
        const before = ifs(model).length
        await applied(model, onnx.removeIf())
        expect(ifs(model).every(({ inputs }) => inputs[0]?.producer?.opType === 'Greater')).toBe(true)
        await expectSameOutputs(bytes, model, feeds)
        removed += before - ifs(model).length
        models.push(model)
      }),
      { numRuns: 25, seed: 3 },
    )
    expect(removed).toBeGreaterThan(5)
    expect(await checkedByPython(python, models)).toEqual(models.map(() => ''))
  })

  it.for([true, false])('takes the branch that the caller states: %s', async (condition) => {
    const x = new Tensor('float32', Float32Array.of(3, -4), [2])
    const model = await nested()
    const report = await applied(model, onnx.removeIf({ conditions: { y: condition } }))
    expect(ifs(model)).toEqual([])
    expect(report.notes).toEqual([`assumed that the condition of If "y" is ${condition}`])
    const c = new Tensor('bool', Uint8Array.of(Number(condition)), [])
    const [y] = Object.values(await runOnOnnxruntime(model.toBytes(), { x, c })) as [Tensor<'float32'>]
    expect([...y.data]).toEqual(
      condition ? [-3, -4] : [5 + Math.fround(Math.sqrt(5)), 6 + Math.fround(Math.sqrt(6))].map(Math.fround),
    )
  })

  it('says what an If depends on that stays, and which names are none', async () => {
    const model = await nested()
    const report = await applied(model, onnx.removeIf({ conditions: { nowhere: true } }))
    expect(report.changes.map(({ where }) => where).filter((where) => where.startsWith('If'))).toEqual(['If "p"'])
    expect(report.notes).toEqual(['there is no If named "nowhere"', 'If "y" stays: its condition depends on "c"'])
  })

  it.for(['silero-vad', 'silero-vad-16k', 'silero-vad-half', 'silero-vad-ifless'])(
    'frees %s from all its Ifs, once sample rate and sizes are stated',
    async (name, ctx) => {
      const python = onnxPython(ctx)
      const real = realModel(name)
      const model = await onnx.read(installed(ctx, real))
      expect(ifs(model).length).toBeGreaterThan(0)
      const shapes = { input: [1, 576], state: [2, 1, 128] }
      const hasRate = model.graph.value('sr') !== undefined
      const rate = hasRate ? [onnx.fixInput({ values: { sr: 16_000 } })] : []
      for (const step of [...rate, onnx.setShape({ shapes }), onnx.removeIf(), onnx.simplify()])
        await applied(model, step)
      expect(ifs(model)).toEqual([])
      const { sr: _, ...feeds } = feedsOf(real, 4)
      const expected = Object.values(await runOnOnnxruntime(real.path, feedsOf(real, 4)))
      const given = Object.values(await runOnOnnxruntime(model.toBytes(), feeds))
      for (const [index, { dims, data }] of expected.entries()) {
        expect(given[index]?.dims).toEqual(dims)
        for (const [i, x] of (data as Float32Array).entries()) expect(given[index]?.data[i]).toBeCloseTo(x, 4)
      }
      expect(await checkedByPython(python, [model])).toEqual([''])
    },
  )
})

describe('fix-input', () => {
  it('refuses what is no input, and elements that do not fit', async () => {
    const model = await nested()
    const refusal = async (values: onnx.FixInputOptions['values']) =>
      (await failure('INVALID_ARGUMENT', () => onnx.transform(model, [onnx.fixInput({ values })]))).message
    expect(await refusal({ nowhere: 1 })).toMatch(/no input "nowhere"/)
    expect(await refusal({ x: [1, 2, 3] })).toMatch(/expected 2 elements for \[2\], received 3/)
  })
})
