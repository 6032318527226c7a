import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, makeModel, node } from '../helpers/onnx-model.js'

const spec = {
  inputs: { x: ['float32', ['N', 3]], c: ['bool', []] },
  outputs: { y: ['float32', ['N', 3]] },
  initializers: { w: constant('float32', [3], [1, 2, 3]) },
  nodes: [
    node('Add', ['x', 'w'], ['sum']),
    node('If', ['c'], ['y'], {
      then_branch: { outputs: { t: ['float32', ['N', 3]] }, nodes: [node('Neg', ['sum'], ['t'])] },
      else_branch: { outputs: { e: ['float32', ['N', 3]] }, nodes: [node('Abs', ['sum'], ['e'])] },
    }),
  ],
} as const

const read = () => onnx.read(makeModel(spec))

describe('onnx.diff', () => {
  it('finds nothing between a model and itself, in whatever order its nodes stand', async () => {
    expect(onnx.diff(await read(), await read())).toEqual([])
    const [add, branch] = spec.nodes
    expect(onnx.diff(await read(), await onnx.read(makeModel({ ...spec, nodes: [branch, add] })))).toEqual([])
  })

  it('finds each edit, and nothing else', async () => {
    const changed = await read()
    const { graph } = changed
    changed.setOpset('', 18)
    changed.metadata.set('key', 'value')
    graph.value('w')?.initializer?.set({ type: 'float32', dims: [3], data: Float32Array.of(1, 2, 4) })
    const inner = graph.node('y')?.subgraphs[0] as onnx.Graph
    ;(inner.nodes[0] as onnx.Node).opType = 'Relu'
    const sum = graph.value('sum') as onnx.Value
    sum.replaceUsesWith(graph.addNode({ opType: 'Exp', name: 'exp', inputs: [sum] }).outputs[0] as onnx.Value)
    graph.value('x')?.setType('float32', [1, 3])
    expect(onnx.diff(await read(), changed)).toEqual([
      {
        change: 'changed',
        what: 'model',
        name: '',
        details: ['opset of ai.onnx: 17 → 18', 'metadata key: none → "value"'],
      },
      { change: 'changed', what: 'input', name: 'x', details: ['type: float32[N,3] → float32[1,3]'] },
      { change: 'changed', what: 'initializer', name: 'w', details: ['elements: [1, 2, 3] → [1, 2, 4]'] },
      {
        change: 'changed',
        what: 'node',
        name: 'y/then_branch/t',
        details: ['op: Neg → Relu', 'inputs: (sum) → (exp_output)'],
      },
      { change: 'changed', what: 'node', name: 'y/else_branch/e', details: ['inputs: (sum) → (exp_output)'] },
      { change: 'added', what: 'node', name: 'exp', details: ['Exp "exp"'] },
    ])
  })

  it('finds what is gone', async () => {
    const changed = await read()
    const branch = changed.graph.node('y') as onnx.Node
    const y = branch.outputs[0] as onnx.Value
    y.replaceUsesWith(changed.graph.value('sum') as onnx.Value)
    changed.prune()
    expect(onnx.diff(await read(), changed).map(({ change, what, name }) => [change, what, name])).toEqual([
      ['changed', 'node', 'sum'],
      ['removed', 'node', 'y'],
    ])
  })
})
