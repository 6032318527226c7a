/** Small models that TensorRT-RTX 1.7 refuses as they are, and the passes that make it take them. */
import { type Tensor as AnyTensor, Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { randomTensor, seededRandom } from '#dist/npy/random.js'
import { type Constant, constant, type ModelSpec, makeModel, node } from '../../helpers/onnx-model.js'

export interface RefusedModel {
  readonly name: string
  readonly bytes: Uint8Array
  readonly steps: () => onnx.Transform[]
  readonly feeds: Readonly<Record<string, AnyTensor>>
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
): RefusedModel {
  return { name, steps, feeds, bytes: makeModel(spec) }
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
]
