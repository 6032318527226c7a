/** Resize and its forerunner Upsample. Rules: onnx/docs/Operators.md, Resize. */
import type { Dim } from '../../value-type.js'
import { floorDivide, multiply } from '../dim-algebra.js'
import type { Elements } from '../elements.js'
import type { OpContext, Rule } from '../op-context.js'
import type { Dims } from '../value-kinds.js'

export const RESIZING: Readonly<Record<string, Rule>> = {
  Resize: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const axes = op.ints('axes')?.map((axis) => op.axis(axis, dims.length)) ?? dims.map((_, axis) => axis)
    const [scalesAt, sizesAt] = op.opset < 11 ? [1, 3] : [2, 3]
    const sizes = op.hasInput(sizesAt) ? op.elements(sizesAt) : undefined
    const scales = op.elements(scalesAt)
    const resized = axes.map((axis, index): Dim => {
      if (op.hasInput(sizesAt)) return sizes?.[index] ?? null
      return cropped(op) ? null : scaled(dims[axis] ?? null, scales?.[index] ?? null)
    })
    const policy = op.text('keep_aspect_ratio_policy', 'stretch')
    const final = op.hasInput(sizesAt) && policy !== 'stretch' ? inProportion(dims, axes, resized, policy) : resized
    op.give(
      0,
      dims.map((dim, axis) => (axes.includes(axis) ? (final[axes.indexOf(axis)] ?? null) : dim)),
    )
  },
  Upsample: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const scales: Elements | undefined = op.opset < 9 ? attributeScales(op) : op.elements(1)
    op.give(
      0,
      dims.map((dim, axis) => scaled(dim, scales?.[axis] ?? null)),
    )
  },
}

function attributeScales(op: OpContext): readonly number[] | undefined {
  if (op.opset >= 7) return op.value('scales', 'floats')
  const [height, width] = [op.value('height_scale', 'float'), op.value('width_scale', 'float')]
  return height === undefined || width === undefined ? undefined : [1, 1, height, width]
}

/** With this mode sizes depend on the region of interest too. */
function cropped(op: OpContext): boolean {
  return op.text('coordinate_transformation_mode') === 'tf_crop_and_resize'
}

/** Rounded down, in float32 as implementations do; of a symbolic size, where the factor or its inverse is whole. */
function scaled(dim: Dim, scale: Dim): Dim {
  if (typeof scale !== 'number' || !(scale > 0)) return null
  if (typeof dim === 'number') return Math.floor(Math.fround(dim * scale))
  if (Number.isInteger(scale)) return multiply(dim, scale)
  return Number.isInteger(1 / scale) ? floorDivide(dim, 1 / scale) : null
}

/** All axes by one factor, the smallest or greatest of those that were asked for, each size rounded to the nearest. */
function inProportion(dims: Dims, axes: readonly number[], sizes: Dims, policy: string): Dims {
  const factors = axes.map((axis, index) => Number(sizes[index] ?? Number.NaN) / Number(dims[axis] ?? Number.NaN))
  if (!factors.every(Number.isFinite)) return sizes.map(() => null)
  const factor = policy === 'not_larger' ? Math.min(...factors) : Math.max(...factors)
  return axes.map((axis) => Math.floor(Number(dims[axis]) * factor + 0.5))
}
