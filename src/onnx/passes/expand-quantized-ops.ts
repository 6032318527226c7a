/**
 * Operators on quantised integers (QLinearConv and its kin) say what DequantizeLinear, the operator on floats, and
 * QuantizeLinear say: that is how onnx/docs/Operators.md defines them, and how TensorRT wants int8 layers written.
 *
 * Rejected: products of integers as floats with one scaling behind, as `lower-dynamic-quantization` makes them. They come
 * out to the last bit, but TensorRT finds no int8 layer in them.
 */
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { floatTensor } from './constants.js'
import { expandNodes } from './fused/expand-nodes.js'
import type { Expansion, FusedOp } from './fused/fused-op.js'
import { attributesOf } from './node-builder.js'
import { definePass } from './pass.js'
import { numbersOf } from './quantization/quantized.js'

/** The version of ONNX's operator set that brought scales along an axis. */
const AXIS_OPSET = 13

/**
 * Takes operators on quantised integers apart into DequantizeLinear, the operator on floats, and QuantizeLinear:
 * QLinearConv and QLinearMatMul of ONNX; QGemm, and QLinearAdd, -AveragePool, -Concat, -GlobalAveragePool, -LeakyRelu, -Mul,
 * -Sigmoid and -Softmax of onnxruntime. `lower-asymmetric-quantization` takes what has zero points on from there.
 *
 * Sums of floats are rounded where sums of integers are not, so that now and then a result falls to the next integer: off by
 * one step of the scale.
 *
 * @example onnx.expandQuantizedOps()
 */
export const expandQuantizedOps = definePass<Record<never, never>>({
  name: 'expand-quantized-ops',
  summary: 'Takes QLinearConv and its kin apart into DequantizeLinear, the operator on floats, and QuantizeLinear',
  keepsMeaning: false,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const leastOpset = () => AXIS_OPSET
    expandNodes(model, { isMeant: isQuantized, table: EXPANSIONS, leastOpset, what: 'taken apart' }, context)
  },
})

function isQuantized({ domain, opType }: Node): boolean {
  return (domain === '' || domain === 'com.microsoft') && Object.hasOwn(EXPANSIONS, opType)
}

/** The floats of three inputs: integers, scale, zero point. Where there are several scales, they are along `axis`. */
function floats(op: FusedOp, first: number, axis = 1): Value {
  const [integers, scale, zeroPoint] = [op.input(first), op.input(first + 1), op.optional(first + 2)]
  return op.add('DequantizeLinear', [integers, scale, zeroPoint], { axis: ['int', axis] })
}

/** The integers of a value, with the scale and the zero point of two inputs. */
function integers(op: FusedOp, value: Value, first: number): readonly Value[] {
  return [op.add('QuantizeLinear', [value, op.input(first), op.optional(first + 1)])]
}

/** A bias in int32, whose scale is the product of those of data and weights. */
function bias(op: FusedOp, value: Value | undefined, scales: readonly [Value, Value], alpha = 1): Value | undefined {
  if (value === undefined) return undefined
  const [sums, a, b] = [value, ...scales].map((part) => numbersOf(op.constants.of(part)))
  if (sums === undefined || a === undefined || b === undefined) {
    return op.add('Mul', [op.builder.cast(value, 'float32'), op.scaled(op.add('Mul', scales), alpha)])
  }
  const content = Array.from(sums, (sum, index) => {
    const scale = Math.fround((a[0] as number) * (b[b.length === 1 ? 0 : index] as number) * alpha)
    return Math.fround(sum) * scale
  })
  return addConstant(
    op.builder.graph,
    floatTensor('float32', content, op.constants.dims(value) as number[]),
    value.name,
  )
}

const qLinearConv: Expansion = (op) => {
  if (op.node.getInt('channels_last', 0) === 1) return CHANNELS_LAST
  const sum = bias(op, op.optional(8), [op.input(1), op.input(4)])
  const conv = op.add('Conv', [floats(op, 0), floats(op, 3, 0), sum], attributesOf(op.node, ['channels_last']))
  return integers(op, conv, 6)
}

const CHANNELS_LAST = 'its channels are in the last place'

/** Scales by row of the first matrix, by column of the second. */
const qLinearMatMul: Expansion = (op) => integers(op, op.add('MatMul', [floats(op, 0, -2), floats(op, 3, -1)]), 6)

const qGemm: Expansion = (op) => {
  const isTransposed = op.node.getInt('transB', 0) === 1
  const sum = bias(op, op.optional(6), [op.input(1), op.input(4)], op.node.get('alpha', 'float', 1))
  const gemm = op.add('Gemm', [floats(op, 0), floats(op, 3, isTransposed ? 0 : 1), sum], attributesOf(op.node))
  return op.optional(7) === undefined ? [gemm] : integers(op, gemm, 7)
}

const pairwise =
  (opType: string): Expansion =>
  (op) =>
    integers(op, op.add(opType, [floats(op, 0), floats(op, 3)]), 6)

const elementwise =
  (opType: string, ...except: readonly string[]): Expansion =>
  (op) => {
    if (op.node.getInt('channels_last', 0) === 1) return CHANNELS_LAST
    return integers(op, op.add(opType, [floats(op, 0)], attributesOf(op.node, ['channels_last', ...except])), 3)
  }

const qLinearConcat: Expansion = (op) => {
  const parts = op.node.inputs.slice(2).flatMap((_, index) => (index % 3 === 0 ? [floats(op, index + 2)] : []))
  return integers(op, op.add('Concat', parts, attributesOf(op.node)), 0)
}

/** Up to version 12 of the operator set, all axes from the given one on are one row. */
const qLinearSoftmax: Expansion = (op) => {
  const rank = op.constants.dims(op.input(0))?.length
  const axis = op.node.getInt('axis', -1)
  const isLast = axis === -1 || axis + 1 === rank
  if (!isLast && op.node.getInt('opset', 1) < 13) return 'its rows are of more than one axis'
  return elementwise('Softmax', 'opset')(op)
}

/** Rules: onnx/docs/Operators.md; onnxruntime's docs/ContribOperators.md. */
const EXPANSIONS: Readonly<Record<string, Expansion>> = {
  QGemm: qGemm,
  QLinearAdd: pairwise('Add'),
  QLinearAveragePool: elementwise('AveragePool'),
  QLinearConcat: qLinearConcat,
  QLinearConv: qLinearConv,
  QLinearGlobalAveragePool: elementwise('GlobalAveragePool'),
  QLinearLeakyRelu: elementwise('LeakyRelu'),
  QLinearMatMul: qLinearMatMul,
  QLinearMul: pairwise('Mul'),
  QLinearSigmoid: elementwise('Sigmoid'),
  QLinearSoftmax: qLinearSoftmax,
}
