import { halfToNumber } from '../../../npy/half.js'
import type { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import { addConstant } from '../add-constant.js'
import { floatTensor } from '../constants.js'
import type { Expansion, FusedOp } from './fused-op.js'

/** A product of integers, scaled to floats, and a bias. */
function scaledProduct(
  op: FusedOp,
  inputs: readonly (Value | undefined)[],
  scales: readonly [Value, Value],
  bias: Value | undefined,
): Value {
  const floats = op.builder.cast(op.add('MatMulInteger', inputs), 'float32')
  return op.plus(op.add('Mul', [floats, op.add('Mul', scales)]), bias)
}

/** Its input is quantised on the way. */
const dynamicQuantizeMatMul: Expansion = (op) => {
  const [a, b, bScale, bZero, bias] = op.node.inputs
  const { graph } = op.builder
  const quantize = graph.addNode({
    opType: 'DynamicQuantizeLinear',
    inputs: [a],
    outputs: ['quantized', 'scale', 'zero_point'].map((name) => graph.uniqueName(`${a?.name}_${name}`)),
  })
  const [quantized, scale, zeroPoint] = quantize.outputs as readonly [Value, Value, Value]
  return [scaledProduct(op, [quantized, b, zeroPoint, bZero], [scale, bScale as Value], bias)]
}

const matMulIntegerToFloat: Expansion = (op) => {
  const [a, b, aScale, bScale, aZero, bZero, bias] = op.node.inputs
  return [scaledProduct(op, [a, b, aZero, bZero], [aScale as Value, bScale as Value], bias)]
}

/**
 * Weights of few bits become the floats that they stand for: (w - zero point) · scale, in blocks along K. The tensor is
 * [N, blocks, bytes of a block], the first of the numbers in a byte in its lowest bits.
 */
const matMulNBits: Expansion = (op) => {
  const { node, constants } = op
  const [a, weights, scales, zeroPoints, order, bias] = node.inputs
  const [k, n] = [node.getInt('K', 0), node.getInt('N', 0)]
  const [bits, size] = [node.getInt('bits', 4), node.getInt('block_size', 0)]
  if (order !== undefined) return 'its columns are in another order (g_idx)'
  if (bits !== 4 && bits !== 8) return `its weights have ${bits} bits`
  const [packed, factors] = [constants.of(weights), constants.of(scales)]
  const zeros = zeroPoints && constants.of(zeroPoints)
  const type = constants.type(a as Value)
  if (packed === undefined || factors === undefined || (zeroPoints !== undefined && zeros === undefined))
    return 'its weights are no constants'
  const blocks = Math.ceil(k / size)
  const numberAt = unpacker(packed.bytes(), bits)
  const scaleAt = floatsOf(factors)
  const zeroAt = zeroPointsOf(zeros, bits, blocks)
  if (scaleAt === undefined || zeroAt === undefined) return 'its scales or zero points are of another type'
  const content = new Float32Array(k * n)
  for (let column = 0; column < n; column++) {
    for (let row = 0; row < k; row++) {
      const block = Math.floor(row / size)
      const number = numberAt((column * blocks + block) * size + (row % size))
      const factor = scaleAt(column * blocks + block)
      content[row * n + column] = (number - zeroAt(column, block)) * factor
    }
  }
  const dense = addConstant(op.builder.graph, floatTensor(type, content, [k, n]), `${weights?.name}_float`)
  return [op.plus(op.add('MatMul', [a, dense]), bias)]
}

function unpacker(bytes: Uint8Array, bits: 4 | 8): (index: number) => number {
  if (bits === 8) return (index) => bytes[index] as number
  return (index) => ((bytes[index >> 1] as number) >> (index % 2 === 0 ? 0 : 4)) & 15
}

function floatsOf(tensor: ModelTensor): ((index: number) => number) | undefined {
  if (tensor.type !== 'float32' && tensor.type !== 'float16') return undefined
  const data = tensor.toTensor().data as ArrayLike<number>
  return tensor.type === 'float32' ? (index) => data[index] as number : (index) => halfToNumber(data[index] as number)
}

/** Packed like the weights, each column's in bytes of its own; half of the range where there are none. */
function zeroPointsOf(
  tensor: ModelTensor | undefined,
  bits: 4 | 8,
  blocks: number,
): ((column: number, block: number) => number) | undefined {
  if (tensor === undefined) return () => 2 ** (bits - 1)
  if (tensor.type !== 'uint8') {
    const at = floatsOf(tensor)
    return at && ((column, block) => at(column * blocks + block))
  }
  const at = unpacker(tensor.bytes(), bits)
  const stride = bits === 8 ? blocks : 2 * Math.ceil(blocks / 2)
  return (column, block) => at(column * stride + block)
}

/** Rules: onnxruntime's docs/ContribOperators.md. */
export const PRODUCTS: Readonly<Record<string, Expansion>> = {
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
  MatMulIntegerToFloat: matMulIntegerToFloat,
  MatMulNBits: matMulNBits,
}
