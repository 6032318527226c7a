/**
 * The common ops of `com.microsoft`, which onnxruntime's optimizer and its tools make. Where nothing else is said, a
 * result is of the first input's type. Rules: docs/ContribOperators.md of onnxruntime.
 */
import type { Dim } from '../../value-type.js'
import { broadcast } from '../broadcast.js'
import { add, floorDivide, multiply } from '../dim-algebra.js'
import type { OpContext, Rule } from '../op-context.js'
import type { Dims } from '../value-kinds.js'
import { CONVOLVING } from './convolving.js'
import { MULTIPLYING, product } from './multiplying.js'
import { quantizedElem } from './quantizing.js'
import { RECURRENT } from './recurrent.js'
import { concatenated } from './selecting.js'

const NAMES = `
  BiasAdd BiasGelu BiasSoftmax FastGelu Gelu GroupNorm Inverse QLinearLeakyRelu QLinearSigmoid QLinearSoftmax QuickGelu
  RotaryEmbedding
`

const sameShape: Rule = (op) => op.give(0, op.dims(0))

/** Normalizes the sum of two tensors; the last output is that sum. */
function skipNormalization(op: OpContext): void {
  const dims = op.dims(0)
  op.give(0, dims)
  for (const index of [1, 2]) op.give(index, dims?.with(-1, 1), 'float32')
  op.give(3, dims)
}

function transposed(dims: Dims | undefined, isTransposed: boolean): Dims | undefined {
  if (dims === undefined || dims.length < 2 || !isTransposed) return dims
  return [...dims.slice(0, -2), dims.at(-1) ?? null, dims.at(-2) ?? null]
}

function giveProduct(op: OpContext): void {
  const isBatchMoved = op.int('transBatchA', 0) === 1 || op.int('transBatchB', 0) === 1
  const a = transposed(op.dims(0), op.int('transA', 0) === 1)
  const b = transposed(op.dims(1), op.int('transB', 0) === 1)
  op.give(0, isBatchMoved ? undefined : product(op, a, b))
}

/** Of two tensors with scale and zero point each. */
function giveQuantizedBroadcast(op: OpContext): void {
  op.give(0, broadcast(op, [op.dims(0), op.dims(3)]))
}

/** A rule of ONNX's, for tensors whose channels are in the second place. */
function channelsFirst(rule: Rule | undefined, name: string): Rule {
  return (op) => (op.int(name, 0) === 0 ? rule?.(op) : op.give(0, undefined))
}

export const MICROSOFT: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    NAMES.trim()
      .split(/\s+/)
      .map((name) => [name, sameShape]),
  ),
  BiasDropout: (op) => {
    op.give(0, op.dims(0))
    op.give(1, op.dims(0), 'bool')
  },
  BiasSplitGelu: (op) => op.give(0, op.dims(0)?.with(-1, floorDivide(op.dims(0)?.at(-1) ?? null, 2))),
  SimplifiedLayerNormalization: (op) => {
    op.give(0, op.dims(0))
    op.give(1, op.dims(0)?.with(-1, 1), 'float32')
  },
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
  EmbedLayerNormalization: (op) => {
    const [batch = null, length = null] = op.dims(0) ?? []
    const embedded = [batch, length, op.dims(2)?.[1] ?? null]
    op.give(0, embedded, op.elem(2))
    op.give(1, [batch], 'int32')
    op.give(2, embedded, op.elem(2))
  },
  Attention: (op) => {
    const [batch = null, length = null] = op.dims(0) ?? []
    const hidden = op.ints('qkv_hidden_sizes')?.[2] ?? floorDivide(op.dims(1)?.[1] ?? null, 3)
    op.give(0, [batch, length, hidden])
    op.give(1, [2, batch, op.int('num_heads') ?? null, null, floorDivide(hidden, op.int('num_heads') ?? null)])
  },
  MultiHeadAttention: (op) => {
    const [batch = null, length = null] = op.dims(0) ?? []
    const value = op.dims(2)
    const hidden =
      value?.length === 3 ? value[2] : value?.length === 4 ? multiply(value[1] as Dim, value[3] as Dim) : null
    op.give(0, [batch, length, hidden ?? null])
    for (const index of [1, 2]) op.give(index, [batch, op.int('num_heads') ?? null, null, null])
  },
  GroupQueryAttention: (op) => {
    const query = op.dims(0)
    const heads = add(op.int('num_heads') ?? null, 2 * op.int('kv_num_heads', 0))
    const packed = multiply(floorDivide(query?.[2] ?? null, heads), op.int('num_heads') ?? null)
    op.give(0, op.hasInput(1) ? query : query?.with(-1, packed))
    for (const index of [1, 2]) op.give(index, op.dims(index + 2)?.with(2, null), op.elem(index + 2))
  },
  FusedConv: (op) => CONVOLVING.Conv?.(op),
  FusedGemm: (op) => MULTIPLYING.Gemm?.(op),
  FusedMatMul: giveProduct,
  TransposeMatMul: giveProduct,
  MatMulNBits: (op) => op.give(0, op.dims(0)?.with(-1, op.int('N') ?? null)),
  MatMulIntegerToFloat: (op) => op.give(0, product(op, op.dims(0), op.dims(1)), op.elem(2)),
  DynamicQuantizeMatMul: (op) => op.give(0, product(op, op.dims(0), op.dims(1)), op.elem(0)),
  DynamicQuantizeLSTM: (op) => RECURRENT.LSTM?.(op),
  QuantizeLinear: (op) => op.give(0, op.dims(0), quantizedElem(op, 2)),
  DequantizeLinear: (op) => op.give(0, op.dims(0), op.elem(1)),
  QLinearAdd: giveQuantizedBroadcast,
  QLinearMul: giveQuantizedBroadcast,
  QLinearConv: channelsFirst(CONVOLVING.QLinearConv, 'channels_last'),
  QLinearAveragePool: channelsFirst(CONVOLVING.AveragePool, 'channels_last'),
  QLinearGlobalAveragePool: channelsFirst(CONVOLVING.GlobalAveragePool, 'channels_last'),
  QLinearConcat: (op) => {
    const shapes = op.node.inputs.slice(2).flatMap((_, index) => (index % 3 === 0 ? [op.dims(index + 2)] : []))
    const [first] = shapes
    if (first === undefined || !shapes.every((dims) => dims !== undefined)) return op.give(0, undefined, op.elem(2))
    op.give(0, concatenated(op, shapes, op.axis(op.int('axis', 1), first.length)), op.elem(2))
  },
}
