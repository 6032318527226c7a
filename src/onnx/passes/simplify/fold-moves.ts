/**
 * Constants of which a node only moves elements, and gives no more than it takes: slices, transposed and joined weights,
 * as exporters write them before recurrent layers and matrix products. To the bit as any runtime does it, and without one:
 * onnxruntime needs a process, which took 0.3 to 0.4 s of the 0.7 s that models with nothing else to compute took.
 */
import { allocate } from '../../../memory.js'
import { elementCount, stridesOf } from '../../../tensor.js'
import { bitsPerElement, byteLength } from '../../data-types.js'
import type { Node } from '../../model/node.js'
import type { ModelTensor, RawTensor } from '../../model/tensor.js'
import { indicesOf } from '../../shapes/slices.js'
import type { Facts } from './facts.js'

/** What a node gives of constants; undefined where it is none of these, not all is known, or the node is wrong. */
export function movedConstant(node: Node, facts: Facts): RawTensor | undefined {
  const moved = node.domain === '' ? MOVES[node.opType]?.(node, facts) : undefined
  const type = moved?.parts[0]?.tensor.type
  if (moved === undefined || type === undefined || bitsPerElement(type) < 8) return undefined
  const { dims, parts } = moved
  if (parts.some(({ tensor }) => tensor.type !== type)) return undefined
  const data = allocate(byteLength(type, elementCount(dims)), `the constant that ${node} gives`)
  for (const part of parts) copy(part.tensor.bytes(), part.from, data, part.to, part.dims, bitsPerElement(type) / 8)
  return { type, dims, data }
}

/** Where elements lie in an array: element [i, j, …] at `offset` + i·strides[0] + j·strides[1] + … */
interface Layout {
  readonly offset: number
  readonly strides: readonly number[]
}

/** Elements of a constant, and where they go to. */
interface Part {
  readonly tensor: ModelTensor
  readonly from: Layout
  readonly to: Layout
  readonly dims: readonly number[]
}

/** What goes where, and the shape of the result. Rules: onnx/docs/Operators.md. */
type Move = (node: Node, facts: Facts) => { dims: readonly number[]; parts: readonly Part[] } | undefined

const transpose: Move = (node, { constants }) => {
  const tensor = constants.of(node.inputs[0])
  if (tensor === undefined) return undefined
  const axes = tensor.dims.map((_, axis) => axis)
  const order = node.getInts('perm') ?? [...axes].reverse()
  if (order.length !== axes.length || !axes.every((axis) => order.includes(axis))) return undefined
  const [sizes, strides] = [tensor.dims, stridesOf(tensor.dims)]
  const dims = order.map((axis) => sizes[axis] as number)
  const from = { offset: 0, strides: order.map((axis) => strides[axis] as number) }
  return { dims, parts: [{ tensor, from, to: whole(dims), dims }] }
}

const slice: Move = (node, { constants, opset }) => {
  const tensor = constants.of(node.inputs[0])
  // Attributes were made inputs in operator set 10.
  const [starts, ends, axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((name, index) =>
    opset < 10 ? node.getInts(name) : constants.ints(node.inputs[index + 1]),
  )
  const isUnknown = (index: number, values: unknown) => values === undefined && node.inputs[index] !== undefined
  if (tensor === undefined || starts === undefined || ends === undefined) return undefined
  if (isUnknown(3, axes) || isUnknown(4, steps)) return undefined
  const { dims, strides } = { dims: [...tensor.dims], strides: stridesOf(tensor.dims) }
  let offset = 0
  for (const [index, start] of starts.entries()) {
    const given = axes === undefined ? index : (axes[index] as number)
    const axis = given < 0 ? given + dims.length : given
    const [size, stride, step] = [tensor.dims[axis], strides[axis], steps?.[index] ?? 1]
    if (size === undefined || stride === undefined || step === 0) return undefined
    const { first, count } = indicesOf(size, start, ends[index] as number, step)
    dims[axis] = count
    strides[axis] = stride * step
    offset += first * stride
  }
  return { dims, parts: [{ tensor, from: { offset, strides }, to: whole(dims), dims }] }
}

const concat: Move = (node, { constants }) => {
  const tensors = node.inputs.map((value) => constants.of(value))
  const [first] = tensors
  if (first === undefined || !tensors.every((tensor) => tensor !== undefined)) return undefined
  // 1 where it is left out, as operator sets before 4 allow.
  const given = node.getInt('axis', 1)
  const axis = given < 0 ? given + first.dims.length : given
  const fits = ({ dims }: ModelTensor) =>
    dims.length === first.dims.length && dims.every((size, index) => index === axis || size === first.dims[index])
  if (first.dims[axis] === undefined || !tensors.every(fits)) return undefined
  const sizes = tensors.map(({ dims }) => dims[axis] as number)
  const dims = first.dims.with(
    axis,
    sizes.reduce((sum, size) => sum + size),
  )
  const { strides } = whole(dims)
  let at = 0
  const parts = tensors.map((tensor, index): Part => {
    const offset = at * (strides[axis] as number)
    at += sizes[index] as number
    return { tensor, from: whole(tensor.dims), to: { offset, strides }, dims: tensor.dims }
  })
  return { dims, parts }
}

const MOVES: Readonly<Record<string, Move>> = { Concat: concat, Slice: slice, Transpose: transpose }

function whole(dims: readonly number[]): Layout {
  return { offset: 0, strides: stridesOf(dims) }
}

/** Copies elements of `width` bytes, of `dims`, from one layout to another. */
function copy(
  source: Uint8Array,
  from: Layout,
  target: Uint8Array,
  to: Layout,
  dims: readonly number[],
  width: number,
): void {
  // In units that a typed array has whose copies keep every bit: longer elements are an axis more.
  const unit = Math.min(width, 4)
  const units = width / unit
  const [read, written] = [unitsOf(source, unit), unitsOf(target, unit)]
  const sizes = [...dims, units]
  const [fromStrides, toStrides] = [from, to].map(({ strides }) => [...strides.map((stride) => stride * units), 1])
  const copyAxis = (axis: number, at: number, put: number): void => {
    const [size, step, stride] = [sizes[axis] as number, fromStrides?.[axis] as number, toStrides?.[axis] as number]
    if (axis === last) {
      if (step === 1 && stride === 1 && size >= LONG) written.set(read.subarray(at, at + size), put)
      else for (let i = 0; i < size; i++) written[put + i * stride] = read[at + i * step] as number
    } else for (let i = 0; i < size; i++) copyAxis(axis + 1, at + i * step, put + i * stride)
  }
  const last = mergeAxes(sizes, fromStrides as number[], toStrides as number[])
  copyAxis(0, from.offset * units, to.offset * units)
}

/** From here on a copy of a whole run is faster than one by one. */
const LONG = 16

/** Makes one of the last axes as long as both layouts go through them without a gap; returns which is the last then. */
function mergeAxes(sizes: number[], from: number[], to: number[]): number {
  let last = sizes.length - 1
  for (; last > 0; last--) {
    const [size, step, stride] = [sizes[last] as number, from[last] as number, to[last] as number]
    if (from[last - 1] !== size * step || to[last - 1] !== size * stride) break
    sizes[last - 1] = (sizes[last - 1] as number) * size
    from[last - 1] = step
    to[last - 1] = stride
  }
  return last
}

function unitsOf(bytes: Uint8Array, unit: number): Uint8Array | Uint16Array | Uint32Array {
  // Weights begin anywhere in a file; typed arrays begin at multiples of their element's size.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % unit === 0 ? bytes : new Uint8Array(bytes)
  if (unit === 1) return bytes
  return unit === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4)
}
