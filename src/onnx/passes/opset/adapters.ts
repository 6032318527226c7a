/**
 * What to do to a node when the version of ONNX's operator set goes up, for versions 7 to 22.
 *
 * Source of every rule: onnx/docs/Changelog.md, which says how each op was in each version. An op that a version only gave
 * more types, optional inputs, or attributes with a default that means what was before, needs no adapter.
 */
import { TrtError } from '../../../errors.js'
import { numberToBfloat16, numberToHalf } from '../../../npy/half.js'
import type { TensorLike } from '../../../tensor.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { addConstant } from '../add-constant.js'
import { appendDims } from '../append-dims.js'
import { type Constants, int64s } from '../constants.js'
import type { PassContext } from '../pass.js'

/** Changes a node of the version before into one of the adapter's version. */
export type Adapter = (node: Node, tools: AdapterTools) => void

/** What adapters work with. */
export interface AdapterTools {
  readonly constants: Constants
  readonly context: PassContext
}

/** Adapters by op, in the order of their versions. */
export const ADAPTERS: Readonly<Record<string, readonly (readonly [version: number, adapt: Adapter])[]>> = {
  Add: [[7, alignByAxis]],
  And: [[7, alignByAxis]],
  BatchNormalization: [
    [7, refuseTraining],
    [9, dropAttribute('spatial', 1)],
    [14, dropUnusedOutputs],
  ],
  Clip: [[11, (node, tools) => scalarInputs(node, { min: 1, max: 2 }, tools)]],
  DFT: [[20, (node) => moveInt(node, 'axis', 2, [], 1)]],
  Div: [[7, alignByAxis]],
  Dropout: [
    [7, refuseTraining],
    [10, refuseUsed(1, 'its mask was of the type of its data, and is boolean now')],
    [12, (node, tools) => scalarInputs(node, { ratio: 1 }, tools, 'float32')],
  ],
  Equal: [[7, alignByAxis]],
  GRU: [[7, dropOutputSequence]],
  Gemm: [[7, (node) => node.delete('broadcast')]],
  Greater: [[7, alignByAxis]],
  GridSample: [[20, renameMode({ bilinear: 'linear', bicubic: 'cubic' })]],
  GroupNormalization: [[21, refuse('scale and bias were given by group, and are by channel now')]],
  Hardmax: [[13, flattenAround]],
  LSTM: [[7, dropOutputSequence]],
  Less: [[7, alignByAxis]],
  LogSoftmax: [[13, flattenAround]],
  Mul: [[7, alignByAxis]],
  Or: [[7, alignByAxis]],
  PRelu: [[7, slopeByChannel]],
  Pad: [
    [
      11,
      (node, tools) => {
        moveInts(node, 'pads', 1)
        scalarInputs(node, { value: 2 }, tools)
      },
    ],
  ],
  Pow: [[7, alignByAxis]],
  RNN: [[7, dropOutputSequence]],
  ReduceL1: [[18, axesToInput]],
  ReduceL2: [[18, axesToInput]],
  ReduceLogSum: [[18, axesToInput]],
  ReduceLogSumExp: [[18, axesToInput]],
  ReduceMax: [[18, axesToInput]],
  ReduceMean: [[18, axesToInput]],
  ReduceMin: [[18, axesToInput]],
  ReduceProd: [[18, axesToInput]],
  ReduceSum: [[13, axesToInput]],
  ReduceSumSquare: [[18, axesToInput]],
  Resize: [
    [11, resizeOfVersion10],
    [13, dropEmptyInputs],
  ],
  RoiAlign: [[16, (node) => node.set('coordinate_transformation_mode', 'string', 'output_half_pixel')]],
  Scan: [[9, refuse('its inputs are other ones now')]],
  Scatter: [[11, (node) => rename(node, 'ScatterElements')]],
  Slice: [
    [
      10,
      (node) => {
        moveInts(node, 'starts', 1)
        moveInts(node, 'ends', 2)
        moveInts(node, 'axes', 3)
      },
    ],
  ],
  Softmax: [[13, flattenAround]],
  Split: [
    [13, (node) => moveInts(node, 'split', 1)],
    [18, countOutputs],
  ],
  Squeeze: [[13, axesToInput]],
  Sub: [[7, alignByAxis]],
  TopK: [[10, (node) => moveInt(node, 'k', 1, [1])]],
  Unsqueeze: [[13, axesToInput]],
  Upsample: [
    [7, scalesOfVersion1],
    [9, (node) => moveFloats(node, 'scales', 1)],
    [10, (node) => rename(node, 'Resize')],
  ],
  Xor: [[7, alignByAxis]],
}

function refuse(reason: string): Adapter {
  return (node) => {
    throw unadaptable(node, reason)
  }
}

function refuseUsed(output: number, reason: string): Adapter {
  return (node) => {
    const value = node.outputs[output]
    if (value === undefined) return
    if (!value.isUnused) throw unadaptable(node, reason)
    node.trimOutputs(output)
  }
}

function unadaptable(node: Node, reason: string): TrtError {
  return new TrtError('UNSUPPORTED', `upgrade-opset: there is no way to carry ${node} over: ${reason}`, {
    hint: 'upgrade to an older version, or export the model anew',
  })
}

function rename(node: Node, opType: string): void {
  node.opType = opType
}

function dropAttribute(name: string, expected: number): Adapter {
  return (node) => {
    if (node.getInt(name, expected) !== expected) throw unadaptable(node, `its attribute ${name} is gone`)
    node.delete(name)
  }
}

function renameMode(names: Readonly<Record<string, string>>): Adapter {
  return (node) => {
    const mode = node.get('mode', 'string', Object.keys(names)[0] as string)
    node.set('mode', 'string', names[mode] ?? mode)
  }
}

/** Outputs behind the first, which only training needs: from version 14 on they are other ones. */
function dropUnusedOutputs(node: Node): void {
  for (const output of node.outputs.slice(1)) {
    if (output !== undefined && !output.isUnused) throw unadaptable(node, `its output "${output.name}" is used`)
  }
  node.trimOutputs(1)
}

/**
 * Version 6 broadcast the second input only: from `axis` of the first on, or at its end where there is no `axis`, which is
 * how every version since has it (onnx/docs/Changelog.md, "Add-6").
 */
function alignByAxis(node: Node, { constants }: AdapterTools): void {
  const isBroadcast = take(node, 'broadcast', () => node.getInt('broadcast'))
  const axis = take(node, 'axis', () => node.getInt('axis'))
  if (!isBroadcast || axis === undefined) return
  const [rank, size] = node.inputs.map((value) => value?.dims?.length)
  if (rank === undefined || size === undefined) throw unadaptable(node, RANKS)
  const after = rank - size - (axis < 0 ? axis + rank : axis)
  // One element broadcasts wherever it is.
  if (after < 0 && node.inputs[1]?.dims?.some((dim) => dim !== 1)) throw unadaptable(node, `its axis is ${axis}`)
  if (after > 0 && size > 0) appendDims(node, 1, after, constants)
}

const RANKS = 'how it broadcasts depends on ranks that are not known: run infer-shapes first'

/** A slope of version 6 is by channel where it is not one number (onnx/docs/Changelog.md, "PRelu-6"). */
function slopeByChannel(node: Node, { constants }: AdapterTools): void {
  const [x, slope] = node.inputs.map((value) => value?.dims)
  if (slope === undefined || (slope.length === 1 && slope[0] !== 1 && x === undefined)) throw unadaptable(node, RANKS)
  if (x === undefined || slope.length !== 1 || slope[0] === 1 || x.length < 3) return
  appendDims(node, 1, x.length - 2, constants)
}

/** From version 7 on, whether something is for training is told by its outputs. */
function refuseTraining(node: Node): void {
  if (node.getInt('is_test', 0) === 0) throw unadaptable(node, 'it is for training, as its attribute is_test is 0')
  node.delete('is_test')
}

/** It said only that the first output may be left out, which is told by its having no name. */
function dropOutputSequence(node: Node): void {
  node.delete('output_sequence')
}

/** Version 1 knew images only. */
function scalesOfVersion1(node: Node): void {
  const [height, width] = ['height_scale', 'width_scale'].map((name) => take(node, name, () => node.get(name, 'float')))
  node.set('scales', 'floats', [1, 1, height ?? 1, width ?? 1])
}

/** Takes an attribute's value; refuses what a function's caller gives. */
function take<T>(node: Node, name: string, read: () => T | undefined): T | undefined {
  const attribute = node.attribute(name)
  if (attribute === undefined) return undefined
  if (attribute.refName !== undefined) {
    throw unadaptable(node, `its attribute ${name} has another meaning now, and is given by what calls the function`)
  }
  const value = read()
  node.delete(name)
  return value
}

function moveInts(node: Node, name: string, input: number): void {
  const values = take(node, name, () => node.getInts(name))
  if (values !== undefined) node.setInput(input, constantOf(node, name, int64s(values)))
}

function axesToInput(node: Node): void {
  moveInts(node, 'axes', 1)
}

function moveInt(node: Node, name: string, input: number, dims: readonly number[], otherwise?: number): void {
  const value = take(node, name, () => node.getInt(name)) ?? otherwise
  if (value !== undefined) node.setInput(input, constantOf(node, name, int64s([value], dims)))
}

function moveFloats(node: Node, name: string, input: number): void {
  const values = take(node, name, () => node.get(name, 'floats'))
  if (values === undefined) return
  const data = Float32Array.from(values)
  node.setInput(input, constantOf(node, name, { type: 'float32', dims: [data.length], data }))
}

/** Attributes of one float each become inputs of rank 0, of the type of the node's data. */
function scalarInputs(
  node: Node,
  inputs: Readonly<Record<string, number>>,
  { context }: AdapterTools,
  type?: 'float32',
): void {
  for (const [name, index] of Object.entries(inputs)) {
    const value = take(node, name, () => node.get(name, 'float'))
    if (value === undefined) continue
    const known = type ?? node.inputs[0]?.type ?? 'undefined'
    if (known === 'undefined') {
      context.note('where the model does not say of which type values are, float32 was assumed: run infer-shapes first')
    }
    node.setInput(index, constantOf(node, name, scalarOfType(known, value)))
  }
}

function scalarOfType(type: string, value: number): TensorLike {
  switch (type) {
    case 'float16':
      return { type, dims: [], data: Uint16Array.of(numberToHalf(value)) }
    case 'bfloat16':
      return { type, dims: [], data: Uint16Array.of(numberToBfloat16(value)) }
    case 'float64':
      return { type, dims: [], data: Float64Array.of(value) }
    default:
      return { type: 'float32', dims: [], data: Float32Array.of(value) }
  }
}

function constantOf(node: Node, name: string, content: Parameters<typeof addConstant>[1]): Value {
  return addConstant(node.graph, content, `${node.label}_${name}`)
}

/**
 * Version 10 sampled as `asymmetric`, which had no name then, and had no regions of interest. How it rounded was not written
 * down: onnxruntime rounds down where it enlarges and up where it reduces (`Simple` in its upsamplebase.h), TensorRT and
 * the rules for Upsample know enlarging only.
 */
function resizeOfVersion10(node: Node, { constants, context }: AdapterTools): void {
  const [x, scales] = node.inputs
  // Version 11 wants one, and reads it in a mode that is not this one.
  const roi = constantOf(node, 'roi', { type: 'float32', dims: [0], data: new Float32Array() })
  node.inputs = [x, roi, scales]
  node.set('coordinate_transformation_mode', 'string', 'asymmetric')
  if (node.get('mode', 'string', 'nearest') !== 'nearest') return
  const known = constants.of(scales)
  if (known === undefined) context.note(`${node}: its scales are not constant, and were taken to be 1 or more`)
  const factors = [...((known?.toTensor().data as Float32Array | undefined) ?? [])]
  const reduces = factors.some((factor) => factor < 1)
  if (reduces && factors.some((factor) => factor > 1)) throw unadaptable(node, 'it enlarges and reduces at once')
  node.set('nearest_mode', 'string', reduces ? 'ceil' : 'floor')
}

/** Until version 12, an input that is not needed is one without elements; from 13 on it has to be left out. */
function dropEmptyInputs(node: Node, { constants }: AdapterTools): void {
  for (const index of [1, 2]) {
    if (constants.of(node.inputs[index])?.size === 0) node.setInput(index, undefined)
  }
}

/** From version 18 on, equal parts have to be counted. */
function countOutputs(node: Node): void {
  if (node.inputs[1] === undefined) node.set('num_outputs', 'int', node.outputs.length)
}

/**
 * Softmax and its relatives took everything from `axis` on (1 where it was not given) as one row; from version 13 on they
 * take one axis alone. That is the same for the last axis; for another one, rows are made by Flatten.
 */
function flattenAround(node: Node): void {
  const axis = take(node, 'axis', () => node.getInt('axis')) ?? 1
  const [x] = node.inputs as readonly [Value]
  if (axis === -1 || axis + 1 === x.dims?.length) {
    node.set('axis', 'int', -1)
    return
  }
  const { graph } = node
  const [y] = node.outputs as readonly [Value]
  const add = (opType: string, inputs: Value[], attributes: Record<string, ['int', number]> = {}): Value =>
    graph.addNode({ opType, inputs, attributes, name: `${node.name || node.opType}_${opType}` }).outputs[0] as Value
  const rows = add('Flatten', [x], { axis: ['int', axis] })
  const shape = add('Shape', [x])
  const row = add(node.opType, [rows], { axis: ['int', -1] })
  graph.addNode({ opType: 'Reshape', name: node.name, inputs: [row, shape], outputs: [y] })
}
