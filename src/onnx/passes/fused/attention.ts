import type { ElementType } from '../../data-types.js'
import type { Value } from '../../model/value.js'
import type { Expansion, FusedOp } from './fused-op.js'

/** What onnxruntime adds where a mask is 0 (docs/ContribOperators.md, mask_filter_value). */
const MASKED = -10_000

/** [batch,length,heads · size] to [batch,heads,length,size]. */
function byHead(op: FusedOp, value: Value, heads: number): Value {
  return op.transpose(op.reshape(value, [0, 0, heads, -1]), [0, 2, 1, 3])
}

/**
 * Softmax(q · kᵀ · scale + masks) · v by head, joined to [batch,length,heads · size] again.
 *
 * @param k of shape [batch,heads,length,size], as q and v
 * @param size of a head
 */
function attend(
  op: FusedOp,
  [q, k, v]: readonly [Value, Value, Value],
  size: number,
  masks: readonly (Value | undefined)[],
): Value {
  const scale = op.node.get('scale', 'float', 0) || 1 / Math.sqrt(size)
  const scores = op.scaled(op.add('MatMul', [q, op.transpose(k, [0, 1, 3, 2])]), scale)
  const masked = masks.reduce<Value>((sum, mask) => op.plus(sum, mask), scores)
  const weights = op.add('Softmax', [masked], { axis: ['int', -1] })
  return op.reshape(op.transpose(op.add('MatMul', [weights, v]), [0, 2, 1, 3]), [0, 0, -1])
}

/** (1 - mask) · filter of a mask of shape [batch,length] or [batch,queries,length]; a text for other ones. */
function maskOf(op: FusedOp, mask: Value | undefined, like: Value): Value | string | undefined {
  if (mask === undefined) return undefined
  const rank = op.constants.dims(mask)?.length
  if (rank !== 2 && rank !== 3) return `its mask is of rank ${rank ?? 'unknown'}, and only 2 and 3 are known`
  // Any number but 0 keeps.
  const flags = op.builder.cast(op.builder.cast(mask, 'bool'), op.constants.type(like) as ElementType)
  const kept = op.unsqueeze(flags, rank === 2 ? [1, 2] : [1])
  const filter = op.node.get('mask_filter_value', 'float', MASKED)
  return op.scaled(op.add('Sub', [op.scalar(1, like), kept]), filter)
}

/** `qkv_hidden_sizes`, the past, and masks that are lengths are left to onnxruntime. */
const attention: Expansion = (op) => {
  const { node } = op
  const [x, weights, bias, mask, past, added] = node.inputs
  const heads = node.getInt('num_heads', 0)
  const columns = op.constants.dims(weights as Value)?.[1]
  if (past !== undefined || op.isUsed(1)) return 'it keeps keys and values'
  if (node.getInt('unidirectional', 0) === 1 || node.getInt('do_rotary', 0) === 1) return 'it is causal or rotary'
  if (node.attribute('qkv_hidden_sizes') !== undefined) return 'its values have another size than its keys'
  if (typeof columns !== 'number' || heads === 0) return 'the size of its weights is not known'
  const padding = maskOf(op, mask, x as Value)
  if (typeof padding === 'string') return padding
  const hidden = columns / 3
  const all = op.plus(op.add('MatMul', [x, weights]), bias)
  const parts = [0, 1, 2].map((part) => byHead(op, op.slice(all, part * hidden, (part + 1) * hidden, -1), heads))
  return [attend(op, parts as unknown as [Value, Value, Value], hidden / heads, [padding, added])]
}

const multiHeadAttention: Expansion = (op) => {
  const { node } = op
  const [query, key, value, bias, mask, added, pastKey] = node.inputs
  const heads = node.getInt('num_heads', 0)
  const hidden = op.constants.dims(query as Value)?.[2]
  if (pastKey !== undefined || op.isUsed(1) || op.isUsed(2)) return 'it keeps keys and values'
  if (node.getInt('unidirectional', 0) === 1) return 'it is causal'
  if (key === undefined || value === undefined) return 'its query holds its keys and values'
  const ranks = [query, key, value].map((input) => op.constants.dims(input as Value)?.length)
  if (ranks.some((rank) => rank !== 3) || typeof hidden !== 'number')
    return 'its shapes are not those of three matrices'
  const padding = maskOf(op, mask, query as Value)
  if (typeof padding === 'string') return padding
  const parts = [query, key, value].map((input, part) => {
    const own = bias && op.slice(bias, part * hidden, part === 2 ? 2 ** 31 - 1 : (part + 1) * hidden, 0)
    return byHead(op, op.plus(input as Value, own), heads)
  })
  return [attend(op, parts as unknown as [Value, Value, Value], hidden / heads, [padding, added])]
}

/** Turns pairs of elements by angles: x · cos + turned(x) · sin, where turned has each pair as (-second, first). */
const rotaryEmbedding: Expansion = (op) => {
  const { node } = op
  const [x, positions, cosines, sines] = node.inputs as readonly [Value, Value, Value, Value]
  const rank = op.constants.dims(x)?.length
  const half = op.constants.dims(cosines)?.[1]
  const heads = node.getInt('num_heads', 0)
  const hidden = op.constants.dims(x)?.at(-1)
  if (typeof half !== 'number' || (rank !== 3 && rank !== 4) || typeof hidden !== 'number')
    return 'its shapes are not known'
  if (op.constants.dims(positions)?.length !== 2) return 'its positions are counted from one offset'
  const size = rank === 4 ? hidden : heads > 0 ? hidden / heads : 2 * half
  if (size !== 2 * half || node.getInt('rotary_embedding_dim', 0) !== 0) return 'it turns a part of each head'
  if (node.getInt('interleaved', 0) === 1) return 'its pairs are interleaved'
  const byHeads = rank === 4 ? x : byHead(op, x, hidden / size)
  // [batch,length,half] to [batch,1,length,half], twice, so that both of a pair have its angle.
  const angles = (table: Value): Value => {
    const rows = op.add('Gather', [table, positions])
    return op.unsqueeze(op.add('Concat', [rows, rows], { axis: ['int', -1] }), [1])
  }
  const [first, second] = [op.slice(byHeads, 0, half, -1), op.slice(byHeads, half, size, -1)]
  const turned = op.add('Concat', [op.add('Neg', [second]), first], { axis: ['int', -1] })
  const result = op.add('Add', [op.add('Mul', [byHeads, angles(cosines)]), op.add('Mul', [turned, angles(sines)])])
  return [rank === 4 ? result : op.reshape(op.transpose(result, [0, 2, 1, 3]), [0, 0, -1])]
}

/** Rules: onnxruntime's docs/ContribOperators.md. */
export const ATTENTION: Readonly<Record<string, Expansion>> = {
  Attention: attention,
  MultiHeadAttention: multiHeadAttention,
  RotaryEmbedding: rotaryEmbedding,
}
