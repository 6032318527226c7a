import type { Node } from '../../model/node.js'
import type { RawTensor } from '../../model/tensor.js'
import type { Facts } from './facts.js'

/**
 * What a DequantizeLinear gives of the int32 bias that quantisers put into every layer: x · scale, in float32 as
 * onnxruntime does it. That is one rounded product, so no process is needed to compute it, which models with nothing else to
 * compute would spend most of their time on.
 *
 * @returns undefined for everything else, such as quantised weights, which are to stay so
 */
export function dequantizedBias({ opType, domain, inputs }: Node, { constants }: Facts): RawTensor | undefined {
  if (opType !== 'DequantizeLinear' || domain !== '') return undefined
  const [bias, scale, zero] = inputs.map((value) => constants.of(value))
  if (bias?.type !== 'int32' || bias.dims.length !== 1 || scale?.type !== 'float32') return undefined
  if (scale.size !== 1 && (scale.dims.length !== 1 || scale.size !== bias.size)) return undefined
  if (inputs[2] !== undefined && !zero?.bytes().every((byte) => byte === 0)) return undefined
  const [integers, scales] = [bias.toTensor().data as Int32Array, scale.toTensor().data as Float32Array]
  // Both are rounded to float32, and a product of two such is exact in JavaScript's numbers.
  const floats = Float32Array.from(
    integers,
    (x, index) => Math.fround(x) * (scales[scales.length === 1 ? 0 : index] as number),
  )
  return { type: 'float32', dims: bias.dims, data: new Uint8Array(floats.buffer) }
}
