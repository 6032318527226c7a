/**
 * What the models of others do not show: symbols, contradictions, graphs inside nodes, functions, ops of others. Long, as
 * there are many rules, and each has a model of its own here.
 */
import fc from 'fast-check'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { add, ceilDivide, floorDivide, isSame, multiply, subtract } from '#dist/onnx/shapes/dim-algebra.js'
import { constant, type GraphSpec, type ModelSpec, makeModel, type NodeSpec, node } from '../helpers/onnx-model.js'
import { checkRun, evaluate } from './helpers/inferred-shapes.js'
import { onnxPython } from './helpers/python.js'

function read(spec: ModelSpec): Promise<onnx.Model> {
  return onnx.read(makeModel(spec))
}

function floats(...dims: number[]): Tensor {
  return new Tensor('float32', new Float32Array(dims.reduce((size, dim) => size * dim, 1)).fill(0.5), dims)
}

describe('arithmetic on sizes', () => {
  const names = { a: 3, b: 7, 'c.0': 12 }
  const sizes = new Map(Object.entries(names))
  /** An expression and its value, made by the same random steps. */
  const expression = fc
    .array(
      fc.tuple(
        fc.nat(6),
        fc.constantFrom<number | string>(...Object.keys(names), 1, 2, 3, 5),
        fc.integer({ min: 1, max: 4 }),
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    .map((steps) => {
      let dim: number | string | null = 'a'
      let value = names.a
      for (const [step, operand, divisor] of steps) {
        const number = typeof operand === 'number' ? operand : (sizes.get(operand) as number)
        if (step <= 1) [dim, value] = [add(dim, operand), value + number]
        else if (step <= 3) [dim, value] = [multiply(dim, operand), value * number]
        else if (step === 4) [dim, value] = [subtract(dim, operand), value - number]
        else if (step === 5) [dim, value] = [floorDivide(dim, divisor), Math.floor(value / divisor)]
        else [dim, value] = [ceilDivide(dim, divisor), Math.ceil(value / divisor)]
      }
      return { dim, value }
    })

  it('gives what numbers give', () => {
    fc.assert(
      fc.property(expression, ({ dim, value }) => {
        const result = typeof dim === 'string' ? evaluate(dim, sizes) : dim
        expect([dim, result]).toEqual([dim, dim === null ? null : value + 0])
      }),
      { numRuns: 3000, seed: 11 },
    )
  })

  it('writes what is equal in one way, and reads what people write', () => {
    expect(add('b', 'a')).toBe('a+b')
    expect(isSame('past_sequence_length + 1', add(1, 'past_sequence_length'))).toBe(true)
    expect(isSame('2*(n + 1)', multiply(add('n', 1), 2))).toBe(true)
    expect(floorDivide(multiply('batch', 12, 'n', 64), multiply('n', 12))).toBe('64*batch')
    expect(floorDivide(add(multiply('n', 3), 3), add('n', 1))).toBe(3)
    // A stack of convolutions with stride 2 stays short.
    const half = (dim: number | string | null) => add(floorDivide(subtract(dim, 1), 2), 1)
    expect(half(half(half('height')))).toBe('floor((height+7)/8)')
    // A name that could be taken for something else is not computed with.
    expect([add('my dim', 1), multiply('my dim', 1), add('my dim', 0)]).toEqual([null, 'my dim', 'my dim'])
  })
})

describe('symbolic sizes', () => {
  it('go through convolutions, and through shapes that nodes compute', async () => {
    const model = await read({
      inputs: { x: ['float32', ['N', 3, 'H', 'W']] },
      outputs: { y: ['float32'] },
      initializers: {
        w: constant('float32', [8, 3, 3, 3], new Array(216).fill(0)),
        last: constant('int64', [1], [-1]),
      },
      nodes: [
        node('Conv', ['x', 'w'], ['c'], { strides: [2, 2], pads: [1, 1, 1, 1] }),
        node('Shape', ['c'], ['s'], { start: 0, end: 2 }),
        node('Concat', ['s', 'last'], ['shape'], { axis: 0 }),
        node('Reshape', ['c', 'shape'], ['r']),
        node('Concat', ['r', 'r'], ['y'], { axis: 0 }),
      ],
    })
    await checkRun(model, { x: floats(2, 3, 9, 6) })
    expect(model.graph.value('y')?.dims).toEqual(['2*N', 8, 'floor((H+1)/2)*floor((W+1)/2)'])
  })

  it('that are computed in float32 round as float32 does', async () => {
    // 0.7 times 10 is 7 there, and 6.99999988 in JavaScript, where 0.7 is the nearest float32.
    const spec: ModelSpec = {
      inputs: { x: ['float32', [10]] },
      outputs: { y: ['float32', [7]] },
      initializers: { factor: constant('float32', [1], [0.7]), half: constant('float32', [], [0.5]) },
      nodes: [
        node('Shape', ['x'], ['size']),
        node('Cast', ['size'], ['float'], { to: 1 }),
        node('Mul', ['float', 'factor'], ['scaled']),
        node('Floor', ['scaled'], ['floor']),
        node('Cast', ['floor'], ['whole'], { to: 7 }),
        node('Expand', ['half', 'whole'], ['y']),
      ],
    }
    const model = await read({ ...spec, outputs: { y: ['float32', ['size']] } })
    await checkRun(model, { x: floats(10) })
    expect(model.graph.value('y')?.dims).toEqual([7])
    const folded = await read(spec)
    await onnx.transform(folded, [onnx.simplify()], { verify: true })
    expect(folded.graph.nodes.map(({ opType }) => opType)).not.toContain('Floor')
  })

  it('of different names may be broadcast either way, so that the result is not known', async () => {
    const model = await read({
      inputs: { x: ['float32', ['A', 4]], z: ['float32', ['B', 1]] },
      outputs: { y: ['float32'] },
      nodes: [node('Add', ['x', 'z'], ['y'])],
    })
    for (const [a, b] of [
      [3, 1],
      [1, 3],
    ] as const) {
      await checkRun(model, { x: floats(a, 4), z: floats(b, 1) })
    }
    expect(model.graph.value('y')?.dims).toEqual([null, 4])
  })

  it('that exporters write for several sizes at once are told apart', async () => {
    const model = await read({
      inputs: { x: ['float32', ['batch', 'batch']] },
      outputs: { y: ['float32'] },
      nodes: [node('Concat', ['x', 'x'], ['y'], { axis: 1 })],
    })
    await checkRun(model, { x: floats(2, 8) })
    expect(model.graph.value('y')?.dims).toEqual(['batch', '2*batch_2'])
  })

  it('that exporters write for unknown ones are no names', async () => {
    const model = await read({
      inputs: { x: ['float32', ['?', 'n', 'None']] },
      outputs: { y: ['float32'] },
      nodes: [node('Neg', ['x'], ['y'])],
    })
    onnx.inferTypes(model)
    expect(model.graph.value('y')?.dims).toEqual([null, 'n', null])
  })
})

describe('a model that contradicts itself', () => {
  const wrong: ModelSpec = {
    inputs: { x: ['float32', ['N', 4]] },
    outputs: { y: ['float32', ['rows', 5]] },
    nodes: [node('Relu', ['x'], ['r'], {}, { name: 'first' }), node('Neg', ['r'], ['y'], {}, { name: 'second' })],
  }

  it('is refused, by the names of node and value', async () => {
    const model = await read(wrong)
    expect(() => onnx.inferTypes(model)).toThrow(/Neg "second" gives "y" as float32\[N,4\].* float32\[rows,5\]/)
    expect(() => onnx.inferTypes(model)).toThrow(expect.objectContaining({ code: 'INVALID_MODEL' }))
  })

  it('can be reported on, or corrected', async () => {
    const reported = await read(wrong)
    expect(onnx.inferTypes(reported, { onContradiction: 'report' }).contradictions).toHaveLength(1)
    expect(reported.graph.value('y')?.dims).toEqual(['rows', 5])
    const replaced = await read(wrong)
    const { contradictions, changed } = onnx.inferTypes(replaced, { onContradiction: 'replace' })
    expect(contradictions.map(({ node, value }) => [node.name, value?.name])).toEqual([['second', 'y']])
    expect(changed.map(({ name, dims }) => [name, dims])).toEqual([
      ['r', ['N', 4]],
      ['y', ['N', 4]],
    ])
    expect(onnx.inferTypes(replaced).changed).toEqual([])
  })

  const constants = {
    w: constant('float32', [3, 5], new Array(15).fill(0)),
    two: constant('int64', [2], [3, 3]),
    d: constant('float64', [4], [1, 1, 1, 1]),
  }
  const BAD: Record<string, NodeSpec> = {
    'sizes that cannot be broadcast': node('Add', ['x', 'w'], ['y']),
    'inner sizes that differ': node('MatMul', ['x', 'w'], ['y']),
    'a shape for another number of elements': node('Reshape', ['x', 'two'], ['y']),
    'two types for one letter': node('Mul', ['x', 'd'], ['y']),
    'an axis outside': node('Softmax', ['x'], ['y'], { axis: 2 }),
    'a permutation that is none': node('Transpose', ['x'], ['y'], { perm: [0, 0] }),
    'an axis that is not 1': node('Squeeze', ['x', 'two'], ['y']),
    'parts that do not add up': node('Split', ['x', 'two'], ['y', 'z']),
    'a concatenation of different sizes': node('Concat', ['x', 'w'], ['y'], { axis: 1 }),
    'too many inputs': node('Relu', ['x', 'w'], ['y']),
  }
  it.each(Object.keys(BAD))('by %s is refused', async (name) => {
    const bytes = makeModel({
      inputs: { x: ['float32', [2, 4]] },
      outputs: { y: ['float32'] },
      initializers: constants,
      nodes: [{ ...(BAD[name] as NodeSpec), name: 'bad' }],
    })
    const model = await onnx.read(bytes)
    expect(() => onnx.inferTypes(model)).toThrow(/"bad" cannot be: /)
  })

  it('is refused by Python too, in each of these ways', (ctx) => {
    const python = onnxPython(ctx)
    const models = Object.values(BAD).map((bad) =>
      Buffer.from(
        makeModel({
          inputs: { x: ['float32', [2, 4]] },
          outputs: { y: ['float32'] },
          initializers: constants,
          nodes: [bad],
        }),
      ).toString('base64'),
    )
    const accepted = python(
      `
import sys, base64, onnx
for index, text in enumerate(sys.argv[1:]):
    model = onnx.load_from_string(base64.b64decode(text))
    try:
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        onnx.checker.check_model(model)
        print(index)
    except Exception: pass`,
      ...models,
    )
    const names = accepted
      .split('\n')
      .filter(Boolean)
      .map((index) => Object.keys(BAD)[Number(index)])
    expect(names).toEqual([])
  })
})

describe('graphs inside nodes', () => {
  const branch = (name: string, ...nodes: NodeSpec[]): GraphSpec => ({ outputs: { [name]: ['float32'] }, nodes })

  it('of If: the result is what both branches have in common', async () => {
    const model = await read({
      inputs: { x: ['float32', ['N', 4]], c: ['bool', []] },
      outputs: { y: ['float32'], z: ['float32'] },
      initializers: { yes: constant('bool', [], [1]) },
      nodes: [
        node('If', ['c'], ['y'], {
          then_branch: branch('t', node('Concat', ['x', 'x'], ['t'], { axis: 1 })),
          else_branch: branch('e', node('Neg', ['x'], ['e'])),
        }),
        node('If', ['yes'], ['z'], {
          then_branch: branch('t2', node('Concat', ['x', 'x'], ['t2'], { axis: 1 })),
          else_branch: branch('e2', node('Neg', ['x'], ['e2'])),
        }),
      ],
    })
    await checkRun(model, { x: floats(3, 4), c: new Tensor('bool', Uint8Array.of(0), []) })
    expect(model.graph.value('y')?.dims).toEqual(['N', null])
    expect(model.graph.value('z')?.dims).toEqual(['N', 8])
    const inner = model.graph.node('y')?.subgraphs.map(({ outputs }) => outputs[0]?.dims)
    expect(inner).toEqual([
      ['N', 8],
      ['N', 4],
    ])
  })

  it('of Loop: what changes from round to round is not known, what is counted is', async () => {
    const body: GraphSpec = {
      inputs: { i: ['int64', []], go: ['bool', []], grows: ['float32'], stays: ['float32'] },
      outputs: { still: ['bool', []], grown: ['float32'], kept: ['float32'], each: ['float32'] },
      nodes: [
        node('Identity', ['go'], ['still']),
        node('Concat', ['grows', 'x'], ['grown'], { axis: 0 }),
        node('Add', ['stays', 'x'], ['kept']),
        node('Relu', ['kept'], ['each']),
      ],
    }
    const model = await read({
      inputs: { x: ['float32', ['N', 4]] },
      outputs: { a: ['float32'], b: ['float32'], all: ['float32'] },
      initializers: { rounds: constant('int64', [], [3]) },
      nodes: [node('Loop', ['rounds', '', 'x', 'x'], ['a', 'b', 'all'], { body })],
    })
    await checkRun(model, { x: floats(2, 4) })
    expect(['a', 'b', 'all'].map((name) => model.graph.value(name)?.dims)).toEqual([
      [null, 4],
      ['N', 4],
      [3, 'N', 4],
    ])
  })

  it('in graphs in graphs do not take for ever', async () => {
    let body: GraphSpec | undefined
    for (let depth = 0; depth < 30; depth++) {
      const [g, s, o, v, w] = ['g', 's', 'o', 'v', 'w'].map((name) => `${name}${depth}`) as [
        string,
        string,
        string,
        string,
        string,
      ]
      const inner =
        body === undefined ? node('Concat', [v, v], [w], { axis: 0 }) : node('Loop', ['', s, v], [w], { body })
      body = {
        inputs: { [`i${depth}`]: ['int64', []], [g]: ['bool', []], [v]: ['float32'] },
        outputs: { [o]: ['bool', []], [w]: ['float32'] },
        nodes: [node('Identity', [g], [s]), node('Identity', [g], [o]), inner],
      }
    }
    const model = await read({
      inputs: { x: ['float32', [2]], c: ['bool', []] },
      outputs: { y: ['float32'] },
      nodes: [node('Loop', ['', 'c', 'x'], ['y'], { body: body as GraphSpec })],
    })
    onnx.inferTypes(model)
    expect(model.graph.value('y')?.type).toBe('float32')
    expect([...model.graphs()]).toHaveLength(31)
  })
})

describe('functions of the model', () => {
  const HEAD = '<ir_version: 10, opset_import: ["" : 18, "my" : 1]> g'
  const BOTH = '<domain: "my", opset_import: ["" : 18, "my" : 1]>'
  const levels = Array.from(
    { length: 60 },
    (_, i) => `${BOTH} f${i + 1} (a) => (b) { c = my.f${i}(a) b = my.f${i}(c) }`,
  )
  // As ONNX's text format has them; the nodes of a body need not be in order.
  const MODELS = [
    `${HEAD} (float[N, 4] x, double[6, 4] z) => (y, h, w) { y, h = my.both(x) w = my.twice<axis = 0, width = 4>(z) }
<domain: "my", opset_import: ["" : 18]> twice <axis, width: int = 2> (a) => (b) {
  twofold = Concat<axis: int = @axis>(a, a)
  b = Reshape(twofold, shape)
  shape = Concat<axis = 0>(rows, rest, columns)
  sizes = Shape(a)
  rows = Gather(sizes, first)
  first = Constant<value_ints = [0]>()
  rest = Constant<value_ints = [-1]>()
  columns = Unsqueeze(width, first)
  width = Constant<value_int: int = @width>()
}
${BOTH} both (a) => (b, c) { b = my.twice <axis = 1> (a) c = Cast<to = 10>(b) }`,
    `${HEAD} (float[N] x) => (y) { y = my.f(x) } ${BOTH} f (a) => (b) { b = my.f(a) }`,
    `${HEAD} (float[N] x) => (y) { y = my.f60(x) } ${BOTH} f0 (a) => (b) { b = Relu(a) } ${levels.join('\n')}`,
  ]

  it('are gone through for each call; they may neither call themselves nor take for ever', async (ctx) => {
    const script = `
import sys, base64, onnx.parser
for text in sys.argv[1:]: print(base64.b64encode(onnx.parser.parse_model(text).SerializeToString()).decode())`
    const encoded = onnxPython(ctx)(script, ...MODELS)
      .trim()
      .split('\n')
    const [called, recursive, doubling] = await Promise.all(
      encoded.map((text) => onnx.read(Buffer.from(text, 'base64'))),
    )
    expect(called && onnx.inferTypes(called).untyped).toEqual([])
    expect(called?.graph.outputs.map(({ type, dims }) => [type, dims])).toEqual([
      ['float32', ['N', 4, 2]],
      ['float16', ['N', 4, 2]],
      ['float64', [6, 2, 4]],
    ])
    expect(() => recursive && onnx.inferTypes(recursive)).toThrow(/calls itself/)
    expect(doubling && onnx.inferTypes(doubling).values).toBe(1)
  })
})

describe('ops of others', () => {
  it('of com.microsoft have the types and shapes that onnxruntime gives them', async () => {
    const row = (size: number) => constant('float32', [size], new Array(size).fill(0.5))
    const scale = constant('float32', [], [0.1])
    const zero = constant('uint8', [], [3])
    const ms = (op: string, inputs: string[], outputs: string[], attributes: NodeSpec['attributes'] = {}) =>
      node(op, inputs, outputs, attributes, { domain: 'com.microsoft' })
    const model = await read({
      opset: { '': 17, 'com.microsoft': 1 },
      inputs: { x: ['float32', ['B', 'S', 8]] },
      outputs: { last: ['float32'] },
      initializers: {
        row: row(8),
        scale,
        zero,
        w: constant('float32', [8, 24], new Array(192).fill(0.01)),
        bias: row(24),
        m: constant('float32', [6, 8], new Array(48).fill(0.1)),
      },
      nodes: [
        ms('FastGelu', ['x', 'row'], ['fast']),
        ms('BiasGelu', ['x', 'row'], ['biased']),
        ms('QuickGelu', ['x'], ['quick']),
        ms('SkipLayerNormalization', ['x', 'fast', 'row', 'row'], ['skip', '', '', 'sum']),
        ms('FusedMatMul', ['x', 'm'], ['product'], { transB: 1 }),
        ms('Attention', ['x', 'w', 'bias'], ['attended'], { num_heads: 2 }),
        ms('MultiHeadAttention', ['x', 'x', 'x'], ['many'], { num_heads: 2 }),
        node('QuantizeLinear', ['x', 'scale', 'zero'], ['q']),
        ms('QLinearAdd', ['q', 'scale', 'zero', 'q', 'scale', 'zero', 'scale', 'zero'], ['qsum']),
        ms('QLinearConcat', ['scale', 'zero', 'q', 'scale', 'zero', 'qsum', 'scale', 'zero'], ['qall'], { axis: 2 }),
        ms('DequantizeLinear', ['qall', 'scale', 'zero'], ['d']),
        ms('DynamicQuantizeMatMul', ['x', 'qw', 'scale', 'zero'], ['last']),
        node('QuantizeLinear', ['m8', 'scale', 'zero'], ['qw']),
        node('Transpose', ['m'], ['m8']),
      ],
    })
    const { unshaped } = await checkRun(model, { x: floats(2, 3, 8) })
    expect(unshaped).toEqual([])
    expect(model.graph.value('qall')?.dims).toEqual(['B', 'S', 16])
  })

  it("of this package's plugin library are like ONNX's own, in every domain that they are found in", async () => {
    for (const domain of ['', 'nv', 'trt.plugins']) {
      const model = await read({
        opset: { '': 17, [domain]: domain === '' ? 17 : 1 },
        inputs: { x: ['float16', ['N', 6, 8]], s: ['float16', [6, 8]] },
        outputs: { y: ['float16'] },
        nodes: [
          node('CustomLayerNormalization', ['x', 's'], ['l', 'mean', 'inv'], { axis: 1, outputs: 3 }, { domain }),
          node('CustomPRelu', ['l', 's'], ['y'], {}, { domain }),
        ],
      })
      const { untyped, unknownOps } = onnx.inferTypes(model)
      expect([untyped, unknownOps]).toEqual([[], []])
      expect(
        ['l', 'mean', 'inv', 'y'].map((name) => [model.graph.value(name)?.type, model.graph.value(name)?.dims]),
      ).toEqual([
        ['float16', ['N', 6, 8]],
        ['float32', ['N', 1, 1]],
        ['float32', ['N', 1, 1]],
        ['float16', ['N', 6, 8]],
      ])
    }
  })

  it('that nobody knows keep what the model declares', async () => {
    const model = await read({
      opset: { '': 17, mine: 1 },
      inputs: { x: ['float32', ['N', 4]] },
      outputs: { y: ['float16', ['N', 2]] },
      nodes: [node('Halve', ['x'], ['h'], {}, { domain: 'mine' }), node('Halve', ['x'], ['y'], {}, { domain: 'mine' })],
    })
    const { untyped, unknownOps, changed } = onnx.inferTypes(model)
    expect([untyped.map(({ name }) => name), unknownOps, changed]).toEqual([['h'], ['mine:Halve'], []])
    expect(model.graph.value('y')?.dims).toEqual(['N', 2])
  })
})

describe('the pass infer-shapes', () => {
  it('reports what it declared, and the second time nothing', async () => {
    const model = await read({
      inputs: { x: ['float32', ['N', 4]] },
      outputs: { y: ['float32', ['N', 4]] },
      nodes: [node('Relu', ['x'], ['r']), node('Neg', ['r'], ['y'])],
    })
    const [first, second] = await onnx.transform(model, [onnx.inferShapes(), onnx.inferShapes()])
    expect(first?.changes).toEqual([{ where: 'r', what: 'declared as float32[N,4]' }])
    expect(first?.figures).toEqual({ values: 2, 'values of unknown type': 0, 'values of unknown rank': 0 })
    expect(second?.changes).toEqual([])
  })
})
