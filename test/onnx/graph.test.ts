import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { TrtError } from '#dist/errors.js'
import { constant, float, makeModel, node } from '../helpers/onnx-model.js'

/** x → Neg a → Add(a, w) b → If(c){ Mul(b, two) | Abs(a) } y, and a dead branch. */
async function sample(): Promise<onnx.Model> {
  const then_branch = {
    outputs: { p: ['float32'] as const },
    initializers: { two: constant('float32', [], [2]) },
    nodes: [node('Mul', ['b', 'two'], ['p'])],
  }
  const else_branch = { outputs: { q: ['float32'] as const }, nodes: [node('Abs', ['a'], ['q'])] }
  return onnx.read(
    makeModel({
      inputs: { x: ['float32', ['N', 3]], c: ['bool', []] },
      outputs: { y: ['float32', ['N', 3]] },
      initializers: { w: constant('float32', [3], [1, 2, 3]), unused: constant('int64', [1], [7n]) },
      nodes: [
        node('Neg', ['x'], ['a']),
        node('Add', ['a', 'w'], ['b']),
        node('If', ['c'], ['y'], { then_branch, else_branch }),
        node('Abs', ['x'], ['dead1']),
        node('Exp', ['dead1'], ['dead2']),
      ],
    }),
  )
}

const value = (graph: onnx.Graph, name: string): onnx.Value => {
  const found = graph.value(name)
  if (found === undefined) throw new Error(`no value ${name}`)
  return found
}

const names = (items: readonly ({ name: string } | undefined)[]): (string | undefined)[] =>
  items.map((item) => item?.name)

/** The model again, from its bytes: what is read back must be valid, and list the same. */
async function reread(model: onnx.Model): Promise<onnx.Model> {
  const again = await onnx.read(model.toBytes())
  expect(again.print()).toBe(model.print())
  return again
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof TrtError && error.code === 'INVALID_ARGUMENT') return error.message
    throw error
  }
  return 'was not refused'
}

describe('looking', () => {
  it('finds who gives and who reads a value, through subgraphs too', async () => {
    const { graph } = await sample()
    const a = value(graph, 'a')
    expect(a.producer?.opType).toBe('Neg')
    expect(a.consumers.map(({ opType }) => opType)).toEqual(['Add', 'Abs'])
    expect(value(graph, 'y').isOutput).toBe(true)
    expect(value(graph, 'x').isInput).toBe(true)
    expect(value(graph, 'x').dims).toEqual(['N', 3])
    expect(value(graph, 'w')).toMatchObject({ type: 'float32', dims: [3], producer: undefined })
    expect(value(graph, 'a').type).toBe('undefined')
  })

  it('finds nodes by op, name and anything else', async () => {
    const { graph } = await sample()
    expect(names(graph.find({ opType: 'Abs' }))).toEqual(['dead1'])
    expect(names(graph.find({ opType: 'Abs', nested: true }))).toEqual(['q', 'dead1'])
    expect(names(graph.find({ name: /^dead/ }))).toEqual(['dead1', 'dead2'])
    expect(names(graph.find({ name: 'dead' }))).toEqual([])
    expect(names(graph.find({ where: ({ inputs }) => inputs.length === 2 }))).toEqual(['b'])
    expect(names(graph.find({ domain: 'other' }))).toEqual([])
  })

  it('reads attributes by name and type', async () => {
    const { graph } = await onnx.read(
      makeModel({
        outputs: { y: ['float32'] },
        nodes: [
          node('Op', [], ['y'], {
            i: -2,
            f: float(3),
            s: 'text',
            is: [1, -1],
            fs: [0.5],
            t: constant('int64', [2], [1n, -1n]),
          }),
        ],
      }),
    )
    const [op] = graph.nodes
    expect(op?.getInt('i')).toBe(-2)
    expect(op?.get('f', 'float')).toBe(3)
    expect(op?.get('s', 'string')).toBe('text')
    expect(op?.getInts('is')).toEqual([1, -1])
    expect(op?.get('fs', 'floats')).toEqual([0.5])
    expect(op?.get('t', 'tensor')?.toTensor().data).toEqual(BigInt64Array.of(1n, -1n))
    expect(op?.get('i', 'float', 1)).toBe(1)
    expect(op?.getInt('none', 5)).toBe(5)
    expect(op?.attributes.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'i int',
      'f float',
      's string',
      'is ints',
      'fs floats',
      't tensor',
    ])
  })

  it('lists everything', async () => {
    expect((await sample()).print()).toBe(`ir 8, opset onnx 17, from tensorrt-node tests
graph test(x: float32[N,3], c: bool[]) → (y: float32[N,3])
  w = float32[3] 1, 2, 3
  unused = int64[1] 7
  a = Neg(x)  # a
  b = Add(a, w)  # b
  y: float32[N,3] = If(c)  # y
    then_branch() → (p: float32)
      two = float32[] 2
      p: float32 = Mul(b, two)  # p
    else_branch() → (q: float32)
      q: float32 = Abs(a)  # q
  dead1 = Abs(x)  # dead1
  dead2 = Exp(dead1)  # dead2
`)
  })
})

describe('changing', () => {
  it('prunes what nobody uses, and nothing else', async () => {
    const model = await sample()
    const result = model.graph.prune()
    expect(names(result.nodes)).toEqual(['dead2', 'dead1'])
    expect(names(result.initializers)).toEqual(['unused'])
    expect(model.prune()).toEqual({ nodes: 0, initializers: 0 })
    expect(names((await reread(model)).graph.nodes)).toEqual(['a', 'b', 'y'])
  })

  it('renames a value in subgraphs that read it', async () => {
    const model = await sample()
    value(model.graph, 'b').rename('sum')
    const { graph } = await reread(model)
    expect(names(graph.find({ opType: 'Mul', nested: true })[0]?.inputs ?? [])).toEqual(['sum', 'two'])
    expect(graph.value('b')).toBeUndefined()
  })

  it('renames an initializer that is an input too, in both places', async () => {
    const model = await onnx.read(
      makeModel({
        ir: 3,
        inputs: { x: ['float32', [2]], w: ['float32', [2]] },
        outputs: { y: ['float32', [2]] },
        initializers: { w: constant('float32', [2], [1, 2]) },
        nodes: [node('Add', ['x', 'w'], ['y'])],
      }),
    )
    value(model.graph, 'w').rename('weight')
    model.graph.addInitializer({ type: 'int64', dims: [1], data: BigInt64Array.of(5n) }, 'more')
    const { graph } = await reread(model)
    expect(names(graph.inputs)).toEqual(['x', 'weight', 'more'])
    expect(names(graph.initializers)).toEqual(['weight', 'more'])
    expect(value(graph, 'more')).toMatchObject({ type: 'int64', dims: [1] })
    expect(value(graph, 'weight').initializer?.toTensor().data).toEqual(Float32Array.of(1, 2))
  })

  it('puts a node behind a value, and takes it out again', async () => {
    const model = await sample()
    const { graph } = model
    const a = value(graph, 'a')
    const relu = graph.addNode({ opType: 'Relu', inputs: [a] })
    a.replaceUsesWith(relu.outputs[0] as onnx.Value)
    expect(a.consumers).toEqual([relu])
    const { graph: again } = await reread(model)
    expect(again.nodes.map(({ opType }) => opType)).toEqual(['Neg', 'Relu', 'Add', 'If', 'Abs', 'Exp'])
    ;(relu.outputs[0] as onnx.Value).replaceUsesWith(a)
    relu.remove()
    expect((await reread(model)).print()).toBe((await sample()).print())
  })

  it('keeps the names of outputs when a node is put behind them, or taken away', async () => {
    const model = await sample()
    const { graph } = model
    const y = value(graph, 'y')
    const node = graph.addNode({ opType: 'Identity', inputs: [y], outputs: ['z'] })
    y.replaceUsesWith(node.outputs[0] as onnx.Value)
    expect(names(graph.outputs)).toEqual(['y'])
    expect(graph.outputs[0]?.producer).toBe(node)
    expect(graph.outputs[0]?.dims).toEqual(['N', 3])
    await reread(model)
    graph.outputs[0]?.replaceUsesWith(y)
    node.remove()
    expect((await reread(model)).print()).toBe((await sample()).print())
  })

  it('copies a value that must keep its name into an output', async () => {
    const model = await sample()
    const { graph } = model
    value(graph, 'y').replaceUsesWith(value(graph, 'x'))
    const [y] = (await reread(model)).graph.outputs
    expect(y?.name).toBe('y')
    expect(y?.producer?.opType).toBe('Identity')
    expect(names(y?.producer?.inputs ?? [])).toEqual(['x'])
  })

  it('lets a new node take a value over from the one that gave it', async () => {
    const model = await sample()
    const { graph } = model
    graph.addNode({
      opType: 'Fused',
      domain: 'my',
      inputs: ['x', 'w'],
      outputs: [value(graph, 'b')],
      attributes: { axis: ['int', -1] },
    })
    expect(graph.find({ opType: 'Add' })).toEqual([])
    const again = (await reread(model)).graph
    expect(value(again, 'b').producer?.getInt('axis')).toBe(-1)
    expect(again.nodes.map(({ opType }) => opType)).toEqual(['Neg', 'Fused', 'If', 'Abs', 'Exp'])
  })

  it('makes a value constant', async () => {
    const model = await sample()
    const { graph } = model
    graph.setInitializer(value(graph, 'b'), { type: 'float32', dims: [1], data: Float32Array.of(9) })
    expect(graph.find({ opType: 'Add' })).toEqual([])
    expect(value((await reread(model)).graph, 'b').initializer?.toTensor().data).toEqual(Float32Array.of(9))
  })

  it('sorts nodes, also by what subgraphs read', async () => {
    const model = await sample()
    const { graph } = model
    const x = value(graph, 'x')
    const late = graph.addNode({ opType: 'Late', inputs: [x], outputs: ['late'] })
    const [mul] = graph.find({ opType: 'Mul', nested: true })
    mul?.setInput(1, late.outputs[0])
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(['Neg', 'Add', 'Late', 'If', 'Abs', 'Exp'])
    await reread(model)
  })

  it('sorts a chain of 20,000 nodes that comes in reverse', async () => {
    const count = 20_000
    const nodes = Array.from({ length: count }, (_, i) =>
      node('Neg', [i === 0 ? 'x' : `v${i - 1}`], [`v${i}`]),
    ).reverse()
    const model = await onnx.read(
      makeModel({ inputs: { x: ['float32'] }, outputs: { [`v${count - 1}`]: ['float32'] }, nodes }),
    )
    expect(model.graph.nodes[0]?.name).toBe(`v${count - 1}`)
    value(model.graph, 'x').consumers[0]?.setInput(0, value(model.graph, 'x'))
    expect(model.graph.nodes[0]?.name).toBe('v0')
    await reread(model)
  })

  it('adds inputs, outputs, subgraphs and initializers', async () => {
    const model = await sample()
    const { graph } = model
    const input = graph.addInput('flag', 'bool', [])
    const choice = graph.addNode({ opType: 'If', inputs: [input], outputs: ['chosen'] })
    for (const name of ['then_branch', 'else_branch']) {
      const inner = choice.addSubgraph(name)
      const made = inner.addNode({ opType: name === 'then_branch' ? 'Neg' : 'Abs', inputs: [value(graph, 'a')] })
      made.outputs[0]?.setType('float32', ['N', 3])
      inner.addOutput(made.outputs[0] as onnx.Value)
    }
    const chosen = value(graph, 'chosen')
    chosen.setType('float32', ['N', 3])
    graph.addOutput(chosen)
    const again = (await reread(model)).graph
    expect(names(again.inputs)).toEqual(['x', 'c', 'flag'])
    expect(again.outputs.map(({ name, type, dims }) => [name, type, dims])).toEqual([
      ['y', 'float32', ['N', 3]],
      ['chosen', 'float32', ['N', 3]],
    ])
    expect(value(again, 'a').consumers).toHaveLength(4)

    graph.removeOutput(chosen)
    model.prune()
    graph.removeInput(input)
    model.graph.value('a')?.rename('a')
    expect((await reread(model)).graph.find({ opType: 'If' })).toHaveLength(1)
  })

  it('makes names that are free', async () => {
    const { graph } = await sample()
    expect(graph.uniqueName('fresh')).toBe('fresh')
    expect(graph.uniqueName('a')).toBe('a_1')
    expect(graph.uniqueName('p')).toBe('p_1')
    const made = [1, 2, 3].map(() => graph.addNode({ opType: 'Neg', inputs: ['x'] }))
    expect(names(made)).toEqual(['Neg', 'Neg_1', 'Neg_2'])
    expect(new Set(made.map(({ outputs }) => outputs[0]?.name)).size).toBe(3)
  })

  it('knows a name to be in use as long as one of two branches has it', async () => {
    const { graph } = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [3]], c: ['bool', []] },
        outputs: { y: ['float32', [3]] },
        nodes: [
          node('If', ['c'], ['y'], {
            then_branch: { outputs: { p: ['float32'] }, nodes: [node('Neg', ['x'], ['p'])] },
            else_branch: { outputs: { p: ['float32'] }, nodes: [node('Abs', ['x'], ['p'])] },
          }),
        ],
      }),
    )
    const [first, second] = (graph.nodes[0] as onnx.Node).subgraphs as [onnx.Graph, onnx.Graph]
    expect(graph.uniqueName('p')).toBe('p_1')
    value(first, 'p').rename('other')
    expect(graph.uniqueName('p')).toBe('p_2')
    expect(() => graph.addInput('p', 'float32', [3])).toThrow(/expected a name that is free/)
    value(second, 'p').rename('another')
    expect(graph.uniqueName('p')).toBe('p')
  })

  it('refuses what would break the graph, and changes nothing then', async () => {
    const model = await sample()
    const { graph } = model
    const other = (await sample()).graph
    const inner = graph.find({ opType: 'If' })[0]?.subgraphs[0] as onnx.Graph
    expect(refusal(() => value(graph, 'a').rename('b'))).toContain('expected a name that is free, received "b"')
    expect(refusal(() => value(graph, 'a').rename('p'))).toContain('expected a name that is free, received "p"')
    expect(refusal(() => value(graph, 'a').rename(''))).toContain('received ""')
    expect(refusal(() => graph.removeNode(graph.nodes[0] as onnx.Node))).toContain('its output "a" is in use')
    expect(refusal(() => graph.addNode({ opType: 'Neg', inputs: ['gone'] }))).toContain('knows no value "gone"')
    expect(refusal(() => graph.addNode({ opType: '', inputs: ['x'] }))).toContain('opType')
    expect(refusal(() => graph.addNode({ opType: 'Neg', inputs: ['x'], outputs: ['w'] }))).toContain('received "w"')
    expect(refusal(() => graph.addNode({ opType: 'Neg', inputs: [value(other, 'x')] }))).toContain('of another')
    expect(refusal(() => graph.addNode({ opType: 'Neg', inputs: [value(inner, 'two')] }))).toContain('of another')
    expect(refusal(() => graph.addNode({ opType: 'Neg', outputs: [value(graph, 'x')] }))).toContain('it is an input')
    expect(refusal(() => value(graph, 'a').replaceUsesWith(value(inner, 'two')))).toContain('of another')
    expect(refusal(() => graph.removeInput(value(graph, 'x')))).toContain('in use')
    expect(refusal(() => graph.nodes[0]?.set('axis', 'int', 1.5))).toContain('expected a value of type int')
    expect(refusal(() => graph.addInitializer({ type: 'float32', dims: [2], data: Float32Array.of(1) }))).toContain(
      '2 elements',
    )
    expect((await reread(model)).print()).toBe((await sample()).print())
  })

  it('says so when an edit makes a cycle', async () => {
    const { graph } = await sample()
    value(graph, 'a').producer?.setInput(0, value(graph, 'b'))
    expect(() => graph.nodes).toThrow(
      expect.objectContaining({ code: 'INVALID_MODEL', message: expect.stringContaining('cycle') }),
    )
  })

  it('sets and reads elements that no typed array holds', async () => {
    const model = await sample()
    const { graph } = model
    graph.addInitializer({ type: 'int4', dims: [3], data: Uint8Array.of(0x2f, 0x08) }, 'four')
    graph.addInitializer({ type: 'string', dims: [2], data: ['a', 'ß'] }, 'texts')
    const again = (await reread(model)).graph
    expect(value(again, 'four').initializer?.statistics()).toMatchObject({ min: -8, max: 2, count: 3 })
    expect(value(again, 'texts').initializer?.strings()).toEqual(['a', 'ß'])
    expect(refusal(() => value(again, 'texts').initializer?.toTensor())).toContain('no typed array')
  })
})
