import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bfloat16ToNumber,
  float8ToNumber,
  halfToNumber,
  numberToBfloat16,
  numberToFloat8,
  numberToHalf,
} from '#dist/npy/half.js'

/** The number that 16-bit patterns stand for, straight from the definition of the format. */
const patterns = Array.from({ length: 0x7c00 }, (_, bits) => bits)

test('every half that is a number survives the round trip', () => {
  for (const bits of patterns) {
    expect(numberToHalf(halfToNumber(bits))).toBe(bits)
    expect(numberToHalf(halfToNumber(bits | 0x8000))).toBe(bits | 0x8000)
  }
})

test.each([
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [1 / 3, 0x3555],
  [Number.POSITIVE_INFINITY, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
])('%d is the half %i (IEEE 754)', (value, bits) => {
  expect(numberToHalf(value)).toBe(bits)
  if (Number.isFinite(value) && value !== 1 / 3) expect(halfToNumber(bits)).toBe(value)
})

test('a number becomes the nearest half, and the even one of two equally near', () => {
  const halves = patterns.map(halfToNumber)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: patterns.length - 2 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (at, part) => {
        const [low, high] = [halves[at] as number, halves[at + 1] as number]
        const value = low + (high - low) * part
        const middle = (low + high) / 2
        const nearest = value < middle ? at : value > middle ? at + 1 : at + (at % 2)
        expect(numberToHalf(value)).toBe(nearest)
      },
    ),
    { seed: 15 },
  )
  expect(numberToHalf(65519.99)).toBe(0x7bff)
  expect(numberToHalf(65520)).toBe(0x7c00)
  expect(numberToHalf(2 ** -25)).toBe(0)
  expect(numberToHalf(2 ** -25 * 1.0001)).toBe(1)
  // Rounding to float32 first would give 0x3c00.
  expect(numberToHalf(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01)
})

test('NaN stays NaN', () => {
  expect(halfToNumber(numberToHalf(Number.NaN))).toBeNaN()
  expect(bfloat16ToNumber(numberToBfloat16(Number.NaN))).toBeNaN()
})

test.each([
  [1, 0x3f80],
  [-2.5, 0xc020],
  [3.4e38, 0x7f80],
  [1 + 2 ** -8, 0x3f80],
  [1 + 3 * 2 ** -8, 0x3f82],
  [Number.NEGATIVE_INFINITY, 0xff80],
])('%d is the bfloat16 %i', (value, bits) => {
  expect(numberToBfloat16(value)).toBe(bits)
})

// As ml_dtypes.float8_e4m3fn has them.
test.each([
  [0, 0],
  [-0, 0x80],
  [1, 0x38],
  [-2, 0xc0],
  [0.0625, 0x18],
  [2 ** -9, 0x01],
  [2 ** -10, 0x00],
  [1.5 * 2 ** -9, 0x02],
  [448, 0x7e],
  [464, 0x7e],
  [1e9, 0x7e],
  [-1e9, 0xfe],
  [17, 0x58],
  [19, 0x5a],
])('%d is the float8e4m3fn %i', (value, bits) => {
  expect(numberToFloat8(value)).toBe(bits)
})

test('every float8e4m3fn survives the round trip', () => {
  for (let bits = 0; bits < 256; bits++) {
    if ((bits & 0x7f) !== 0x7f) expect(numberToFloat8(float8ToNumber(bits))).toBe(bits)
  }
  expect(float8ToNumber(0x7f)).toBeNaN()
  expect(numberToFloat8(Number.NaN)).toBe(0x7f)
})
