/** 16-bit and 8-bit floating point as numbers. Big arrays of 16 bits have faster ways (`toNumbers`, convert-precision). */

/** A format: bits of its fraction, and the exponent of its smallest normal number. */
interface Format {
  readonly fraction: number
  readonly least: number
}

const HALF: Format = { fraction: 10, least: -14 }
const FLOAT8: Format = { fraction: 3, least: -6 }

const scratch = new DataView(new ArrayBuffer(8))

/** The value of an IEEE 754 binary16 bit pattern. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const rest = bits & 0x7fff
  if (rest >= 0x7c00) return rest === 0x7c00 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * magnitudeOf(rest, HALF)
}

/** The binary16 bit pattern nearest to `value`, ties to even, rounded once (not by way of float32). */
export function numberToHalf(value: number): number {
  const sign = isNegative(value) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (Number.isNaN(magnitude)) return 0x7e00
  // 65520 lies halfway between the largest half (65504) and the next power of two, and rounds to infinity.
  if (magnitude >= 65520) return sign | 0x7c00
  return sign | nearestBits(magnitude, HALF)
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

/**
 * The value of a float8e4m3fn bit pattern: 4 bits of exponent with bias 7, 3 of fraction, no infinities, NaN at ±0x7f
 * (arXiv:2209.05433, and ONNX's "Float stored in 8 bits").
 */
export function float8ToNumber(bits: number): number {
  const rest = bits & 0x7f
  return rest === 0x7f ? Number.NaN : (bits & 0x80 ? -1 : 1) * magnitudeOf(rest, FLOAT8)
}

/** The float8e4m3fn bit pattern nearest to `value`, ties to even; beyond ±448, the largest, as ONNX's Cast saturates. */
export function numberToFloat8(value: number): number {
  const sign = isNegative(value) ? 0x80 : 0
  const magnitude = Math.abs(value)
  if (Number.isNaN(magnitude)) return 0x7f
  return sign | (magnitude >= 448 ? 0x7e : nearestBits(magnitude, FLOAT8))
}

/** The nearest integer; of two equally near, the even one. */
export function roundTiesToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

/** What the bits of exponent and fraction stand for. */
function magnitudeOf(bits: number, { fraction, least }: Format): number {
  const exponent = bits >> fraction
  const steps = bits & ((1 << fraction) - 1)
  if (exponent === 0) return steps * 2 ** (least - fraction)
  return (steps + (1 << fraction)) * 2 ** (exponent - 1 + least - fraction)
}

/** The bits of exponent and fraction of the number nearest to a magnitude that the format can hold. */
function nearestBits(magnitude: number, { fraction, least }: Format): number {
  // Numbers below the smallest normal one are as far apart as those right above it. Scaling by powers of two is exact.
  const exponent = Math.max(binaryExponent(magnitude), least)
  const steps = roundTiesToEven(magnitude * 2 ** (fraction - exponent))
  // Where rounding reaches the next power of two, adding carries into the exponent, as the formats are made for.
  return ((exponent - least) << fraction) + steps
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0)
}

function binaryExponent(magnitude: number): number {
  scratch.setFloat64(0, magnitude)
  return (scratch.getUint16(0) >> 4) - 1023
}
