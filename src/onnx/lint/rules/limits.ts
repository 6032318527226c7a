import type { Node } from '../../model/node.js'
import type { LintFacts } from '../lint-facts.js'

/** Says what of a node TensorRT does not take; undefined where there is nothing. */
export type Limit = (node: Node, facts: LintFacts) => string | undefined

const oneOutput: Limit = ({ opType, outputs }) => {
  const count = outputs.filter((value) => value !== undefined).length
  return count > 1 ? `TensorRT's ${opType} has one output, and the node has ${count}` : undefined
}

/** An integer attribute that has to be one value. */
const only =
  (name: string, expected: number): Limit =>
  (node) => {
    const value = node.getInt(name, expected)
    return value === expected ? undefined : `TensorRT takes ${name} ${expected} only, and the node has ${value}`
  }

const onlyText =
  (name: string, fallback: string, ...expected: readonly string[]): Limit =>
  (node) => {
    const value = node.get(name, 'string', fallback)
    return expected.includes(value)
      ? undefined
      : `TensorRT takes ${name} ${expected.join(', ')}, and the node has ${value}`
  }

const noDilations: Limit = (node) =>
  node.getInts('dilations')?.some((dilation) => dilation !== 1)
    ? `TensorRT's ${node.opType} has no dilations`
    : undefined

/** Types that the first input may not have. */
const notOf =
  (...types: readonly string[]): Limit =>
  ({ opType, inputs: [first] }, facts) => {
    const type = facts.type(first)
    return types.includes(type) ? `TensorRT's ${opType} takes no ${type}` : undefined
  }

const noUint8 = notOf('uint8')

const ARITHMETIC = [
  'Add',
  'Div',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'Max',
  'MaxPool',
  'Min',
  'Mul',
  'Pow',
  'Sub',
  'Sum',
  'Mean',
]

/**
 * Attention of rank 3 that is plain (no mask, not causal, as many heads of keys as of queries) becomes products and a
 * softmax; any other needs a fused kernel, and those are for float16 and bfloat16 with heads of 16, 32, … numbers (tried:
 * 8, 16, 32, 64, 128 in both float types).
 */
const fusedAttention: Limit = (node, facts) => {
  const [q, k, v, mask] = node.inputs
  const [qDims, kDims, vDims] = [facts.dims(q), facts.dims(k), facts.dims(v)]
  const heads = node.getInt('q_num_heads')
  const isPlain = mask === undefined && node.getInt('is_causal', 0) === 0 && heads === node.getInt('kv_num_heads')
  const size = (dims: typeof qDims, count: number | undefined) => {
    const last = dims?.at(-1)
    return typeof last !== 'number' ? undefined : dims?.length === 3 ? last / (count ?? 1) : last
  }
  const [keySize, valueSize] = [size(kDims, node.getInt('kv_num_heads')), size(vDims, node.getInt('kv_num_heads'))]
  if (keySize !== valueSize)
    return `TensorRT's Attention has keys and values of one size, and the node has ${keySize} and ${valueSize}`
  if (qDims?.length === 3 && isPlain) return undefined
  const type = facts.type(q)
  if (type === 'float32') return "TensorRT's fused Attention is for float16 and bfloat16, and the node has float32"
  const headSize = size(qDims, heads)
  if (headSize === undefined || headSize % 16 === 0) return undefined
  return `TensorRT's fused Attention has heads of a multiple of 16 numbers, and the node has ${headSize}`
}

const vectorTimesBatch: Limit = ({ inputs: [a, b] }, facts) =>
  facts.rank(a) === 1 && (facts.rank(b) ?? 0) > 2
    ? 'TensorRT does not multiply a vector with a batch of matrices'
    : undefined

/** By op. */
export const LIMITS: Readonly<Record<string, readonly Limit[]>> = {
  ...Object.fromEntries(ARITHMETIC.map((op) => [op, [noUint8]])),
  Attention: [
    oneOutput,
    fusedAttention,
    (node) => (node.get('softcap', 'float', 0) === 0 ? undefined : "TensorRT's Attention has no softcap"),
  ],
  AveragePool: [noDilations],
  BatchNormalization: [oneOutput, only('training_mode', 0)],
  Clip: [notOf('int8', 'uint8')],
  LayerNormalization: [oneOutput],
  LpPool: [
    noDilations,
    (node) =>
      [1, 2].includes(node.getInt('p', 2))
        ? undefined
        : `TensorRT's LpPool has p 1 and 2, and the node has ${node.getInt('p')}`,
  ],
  MaxPool: [noDilations, oneOutput, noUint8],
  Mod: [notOf('uint8', 'int8')],
  Range: [notOf('float16', 'bfloat16')],
  Resize: [
    only('antialias', 0),
    onlyText('keep_aspect_ratio_policy', 'stretch', 'stretch'),
    onlyText(
      'coordinate_transformation_mode',
      'half_pixel',
      'align_corners',
      'tf_half_pixel_for_nn',
      'pytorch_half_pixel',
      'half_pixel',
      'asymmetric',
    ),
  ],
  MatMul: [vectorTimesBatch],
  RandomNormalLike: [notOf('float64')],
  RandomUniformLike: [notOf('float64')],
  ScatterElements: [onlyText('reduction', 'none', 'none')],
  ScatterND: [onlyText('reduction', 'none', 'none')],
  TensorScatter: [
    onlyText('mode', 'linear', 'linear'),
    ({ inputs: [cache] }, facts) => {
      const rank = facts.rank(cache)
      return rank === undefined || rank === 4
        ? undefined
        : `TensorRT's TensorScatter takes a cache of rank 4, and the node has one of rank ${rank}`
    },
  ],
}

/** By op of `com.microsoft`. */
export const MICROSOFT_LIMITS: Readonly<Record<string, readonly Limit[]>> = {
  MatMulNBits: [
    (node) => {
      const size = node.getInt('block_size', 0)
      return [32, 64, 128].includes(size)
        ? undefined
        : `TensorRT takes blocks of 32, 64 or 128, and the node has ${size}`
    },
  ],
  MultiHeadAttention: [
    ({ inputs: [, , , bias] }) => (bias === undefined ? undefined : "TensorRT's MultiHeadAttention has no bias"),
  ],
}
