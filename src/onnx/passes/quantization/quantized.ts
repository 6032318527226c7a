/** What quantised integers stand for. Rules: onnx/docs/Operators.md, QuantizeLinear and DequantizeLinear. */
import { elementCount } from '../../../tensor.js'
import type { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import { addConstant } from '../add-constant.js'
import type { Constants } from '../constants.js'
import type { NodeBuilder } from '../node-builder.js'

/** The least and the greatest integer of the types that are quantised to, as far as arrays of numbers hold them. */
export const RANGES: Readonly<Record<string, readonly [least: number, greatest: number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
}

/** The elements of a constant as numbers; undefined for none, and for types that no array of numbers holds. */
export function numbersOf(tensor: ModelTensor | undefined): ArrayLike<number> | undefined {
  if (tensor === undefined || !(tensor.type === 'float32' || tensor.type in RANGES)) return undefined
  return tensor.toTensor().data as ArrayLike<number>
}

/**
 * The numbers that integers stand for, (q - zeroPoint) · scale, rounded to float32 where onnxruntime rounds too.
 *
 * @param zeroPoint one for all, or one for each index along `axis`; likewise `scale`
 */
export function dequantized(
  integers: ArrayLike<number>,
  dims: readonly number[],
  {
    zeroPoint = [0],
    scale = [1],
    axis = 0,
  }: { zeroPoint?: ArrayLike<number>; scale?: ArrayLike<number>; axis?: number },
): Float32Array {
  const inner = elementCount(dims.slice(axis + 1))
  const size = dims[axis] ?? 1
  const at = (values: ArrayLike<number>, index: number) => values[values.length === 1 ? 0 : index] as number
  return Float32Array.from(integers, (q, element) => {
    const index = Math.floor(element / inner) % size
    return Math.fround(q - at(zeroPoint, index)) * at(scale, index)
  })
}

/**
 * A parameter that is one number for each index along an axis, in the shape that broadcasts so: `[C]` as `[C,1,1]`; one
 * number for all in no shape, so that it broadcasts to any rank, 0 included.
 */
export function alongAxis(
  value: Value,
  constants: Constants,
  { rank, axis }: { rank: number; axis: number },
  builder: NodeBuilder,
): Value {
  const dims = constants.dims(value)
  if (dims?.length !== 1) return value
  const isForAll = dims[0] === 1
  const ones = isForAll ? [] : new Array<number>(rank - axis - 1).fill(1)
  if (!isForAll && ones.length === 0) return value
  const shape = isForAll ? [] : [-1, ...ones]
  const tensor = constants.of(value)
  if (tensor === undefined) return builder.add('Reshape', [value, builder.ints(shape)])
  const sizes = shape.map((size) => (size < 0 ? tensor.size : size))
  return addConstant(builder.graph, { type: tensor.type, dims: sizes, data: tensor.bytes() }, value.name)
}
