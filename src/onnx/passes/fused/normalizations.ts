import type { Value } from '../../model/value.js'
import type { Expansion, FusedOp } from './fused-op.js'

/** onnxruntime's default, as a float has it. */
const EPSILON = Math.fround(1e-12)

function layerNorm(op: FusedOp, x: Value, scale: Value, bias: Value | undefined): Value {
  const epsilon = op.node.get('epsilon', 'float', EPSILON)
  return op.add('LayerNormalization', [x, scale, bias], { axis: ['int', -1], epsilon: ['float', epsilon] })
}

const skipLayerNorm: Expansion = (op) => {
  if (op.isUsed(1) || op.isUsed(2)) return 'its mean and deviation are read'
  const sum = op.plus(op.add('Add', [op.input(0), op.input(1)]), op.optional(4))
  return [layerNorm(op, sum, op.input(2), op.optional(3)), undefined, undefined, sum]
}

/** Rows of tables of words, places and segments, added up and normalized. */
const embedLayerNorm: Expansion = (op) => {
  const [words, segments, , , segmentTable, , , mask, places] = op.node.inputs
  if (op.isUsed(1) && mask === undefined) return 'its mask_index is read, and it has no mask'
  const [ids, table, placeTable] = [words as Value, op.input(2), op.input(3)]
  const ofWords = op.add('Gather', [table, ids])
  const sizes = op.add('Shape', [ids])
  const length = op.slice(sizes, 1, 2, 0)
  const zero = op.builder.ints([0])
  const ofPlaces =
    places === undefined ? op.add('Slice', [placeTable, zero, length, zero]) : op.add('Gather', [placeTable, places])
  const sum = op.add('Add', [ofWords, ofPlaces])
  const isSegmented = segments !== undefined && segmentTable !== undefined
  const all = isSegmented ? op.add('Add', [sum, op.add('Gather', [segmentTable, segments])]) : sum
  const lengths = op.isUsed(1) ? op.reshape(op.sum(mask as Value, 1), [-1]) : undefined
  return [layerNorm(op, all, op.input(5), op.input(6)), lengths, all]
}

/** Rules: onnxruntime's docs/ContribOperators.md. TensorRT knows SkipSimplifiedLayerNormalization as it is. */
export const NORMALIZATIONS: Readonly<Record<string, Expansion>> = {
  EmbedLayerNormalization: embedLayerNorm,
  SkipLayerNormalization: skipLayerNorm,
}
