import { dirname } from 'node:path'
import fc from 'fast-check'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { type GraphSpec, makeModel, node } from '../helpers/onnx-model.js'
import { installed, onnxTestModels, realModels } from './helpers/models.js'
import { checkedByPython } from './helpers/passes.js'
import { onnxPython } from './helpers/python.js'
import { randomModel } from './helpers/random-graph.js'

const messages = (model: onnx.Model) => onnx.checkTypes(model).map(({ message }) => message)

describe('onnx.checkTypes', () => {
  it('finds nothing in the models of ONNX’s node tests but one, whose Loop begins with an optional and goes on with none', async (ctx) => {
    const found: unknown[] = []
    const paths = onnxTestModels(onnxPython(ctx)).filter((path) => dirname(dirname(path)).endsWith('node'))
    expect(paths.length).toBeGreaterThan(1700)
    for (const path of paths) {
      const wrong = messages(await onnx.read(path))
      if (wrong.length > 0) found.push([path.split('/').at(-2), wrong[0]])
    }
    expect(found).toEqual([['test_loop16_seq_none', expect.stringMatching(/^Loop: "seq_out" inside is sequence/)]])
  })

  it.for(realModels())('finds nothing in $name', async (real, ctx) => {
    expect(messages(await onnx.read(installed(ctx, real)))).toEqual([])
  })

  it('finds what Python’s checker finds in random models with a Cast too many', async (ctx) => {
    const models: onnx.Model[] = []
    const verdicts: boolean[] = []
    const kinds = fc.constantFrom(1, 7, 9, 10, 11)
    await fc.assert(
      fc.asyncProperty(randomModel(), fc.nat(1000), fc.nat(3), kinds, async ({ bytes }, place, index, to) => {
        const model = await onnx.read(bytes)
        const nodes = [...model.graphs()].flatMap((graph) => graph.nodes).filter(({ inputs }) => inputs.length > 0)
        const victim = nodes[place % nodes.length] as onnx.Node
        const source = victim.inputs[index % victim.inputs.length] as onnx.Value
        const [cast] = victim.graph.addNode({
          opType: 'Cast',
          inputs: [source],
          attributes: { to: ['int', to] },
        }).outputs
        victim.setInput(index % victim.inputs.length, cast as onnx.Value)
        models.push(await onnx.read(model.toBytes()))
        verdicts.push(onnx.checkTypes(model).length === 0)
      }),
      { numRuns: 120, seed: 12 },
    )
    const theirs = (await checkedByPython(onnxPython(ctx), models)).map((verdict) => verdict === '')
    const differing = verdicts.flatMap((verdict, at) =>
      verdict === theirs[at] ? [] : [[verdict, models[at]?.print()]],
    )
    expect(differing).toEqual([])
    expect([true, false].map((verdict) => verdicts.filter((one) => one === verdict).length > 20)).toEqual([true, true])
  })

  it('finds values that change their type where graphs inside nodes begin and end', async () => {
    const cast = (to: number): GraphSpec => ({
      outputs: { p: [to === 1 ? 'float32' : 'float16', [2]] },
      nodes: [node('Cast', ['x'], ['p'], { to })],
    })
    const other = (to: number): GraphSpec => ({
      ...cast(to),
      outputs: { q: [to === 1 ? 'float32' : 'float16', [2]] },
      nodes: [node('Cast', ['x'], ['q'], { to })],
    })
    const branches = makeModel({
      inputs: { x: ['float32', [2]], c: ['bool', []] },
      outputs: { y: ['float32', [2]] },
      nodes: [node('If', ['c'], ['y'], { then_branch: cast(1), else_branch: other(10) })],
    })
    const loop = (carried: 'float16' | 'float32') =>
      makeModel({
        inputs: { x: ['float32', [2]], n: ['int64', []] },
        outputs: { y: ['float32', [2]] },
        nodes: [
          node('Loop', ['n', '', 'x'], ['y'], {
            body: {
              inputs: { i: ['int64', []], go: ['bool', []], v: [carried, [2]] },
              outputs: { still: ['bool', []], w: [carried, [2]] },
              nodes: [node('Identity', ['go'], ['still']), node('Neg', ['v'], ['w'])],
            },
          }),
        ],
      })
    const scan = (given: 'float16' | 'float32') =>
      makeModel({
        inputs: { s: ['float32', [2]], x: ['float32', [5, 2]] },
        outputs: { t: ['float32', [2]], y: ['float32', [5, 2]] },
        nodes: [
          node('Scan', ['s', 'x'], ['t', 'y'], {
            num_scan_inputs: 1,
            body: {
              inputs: { a: ['float32', [2]], b: ['float32', [2]] },
              outputs: { c: ['float32', [2]], d: [given, [2]] },
              nodes: [node('Add', ['a', 'b'], ['c']), node('Neg', ['c'], ['d'])],
            },
          }),
        ],
      })
    expect(messages(await onnx.read(branches)).join()).toMatch(/"q" inside is float16, "y" outside is float32/)
    expect(messages(await onnx.read(loop('float32')))).toEqual([])
    expect(messages(await onnx.read(loop('float16'))).join()).toMatch(/"v" inside is float16, "x" outside is float32/)
    expect(messages(await onnx.read(scan('float32')))).toEqual([])
    expect(messages(await onnx.read(scan('float16'))).join()).toMatch(/"d" inside is float16, "y" outside is float32/)
  })
})
