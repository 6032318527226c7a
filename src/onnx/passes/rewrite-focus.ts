/**
 * The Focus layer of YOLOv5 (ultralytics/yolov5, models/common.py, class Focus): four pictures of half the size, of every
 * second pixel each, one behind the other in the channels. PyTorch exports it as eight Slices and a Concat, which TensorRT
 * runs as copies of the whole picture.
 *
 * ONNX's SpaceToDepth (block size 2) has the same pixels, in blocks of C channels ordered by row and then column: (0,0),
 * (0,1), (1,0), (1,1). Focus has them as (0,0), (1,0), (0,1), (1,1), so blocks change places: in the weights of the
 * convolution that follows, where only that reads them, which costs nothing; otherwise by a Gather along the channels.
 */
import { isBoolean } from '../../check.js'
import type { Graph } from '../model/graph.js'
import type { Node } from '../model/node.js'
import type { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { Constants, int64s } from './constants.js'
import { sweepValues } from './matching/sweep.js'
import { definePass } from './pass.js'

/** Options of {@link rewriteFocus}. */
export interface RewriteFocusOptions {
  /** Whether the order of channels may go into the weights of the convolution that follows. */
  readonly fold: boolean
}

/** Where a picture's pixels begin: its first row and column, 0 or 1. */
type Corner = readonly [row: number, column: number]

/**
 * Rewrites slice-and-concat Focus layers as SpaceToDepth, with the order of channels folded into the next convolution.
 *
 * @example onnx.rewriteFocus()
 */
export const rewriteFocus = definePass<RewriteFocusOptions>({
  name: 'rewrite-focus',
  summary: "Rewrites YOLOv5's slice-and-concat Focus as SpaceToDepth, folded into the next convolution",
  keepsMeaning: true,
  options: { fold: { kind: 'boolean', doc: "whether the next convolution's weights may change", check: isBoolean } },
  defaults: { fold: true },
  apply(model, { fold }, context) {
    const constants = new Constants(model)
    for (const graph of model.graphs()) {
      for (const concat of graph.find({ opType: 'Concat', domain: '' })) {
        const found = focusOf(concat, constants)
        if (found === undefined) continue
        const { source, blocks } = found
        const [y] = concat.outputs as readonly [Value]
        const inOrder = blocks.every((block, index) => block === index)
        const conv = fold && !inOrder ? foldableConv(y, constants) : undefined
        const channels = source.dims?.[1]
        if (!inOrder && conv === undefined && typeof channels !== 'number') {
          context.note(
            `${concat} was left alone: the channels of "${source.name}" are not known; run infer-shapes first`,
          )
          continue
        }
        const where = String(concat)
        const parts = concat.inputs
        const deep = spaceToDepth(graph, source, inOrder || conv !== undefined ? y : undefined)
        if (conv !== undefined) reorderWeights(conv, blocks, constants)
        else if (!inOrder) gatherBlocks(graph, deep, blocks, channels as number, y)
        sweepValues(parts)
        context.change(where, conv === undefined ? 'made SpaceToDepth' : `made SpaceToDepth, folded into ${conv}`)
      }
    }
  },
})

/** What a Concat puts together, by blocks of SpaceToDepth; undefined where it is no Focus. */
function focusOf(concat: Node, constants: Constants): { source: Value; blocks: number[] } | undefined {
  if (concat.inputs.length !== 4 || concat.getInt('axis') !== 1) return undefined
  const corners = concat.inputs.map((input) => cornerOf(input, constants))
  const [first] = corners
  if (first === undefined || corners.some((corner) => corner?.source !== first.source)) return undefined
  const blocks = corners.map((corner) => (corner?.at[0] as number) * 2 + (corner?.at[1] as number))
  return new Set(blocks).size === 4 ? { source: first.source, blocks } : undefined
}

/** Follows Slices back to the picture: every second row and column, from where on. */
function cornerOf(value: Value | undefined, constants: Constants): { source: Value; at: Corner } | undefined {
  const starts = new Map<number, number>()
  let source = value
  for (let node = source?.producer; node?.opType === 'Slice' && node.domain === ''; node = source?.producer) {
    const [data, from, to, along, steps] = node.inputs
    const [begins, ends, strides] = [from, to, steps].map((input) => constants.ints(input))
    const axes = along === undefined ? begins?.map((_, axis) => axis) : constants.ints(along)
    if (data === undefined || begins === undefined || ends === undefined || axes === undefined) return undefined
    for (const [index, given] of axes.entries()) {
      const axis = given < 0 ? given + 4 : given
      const size = data.dims?.[axis]
      const isToTheEnd = (ends[index] as number) >= (typeof size === 'number' ? size : 2 ** 31 - 1)
      if (strides?.[index] !== 2 || !isToTheEnd || starts.has(axis)) return undefined
      starts.set(axis, begins[index] as number)
    }
    source = data
  }
  const [row, column] = [starts.get(2), starts.get(3)]
  const isCorner = starts.size === 2 && [row, column].every((start) => start === 0 || start === 1)
  // A negative axis counts from the end: with four dimensions, as a picture has.
  if (!isCorner || source === undefined || (source.dims !== undefined && source.dims.length !== 4)) return undefined
  return { source, at: [row as number, column as number] }
}

function spaceToDepth(graph: Graph, source: Value, output: Value | undefined): Value {
  const attributes = { blocksize: ['int', 2] as const }
  const outputs = output === undefined ? {} : { outputs: [output] }
  return graph.addNode({ opType: 'SpaceToDepth', inputs: [source], attributes, ...outputs }).outputs[0] as Value
}

/** The convolution that alone reads a value, where its weights are constant and take all channels. */
function foldableConv(value: Value, constants: Constants): Node | undefined {
  const [conv, ...others] = value.consumers
  if (conv === undefined || others.length > 0 || value.isOutput) return undefined
  if (conv.opType !== 'Conv' || conv.domain !== '' || conv.getInt('group', 1) !== 1 || conv.inputs[0] !== value) {
    return undefined
  }
  const weights = constants.of(conv.inputs[1])
  return weights !== undefined && (weights.dims[1] ?? 0) % 4 === 0 ? conv : undefined
}

/** Block j of the convolution's inputs was `blocks[j]` of SpaceToDepth's. */
function reorderWeights(conv: Node, blocks: readonly number[], constants: Constants): void {
  const old = conv.inputs[1] as Value
  const weights = constants.of(old) as ModelTensor
  const { type, dims } = weights
  const bytes = weights.bytes()
  const data = new Uint8Array(bytes.length)
  const blockBytes = bytes.length / (dims[0] as number) / 4
  for (let filter = 0; filter < (dims[0] as number); filter++) {
    const start = filter * 4 * blockBytes
    for (const [index, block] of blocks.entries()) {
      const from = start + index * blockBytes
      data.set(bytes.subarray(from, from + blockBytes), start + block * blockBytes)
    }
  }
  conv.setInput(1, addConstant(conv.graph, { type, dims, data }, `${old.name}_by_block`))
  sweepValues([old])
}

function gatherBlocks(graph: Graph, deep: Value, blocks: readonly number[], channels: number, output: Value): void {
  const indices = blocks.flatMap((block) =>
    Array.from({ length: channels }, (_, channel) => block * channels + channel),
  )
  const order = addConstant(graph, int64s(indices), 'focus_order')
  graph.addNode({ opType: 'Gather', inputs: [deep, order], attributes: { axis: ['int', 1] }, outputs: [output] })
}
