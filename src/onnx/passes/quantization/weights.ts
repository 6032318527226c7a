/**
 * Weights from float32 to 8 bits, symmetric, with a scale for each channel or one for all.
 *
 * The rounding is that of ONNX's QuantizeLinear: to the nearest, ties to even, then cut off at the ends of the type. So a
 * weight that is stored in 8 bits with a DequantizeLinear behind it is what float32 weights with QuantizeLinear and
 * DequantizeLinear behind them are, at a quarter of the bytes.
 */
import { numberToFloat8, roundTiesToEven } from '../../../npy/half.js'
import { elementCount, type TensorLike } from '../../../tensor.js'
import type { ModelTensor, RawTensor } from '../../model/tensor.js'

/** The types that activations and weights are quantised to. */
export type QuantizedType = 'int8' | 'float8e4m3fn'

/** The greatest number of each type; the scale is a range divided by it. Without -128, which has no counterpart. */
export const GREATEST: Readonly<Record<QuantizedType, number>> = { int8: 127, float8e4m3fn: 448 }

/** Quantised weights: `data` times `scales` is near the weights. */
export interface QuantizedWeights {
  readonly data: TensorLike | RawTensor
  /** One for each channel, or a single one. */
  readonly scales: Float32Array
}

/**
 * The scale of a range. All zeros are told apart from nothing by no scale, so theirs is 1, as TensorRT takes none of 0.
 *
 * @param range the greatest magnitude, finite
 * @param powerOfTwo whether to take the next power of two that holds the range
 */
export function scaleOf(range: number, to: QuantizedType, powerOfTwo: boolean): number {
  const scale = Math.fround(range / GREATEST[to])
  // Below float32's normal numbers a quotient loses its digits; onnxruntime's quantizer draws the line there too.
  if (scale < LEAST_NORMAL) return 1
  return powerOfTwo ? 2 ** Math.ceil(Math.log2(scale)) : scale
}

const LEAST_NORMAL = 2 ** -126

/**
 * Quantises float32 weights.
 *
 * @param axis of the channels; undefined for one scale for all
 * @throws {TrtError} what {@link ModelTensor.toTensor} throws
 */
export function quantizeWeights(
  tensor: ModelTensor,
  axis: number | undefined,
  to: QuantizedType,
  powerOfTwo: boolean,
): QuantizedWeights {
  const { dims } = tensor
  const weights = tensor.toTensor().data as Float32Array
  const channels = axis === undefined ? 1 : (dims[axis] as number)
  const inner = axis === undefined ? weights.length : elementCount(dims.slice(axis + 1))
  const ranges = new Float64Array(channels)
  eachRun(weights.length, channels, inner, (channel, from, to) => {
    let greatest = ranges[channel] as number
    for (let at = from; at < to; at++) greatest = Math.max(greatest, Math.abs(weights[at] as number))
    ranges[channel] = greatest
  })
  const scales = Float32Array.from(ranges, (range) => scaleOf(range, to, powerOfTwo))
  const round = to === 'int8' ? toInt8 : numberToFloat8
  const data = new Uint8Array(weights.length)
  eachRun(weights.length, channels, inner, (channel, from, to) => {
    const scale = scales[channel] as number
    for (let at = from; at < to; at++) data[at] = round(Math.fround((weights[at] as number) / scale))
  })
  if (to === 'int8') return { data: { type: to, dims, data: new Int8Array(data.buffer) }, scales }
  return { data: { type: to, dims, data }, scales }
}

/** Visits runs of elements that are of one channel and lie one after the other. */
function eachRun(
  length: number,
  channels: number,
  inner: number,
  visit: (channel: number, from: number, to: number) => void,
): void {
  if (inner === 0) return
  for (let from = 0, channel = 0; from < length; from += inner, channel = (channel + 1) % channels) {
    visit(channel, from, from + inner)
  }
}

/** The 8 bits of int8. */
export function toInt8(x: number): number {
  return Math.max(-128, Math.min(127, roundTiesToEven(x)))
}
