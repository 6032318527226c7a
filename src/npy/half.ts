/** 16-bit and 8-bit floating point as numbers, for reading and writing values by hand; not for bulk work. */

const scratch = new DataView(new ArrayBuffer(8))

/** The value of an IEEE 754 binary16 bit pattern. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** The binary16 bit pattern nearest to `value`, ties to even, rounded once (not by way of float32). */
export function numberToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (Number.isNaN(magnitude)) return 0x7e00
  // 65520 lies halfway between the largest half (65504) and the next power of two, and rounds to infinity.
  if (magnitude >= 65520) return sign | 0x7c00
  // Steps of half are 2^-24 below 2^-14 and 2^(exponent-10) above; scaling by powers of two is exact.
  const exponent = Math.max(binaryExponent(magnitude), -14)
  const steps = roundTiesToEven(magnitude * 2 ** (10 - exponent))
  // Where rounding reaches the next power of two, adding carries into the exponent, as the format is made for.
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps)
}

/** The value of a bfloat16 bit pattern: the upper half of a float32. */
export function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

/** The bfloat16 bit pattern nearest to the float32 nearest to `value`, ties to even. */
export function numberToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

/** The value of a float8e4m3fn bit pattern: 4 bits of exponent with bias 7, 3 of fraction, no infinities, NaN at ±0x7f. */
export function float8ToNumber(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1
  const exponent = (bits >> 3) & 0xf
  const fraction = bits & 7
  if ((bits & 0x7f) === 0x7f) return Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10))
}

/** The float8e4m3fn bit pattern nearest to `value`, ties to even; beyond ±448, the largest, as ONNX's Cast saturates. */
export function numberToFloat8(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x80 : 0
  const magnitude = Math.abs(value)
  if (Number.isNaN(magnitude)) return 0x7f
  if (magnitude >= 448) return sign | 0x7e
  // As of half, with steps of 2^-9 below 2^-6 and 2^(exponent-3) above.
  const exponent = Math.max(binaryExponent(magnitude), -6)
  const steps = roundTiesToEven(magnitude * 2 ** (3 - exponent))
  return sign | (exponent === -6 ? steps : ((exponent + 6) << 3) + steps)
}

function binaryExponent(magnitude: number): number {
  scratch.setFloat64(0, magnitude)
  return (scratch.getUint16(0) >> 4) - 1023
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
