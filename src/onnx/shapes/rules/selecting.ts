/** Ops that take parts of tensors, put tensors together, or fill them up. */
import type { Dim } from '../../value-type.js'
import { add, floorDivide, isSame, multiply } from '../dim-algebra.js'
import type { OpContext, Rule } from '../op-context.js'
import { sliceBounds, sliceSize } from '../slices.js'
import type { Dims } from '../value-kinds.js'

export const SELECTING: Readonly<Record<string, Rule>> = {
  Concat: (op) => {
    const shapes = op.node.inputs.map((_, index) => op.dims(index))
    const known = shapes.find((dims) => dims !== undefined)
    if (known === undefined) return
    const axis = op.axis(op.int('axis', 1), known.length)
    op.give(
      0,
      concatenated(
        op,
        shapes.map((dims) => dims ?? known.map(() => null)),
        axis,
      ),
    )
  },
  Split: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const axis = op.axis(op.int('axis', 0), dims.length)
    const sizes = splitSizes(op, dims[axis] ?? null)
    for (let index = 0; index < op.outputCount; index++) op.give(index, dims.with(axis, sizes?.[index] ?? null))
  },
  Slice: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const bounds = sliceBounds(op, dims.length)
    const result: Dim[] = bounds === undefined ? dims.map(() => null) : [...dims]
    for (const bound of bounds ?? []) result[bound.axis] = sliceSize(dims[bound.axis] ?? null, bound)
    op.give(0, result)
  },
  Gather: (op) => {
    const [data, indices] = [op.dims(0), op.dims(1)]
    if (data === undefined || indices === undefined) return
    const axis = op.axis(op.int('axis', 0), data.length)
    op.give(0, [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])
  },
  GatherElements: (op) => op.give(0, op.dims(1)),
  GatherND: (op) => {
    const [data, indices] = [op.dims(0), op.dims(1)]
    const depth = indices?.at(-1)
    if (data === undefined || indices === undefined || typeof depth !== 'number') return
    const batch = op.int('batch_dims', 0)
    if (batch + depth > data.length) op.fail(`indices of ${depth} elements are too long for rank ${data.length}`)
    op.give(0, [...indices.slice(0, -1), ...data.slice(batch + depth)])
  },
  Pad: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const pads = op.opset >= 11 ? op.elements(1) : op.ints(op.opset < 2 ? 'paddings' : 'pads')
    const axes = op.hasInput(3) ? op.numbers(3) : dims.map((_, axis) => axis)
    if (pads === undefined || axes === undefined)
      return op.give(
        0,
        dims.map(() => null),
      )
    if (pads.length !== 2 * axes.length) op.fail(`${pads.length} pads for ${axes.length} axes`)
    const result: Dim[] = [...dims]
    for (const [index, given] of axes.entries()) {
      const axis = op.axis(given, dims.length)
      result[axis] = add(dims[axis] ?? null, pads[index] ?? null, pads[index + axes.length] ?? null)
    }
    op.give(0, result)
  },
  TopK: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const axis = op.axis(op.int('axis', -1), dims.length)
    const k = op.opset < 10 ? (op.int('k') ?? null) : op.element(1)
    op.give(0, dims.with(axis, k))
    op.give(1, dims.with(axis, k))
  },
  OneHot: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const axis = op.axis(op.int('axis', -1), dims.length + 1)
    const depth = op.element(1)
    op.give(0, dims.toSpliced(axis, 0, typeof depth === 'number' ? Math.trunc(depth) : depth))
  },
  NonZero: (op) => op.give(0, [op.dims(0)?.length ?? null, null]),
  Compress: (op) => {
    const axis = op.int('axis')
    const dims = op.dims(0)
    if (axis === undefined) op.give(0, [null])
    else op.give(0, dims?.with(op.axis(axis, dims.length), null))
  },
  Unique: (op) => {
    const axis = op.int('axis')
    const dims = op.dims(0)
    op.give(0, axis === undefined ? [null] : dims?.with(op.axis(axis, dims.length), null))
    for (const index of [1, 2, 3])
      op.give(index, [index === 2 && axis === undefined && dims ? multiply(...dims) : null])
  },
  CenterCropPad: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const sizes = op.elements(1)
    const axes = op.ints('axes') ?? dims.map((_, axis) => axis)
    const result: Dim[] = [...dims]
    for (const [index, axis] of axes.entries()) result[op.axis(axis, dims.length)] = sizes?.[index] ?? null
    op.give(0, result)
  },
}

/** The sum of sizes along an axis; the others must be the same. */
export function concatenated(op: OpContext, shapes: readonly Dims[], axis: number): Dims {
  const [first = []] = shapes
  for (const { length } of shapes) if (length !== first.length) op.fail(`ranks ${first.length} and ${length} differ`)
  return first.map((_, index) => {
    const sizes = shapes.map((dims) => dims[index] ?? null)
    return index === axis ? add(...sizes) : common(op, sizes, index)
  })
}

/** The size that all must have. */
function common(op: OpContext, sizes: Dims, axis: number): Dim {
  const [first = null] = sizes
  const numbers = new Set(sizes.filter((size) => typeof size === 'number'))
  if (numbers.size > 1) op.fail(`sizes ${[...numbers].join(' and ')} of axis ${axis} differ`)
  const [number] = numbers
  return number ?? (sizes.every((size) => isSame(size, first)) ? first : (sizes.find((size) => size !== null) ?? null))
}

function splitSizes(op: OpContext, size: Dim): Dims | undefined {
  const isAttribute = op.opset >= 2 && op.opset < 13
  const given = isAttribute || op.opset < 2 ? op.ints('split') : op.elements(1)
  if (given !== undefined) {
    if (given.length !== op.outputCount) op.fail(`${given.length} parts for ${op.outputCount} outputs`)
    const sum = add(...given)
    if (typeof sum === 'number' && typeof size === 'number' && sum !== size)
      op.fail(`parts of ${sum} in all for size ${size}`)
    return given
  }
  if (op.hasInput(1)) return undefined
  const count = op.int('num_outputs') ?? op.outputCount
  // From opset 18 on the last part may be smaller.
  const part = floorDivide(op.opset >= 18 ? add(size, count - 1) : size, count)
  const last = add(size, multiply(part, 1 - count))
  return Array.from({ length: count }, (_, index) => (index === count - 1 ? last : part))
}
