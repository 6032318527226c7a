/**
 * Small models that TensorRT-RTX 1.7 refuses as they are, and the passes that make it take them. Long, as each is a graph
 * that stands by itself, and one table is what tests of the passes, of lint and of the real builder all go through.
 */
import { type Tensor as AnyTensor, Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { randomTensor, seededRandom } from '#dist/npy/random.js'
import { type Constant, constant, type ModelSpec, makeModel, type NodeSpec, node } from '../../helpers/onnx-model.js'

export interface RefusedModel {
  readonly name: string
  readonly bytes: Uint8Array
  readonly steps: () => onnx.Transform[]
  readonly feeds: Readonly<Record<string, AnyTensor>>
  /** How far outputs may be from the original's; default: not at all. */
  readonly tolerance?: { readonly atol: number; readonly rtol: number }
}

const random = seededRandom(8)
const floats = (...dims: number[]): AnyTensor => randomTensor('float32', dims, random, { low: -3, high: 3 })

/** Integers from `low` on, `count` of them. */
function integers(type: 'int8' | 'uint8' | 'int32', dims: number[], low: number, count: number): Constant {
  const size = dims.reduce((product, dim) => product * dim, 1)
  return constant(
    type,
    dims,
    Array.from({ length: size }, (_, i) => low + ((i * 37 + 11) % count)),
  )
}

function refused(
  name: string,
  steps: RefusedModel['steps'],
  feeds: RefusedModel['feeds'],
  spec: ModelSpec,
  tolerance?: RefusedModel['tolerance'],
): RefusedModel {
  return { name, steps, feeds, bytes: makeModel(spec), ...(tolerance && { tolerance }) }
}

/** Sums in another order. */
const ROUNDING = { atol: 1e-6, rtol: 1e-5 }

const MICROSOFT = { domain: 'com.microsoft' }

/** A model of one of onnxruntime's own ops, on floats of given shapes. */
function fused(
  op: string,
  inputs: Readonly<Record<string, readonly number[]>>,
  initializers: ModelSpec['initializers'] & object,
  y: readonly number[],
  attributes: NodeSpec['attributes'] = {},
  { order = [...Object.keys(inputs), ...Object.keys(initializers)], steps = () => [onnx.expandFusedOps()] } = {},
): RefusedModel {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, dims]) => [name, floats(...dims)]))
  return refused(
    op,
    steps,
    feeds,
    {
      opset: { '': 17, 'com.microsoft': 1 },
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, dims]) => [name, ['float32', dims] as const])),
      outputs: { y: ['float32', y] },
      initializers,
      nodes: [node(op, order, ['y'], attributes, MICROSOFT)],
    },
    ROUNDING,
  )
}

const weights = (...dims: number[]): Constant => {
  const { data } = randomTensor('float32', dims, random, { low: -1, high: 1 })
  return constant('float32', dims, [...(data as Float32Array)])
}

/** A model on integers between a QuantizeLinear and a DequantizeLinear, which all have one scale and zero point. */
function quantized(
  op: string,
  shapes: readonly [x: number[], y: number[]],
  inputs: readonly string[],
  initializers: Readonly<Record<string, Constant>>,
  domain = '',
): RefusedModel {
  return refused(
    op,
    () => [onnx.expandQuantizedOps(), onnx.lowerAsymmetricQuantization()],
    { x: floats(...shapes[0]) },
    {
      opset: { '': 17, 'com.microsoft': 1 },
      inputs: { x: ['float32', shapes[0]] },
      outputs: { y: ['float32', shapes[1]] },
      initializers: { s: scale, z: constant('uint8', [], [120]), ...initializers },
      nodes: [
        node('QuantizeLinear', ['x', 's', 'z'], ['q']),
        node(op, inputs, ['p'], {}, { domain }),
        node('DequantizeLinear', ['p', 's', 'z'], ['y']),
      ],
    },
    // One step of the scale, as the pass says.
    { atol: 0.051, rtol: 0 },
  )
}

/** A Loop of five rounds without a condition, whose body wants no more after the third. */
const endingLoop: ModelSpec = {
  inputs: { x: ['float32', [2]] },
  outputs: { y: ['float32', [2]] },
  initializers: { rounds: constant('int64', [], [5]) },
  nodes: [
    node('Loop', ['rounds', '', 'x'], ['y'], {
      body: {
        inputs: { i: ['int64', []], go: ['bool', []], value: ['float32', [2]] },
        outputs: { still: ['bool', []], next: ['float32', [2]] },
        initializers: { one: constant('float32', [], [1]), last: constant('int64', [], [2]) },
        nodes: [
          node('Add', ['value', 'one'], ['next']),
          node('Less', ['i', 'last'], ['early']),
          node('And', ['early', 'go'], ['still']),
        ],
      },
    }),
  ],
}

/** A Loop that counts to 4 by itself, as TensorFlow's do, and gives its state after each round. */
const countingLoop: ModelSpec = {
  inputs: { x: ['float32', [2]] },
  outputs: { y: ['float32', [4, 2]] },
  initializers: { start: constant('int32', [], [0]), limit: constant('int32', [], [4]) },
  nodes: [
    node('Less', ['start', 'limit'], ['go']),
    node('Loop', ['', 'go', 'start', 'limit', 'x'], ['count', 'last', 'end', 'y'], {
      body: {
        inputs: {
          i: ['int64', []],
          still: ['bool', []],
          at: ['int32', []],
          until: ['int32', []],
          value: ['float32', [2]],
        },
        outputs: {
          more: ['bool', []],
          behind: ['int32', []],
          until: ['int32', []],
          next: ['float32', [2]],
          each: ['float32', [2]],
        },
        initializers: { one: constant('int32', [], [1]), step: constant('float32', [], [0.5]) },
        nodes: [
          node('Add', ['at', 'one'], ['behind']),
          node('Less', ['behind', 'until'], ['more']),
          node('Add', ['value', 'step'], ['next']),
          node('Identity', ['next'], ['each']),
        ],
      },
    }),
  ],
}

/** Of two tables that are joined, or of one whose elements are taken one by one. */
function movedTable(op: 'Concat' | 'GatherElements'): ModelSpec {
  return {
    inputs: { x: ['float32', [4, 2]] },
    outputs: { y: ['float32', [4, 2]] },
    initializers: {
      a: integers('int8', [2, 2], -9, 18),
      b: op === 'Concat' ? integers('int8', [2, 2], -5, 18) : constant('int64', [4, 2], [0, 1, 1, 0, 0, 0, 1, 1]),
      s: scale,
    },
    nodes: [
      node(op, ['a', 'b'], ['moved'], { axis: 0 }),
      node('DequantizeLinear', ['moved', 's'], ['d']),
      node('Add', ['x', 'd'], ['y']),
    ],
  }
}

const asymmetric = () => [onnx.lowerAsymmetricQuantization()]
const dynamic = () => [onnx.lowerDynamicQuantization()]
const scale = constant('float32', [], [0.05])

/** Quantised to the type of the zero point and back, along an axis where there are several. */
function pair(zeroPoint: Constant, axis?: number): ModelSpec {
  const isAlong = zeroPoint.dims.length > 0
  const attributes: Record<string, number> = axis === undefined ? {} : { axis }
  return {
    inputs: { x: ['float32', [2, 3, 4]] },
    outputs: { y: ['float32', [2, 3, 4]] },
    initializers: { s: isAlong ? constant('float32', [3], [0.05, 0.1, 0.02]) : scale, z: zeroPoint },
    nodes: [
      node('QuantizeLinear', ['x', 's', 'z'], ['q'], attributes),
      node('DequantizeLinear', ['q', 's', 'z'], ['y'], attributes),
    ],
  }
}

/** Rows of a table. */
function table(rows: Constant, zeroPoint: Constant): ModelSpec {
  return {
    inputs: { i: ['int64', [2, 3]] },
    outputs: { y: ['float32', [3, 2, 4]] },
    initializers: { rows, s: scale, z: zeroPoint },
    nodes: [
      node('Gather', ['rows', 'i'], ['g']),
      node('Transpose', ['g'], ['t'], { perm: [1, 0, 2] }),
      node('DequantizeLinear', ['t', 's', 'z'], ['y']),
    ],
  }
}

const rowNumbers = { i: new Tensor('int64', BigInt64Array.of(0n, 6n, 3n, 3n, 1n, 5n), [2, 3]) as AnyTensor }

export const REFUSED_MODELS: readonly RefusedModel[] = [
  refused(
    'a product quantised on the way, its weights by column',
    dynamic,
    { x: floats(2, 5, 4) },
    {
      inputs: { x: ['float32', [2, 5, 4]] },
      outputs: { y: ['float32', [2, 5, 3]] },
      initializers: {
        w: integers('int8', [4, 3], -60, 120),
        z: constant('int8', [3], [1, -2, 0]),
        s: constant('float32', [3], [0.1, 0.2, 0.05]),
      },
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['q', 'xs', 'xz']),
        node('MatMulInteger', ['q', 'w', 'xz', 'z'], ['p']),
        node('Cast', ['p'], ['f'], { to: 1 }),
        node('Mul', ['xs', 's'], ['k']),
        node('Mul', ['f', 'k'], ['y']),
      ],
    },
  ),
  refused(
    'a convolution quantised on the way, padded',
    dynamic,
    { x: floats(1, 2, 5, 5) },
    {
      inputs: { x: ['float32', [1, 2, 5, 5]] },
      outputs: { y: ['float32', [1, 3, 5, 5]] },
      initializers: { w: integers('uint8', [3, 2, 3, 3], 90, 60), z: constant('uint8', [], [120]) },
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['q', 'xs', 'xz']),
        node('ConvInteger', ['q', 'w', 'xz', 'z'], ['p'], { pads: [1, 1, 1, 1] }),
        node('Cast', ['p'], ['f'], { to: 1 }),
        node('Mul', ['f', 'xs'], ['y']),
      ],
    },
  ),
  refused('uint8 around 131', asymmetric, { x: floats(2, 3, 4) }, pair(constant('uint8', [], [131]))),
  refused('int8 around 3', asymmetric, { x: floats(2, 3, 4) }, pair(constant('int8', [], [3]))),
  refused('uint8 by channel', asymmetric, { x: floats(2, 3, 4) }, pair(constant('uint8', [3], [120, 0, 255]), 1)),
  refused(
    'a table of uint8',
    asymmetric,
    rowNumbers,
    table(integers('uint8', [7, 4], 0, 256), constant('uint8', [], [128])),
  ),
  refused(
    'a table of int8, around 0',
    asymmetric,
    rowNumbers,
    table(integers('int8', [7, 4], -128, 256), constant('int8', [], [0])),
  ),
  refused(
    'a bias in int32',
    asymmetric,
    { x: floats(2, 4) },
    {
      inputs: { x: ['float32', [2, 4]] },
      outputs: { y: ['float32', [2, 3]] },
      initializers: {
        w: constant(
          'float32',
          [4, 3],
          Array.from({ length: 12 }, (_, i) => i / 6 - 1),
        ),
        q: constant('int32', [3], [-1376, 70_000, 123_456_789]),
        s: constant('float32', [3], [0.001, 0.0003, 1e-8]),
        z: constant('int32', [3], [0, 0, 0]),
      },
      nodes: [node('DequantizeLinear', ['q', 's', 'z'], ['b'], { axis: 0 }), node('Gemm', ['x', 'w', 'b'], ['y'])],
    },
  ),
  refused(
    'weights of uint8 by row',
    asymmetric,
    { x: floats(2, 4) },
    {
      inputs: { x: ['float32', [2, 4]] },
      outputs: { y: ['float32', [2, 3]] },
      initializers: {
        q: integers('uint8', [4, 3], 0, 256),
        s: constant('float32', [4], [0.1, 0.2, 0.01, 0.5]),
        z: constant('uint8', [4], [128, 1, 0, 255]),
      },
      nodes: [node('DequantizeLinear', ['q', 's', 'z'], ['w'], { axis: -2 }), node('MatMul', ['x', 'w'], ['y'])],
    },
  ),
  refused(
    'an input in uint8',
    asymmetric,
    { x: randomTensor('uint8', [2, 4], random, { low: 0, high: 255 }) },
    {
      inputs: { x: ['uint8', [2, 4]] },
      outputs: { y: ['float32', [2, 4]] },
      initializers: { s: scale, z: constant('uint8', [], [3]) },
      nodes: [node('DequantizeLinear', ['x', 's', 'z'], ['y'])],
    },
  ),
  refused(
    'an input with one name on two sizes',
    () => [onnx.renameRepeatedDims()],
    { x: floats(2, 3) },
    {
      inputs: { x: ['float32', ['n', 'n']] },
      outputs: { y: ['float32', ['n', 'm']] },
      nodes: [node('Relu', ['x'], ['y'])],
    },
  ),
  fused(
    'FusedConv',
    { x: [1, 2, 5, 5], z: [1, 3, 3, 3] },
    { w: weights(3, 2, 3, 3), b: weights(3) },
    [1, 3, 3, 3],
    { activation: 'LeakyRelu', activation_params: [0.1] },
    { order: ['x', 'w', 'b', 'z'] },
  ),
  fused('FusedGemm', { x: [2, 4] }, { w: weights(3, 4), b: weights(3) }, [2, 3], { activation: 'Relu', transB: 1 }),
  fused('FusedMatMul', { a: [2, 3, 4], b: [2, 5, 4] }, {}, [2, 3, 5], { transB: 1, alpha: 0.5 }),
  fused('BiasGelu', { x: [2, 4] }, { b: weights(4) }, [2, 4]),
  fused('FastGelu', { x: [2, 4] }, { b: weights(4) }, [2, 4]),
  fused('QuickGelu', { x: [2, 4] }, {}, [2, 4]),
  fused(
    'SkipLayerNormalization',
    { x: [2, 3, 4], s: [2, 3, 4] },
    { g: weights(4), b: weights(4), k: weights(4) },
    [2, 3, 4],
    { epsilon: 1e-5 },
  ),
  fused(
    'Attention',
    { x: [2, 3, 8] },
    { w: weights(8, 24), b: weights(24), m: constant('int32', [2, 3], [1, 1, 0, 1, 1, 1]) },
    [2, 3, 8],
    { num_heads: 2 },
  ),
  fused(
    'MultiHeadAttention',
    { q: [2, 3, 8], k: [2, 5, 8], v: [2, 5, 8] },
    { b: weights(24), m: constant('int32', [2, 5], [1, 1, 0, 1, 1, 1, 1, 1, 0, 0]) },
    [2, 3, 8],
    { num_heads: 2 },
  ),
  fused(
    'RotaryEmbedding',
    { x: [2, 3, 8] },
    { p: constant('int64', [2, 3], [0, 1, 2, 3, 1, 0]), c: weights(6, 2), s: weights(6, 2) },
    [2, 3, 8],
  ),
  fused(
    'MatMulNBits',
    { x: [2, 40] },
    { w: integers('uint8', [8, 3, 8], 0, 256), s: weights(24), z: integers('uint8', [16], 0, 256) },
    [2, 8],
    { K: 40, N: 8, bits: 4, block_size: 16 },
  ),
  fused(
    'DynamicQuantizeMatMul',
    { x: [2, 4] },
    { w: integers('int8', [4, 3], -60, 120), s: weights(3), z: integers('int8', [3], -2, 5), b: weights(3) },
    [2, 3],
    {},
    { steps: () => [onnx.expandFusedOps(), onnx.lowerDynamicQuantization()] },
  ),
  refused(
    'EmbedLayerNormalization',
    () => [onnx.expandFusedOps()],
    { i: new Tensor('int32', Int32Array.of(3, 0, 9, 1, 2, 2), [2, 3]) as AnyTensor },
    {
      opset: { '': 17, 'com.microsoft': 1 },
      inputs: { i: ['int32', [2, 3]] },
      outputs: { y: ['float32', [2, 3, 4]], k: ['int32', [2]] },
      initializers: {
        segments: constant('int32', [2, 3], [0, 0, 1, 0, 1, 1]),
        w: weights(10, 4),
        p: weights(8, 4),
        s: weights(2, 4),
        g: weights(4),
        b: weights(4),
        m: constant('int32', [2, 3], [1, 1, 0, 1, 1, 1]),
      },
      nodes: [
        node('EmbedLayerNormalization', ['i', 'segments', 'w', 'p', 's', 'g', 'b', 'm'], ['y', 'k'], {}, MICROSOFT),
      ],
    },
    ROUNDING,
  ),
  quantized(
    'QLinearMatMul',
    [
      [2, 4],
      [2, 3],
    ],
    ['q', 's', 'z', 'w', 's', 'z', 's', 'z'],
    { w: integers('uint8', [4, 3], 60, 120) },
  ),
  quantized(
    'QLinearConv',
    [
      [1, 2, 5, 5],
      [1, 3, 3, 3],
    ],
    ['q', 's', 'z', 'w', 'ws', 'wz', 's', 'z', 'b'],
    {
      w: integers('int8', [3, 2, 3, 3], -60, 120),
      ws: constant('float32', [3], [0.01, 0.02, 0.005]),
      wz: constant('int8', [3], [0, 0, 0]),
      b: integers('int32', [3], -900, 2000),
    },
  ),
  quantized(
    'QLinearAdd',
    [
      [2, 4],
      [2, 4],
    ],
    ['q', 's', 'z', 'w', 's', 'z', 's', 'z'],
    { w: integers('uint8', [2, 4], 60, 120) },
    'com.microsoft',
  ),
  quantized(
    'QGemm',
    [
      [2, 4],
      [2, 3],
    ],
    ['q', 's', 'z', 'w', 's', 'z', 'b', 's', 'z'],
    { w: integers('uint8', [4, 3], 60, 120), b: integers('int32', [3], -900, 2000) },
    'com.microsoft',
  ),
  refused(
    'DynamicQuantizeLSTM',
    () => [onnx.dequantizeLstm()],
    { x: floats(5, 1, 4) },
    {
      opset: { '': 17, 'com.microsoft': 1 },
      inputs: { x: ['float32', [5, 1, 4]] },
      outputs: { y: ['float32', [5, 2, 1, 3]] },
      initializers: {
        w: integers('uint8', [2, 4, 12], 0, 256),
        r: integers('uint8', [2, 3, 12], 0, 256),
        b: weights(2, 24),
        s: constant('float32', [2], [0.005, 0.003]),
        z: constant('uint8', [2], [128, 120]),
      },
      nodes: [
        node(
          'DynamicQuantizeLSTM',
          ['x', 'w', 'r', 'b', '', '', '', '', 's', 'z', 's', 'z'],
          ['y'],
          { hidden_size: 3, direction: 'bidirectional' },
          MICROSOFT,
        ),
      ],
    },
    // It rounds to 8 bits no more.
    { atol: 0.02, rtol: 0 },
  ),
  refused('tables of int8 that are joined', () => [onnx.simplify()], { x: floats(4, 2) }, movedTable('Concat')),
  refused('a table of int8, by element', asymmetric, { x: floats(4, 2) }, movedTable('GatherElements')),
  refused(
    'a Loop that counts by itself, and gives something for each round',
    () => [onnx.addTripCount()],
    { x: floats(2) },
    countingLoop,
  ),
  refused(
    'a Loop without a condition, whose body reads it',
    () => [onnx.addLoopCondition()],
    { x: floats(2) },
    endingLoop,
  ),
]
