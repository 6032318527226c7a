import type { ElementType } from '../../data-types.js'
import { elementTypeName } from '../../data-types.js'
import type { OpContext, Rule } from '../op-context.js'

/** Ops whose outputs have the shape of the first input; types follow from the schema. */
const NAMES = `
  Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Clip Cos Cosh CumProd CumSum Elu Erf Exp
  Floor Gelu HardSigmoid HardSwish Hardmax InstanceNormalization GroupNormalization IsInf IsNaN LRN LeakyRelu Log
  LogSoftmax LpNormalization MeanVarianceNormalization Mish Neg Not PRelu RMSNormalization Reciprocal Relu
  ReverseSequence RotaryEmbedding Round Scatter ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin Sinh Softmax
  Softplus Softsign Sqrt Swish Tan Tanh TensorScatter ThresholdedRelu Trilu
`

const sameShape: Rule = (op) => {
  const dims = op.dims(0)
  const axis = op.value('axis', 'int')
  if (dims !== undefined && axis !== undefined) op.axis(Number(axis), dims.length)
  op.give(0, dims)
}

/** An op that may name the type of its result in an attribute, and else keeps that of its input. */
function typedBy(name: string): Rule {
  return (op) => op.give(0, op.dims(0), elemIn(op, name) ?? op.elem(0))
}

/** The element type that an attribute names by its number; undefined where it is left out or 0. */
export function elemIn(op: OpContext, name: string): ElementType | undefined {
  const type = elementTypeName(op.int(name))
  return type === 'undefined' ? undefined : type
}

export const SAME_SHAPE: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    NAMES.trim()
      .split(/\s+/)
      .map((name) => [name, sameShape]),
  ),
  Identity: (op) => op.giveKind(0, op.kind(0)),
  // The number of ONNX's element types since opset 6, their names before.
  Cast: (op) => op.give(0, op.dims(0), elemIn(op, 'to') ?? elemNamed(op.text('to'))),
  BitCast: typedBy('to'),
  CastLike: (op) => op.give(0, op.dims(0), op.elem(1)),
  Bernoulli: typedBy('dtype'),
  EyeLike: typedBy('dtype'),
  RandomNormalLike: typedBy('dtype'),
  RandomUniformLike: typedBy('dtype'),
  Dropout: (op) => {
    op.give(0, op.dims(0))
    op.give(1, op.dims(0))
  },
  LayerNormalization: (op) => {
    const dims = op.dims(0)
    op.give(0, dims)
    if (dims === undefined) return
    const axis = op.axis(op.int('axis', -1), dims.length)
    const reduced = dims.map((dim, index) => (index < axis ? dim : 1))
    for (const index of [1, 2]) op.give(index, reduced, elemIn(op, 'stash_type') ?? 'float32')
  },
  BatchNormalization: (op) => {
    op.give(0, op.dims(0))
    const channels = op.dims(1) ?? [op.dims(0)?.[1] ?? null]
    for (let index = 1; index < op.outputCount; index++) op.give(index, channels)
  },
}

function elemNamed(name: string): ElementType | undefined {
  const plain = { FLOAT: 'float32', DOUBLE: 'float64' }[name] ?? name.toLowerCase()
  return plain === '' ? undefined : (plain as ElementType)
}
