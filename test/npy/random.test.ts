import { describe, expect, test } from 'vitest'
import { float8ToNumber, halfToNumber } from '#dist/npy/half.js'
import { randomTensor, seededRandom } from '#dist/npy/random.js'
import { BYTES_PER_ELEMENT, type DataType } from '#dist/tensor.js'
import { failure } from '../helpers/errors.js'

// From the authors' C code, compiled: SplitMix64 for the seed, then xoshiro128** 1.1; the first five, then the 1000th.
test.each([
  [0, [3737715805, 2584255861, 2876756834, 3286328325, 1553311962], 2387201604],
  [42, [1776835114, 4165204688, 17111135, 2317295270, 2792088233], 16075257],
])('seed %i gives the numbers of the reference code', (seed, first, thousandth) => {
  const random = seededRandom(seed)
  const numbers = Array.from({ length: 1000 }, random)
  expect(numbers.slice(0, 5)).toEqual(first)
  expect(numbers[999]).toBe(thousandth)
})

describe('values', () => {
  test.each(Object.keys(BYTES_PER_ELEMENT) as DataType[])(
    'of %s repeat with the seed, and fill the default range',
    (type) => {
      const make = () => randomTensor(type, [50, 40], seededRandom(7))
      const tensor = make()
      expect(tensor).toEqual(make())
      expect(tensor.dims).toEqual([50, 40])
      const numbers = Array.from(tensor.data as ArrayLike<number | bigint>, Number)
      // There are 57 float8 from 0 to 1.
      const distinct = type === 'float8e4m3fn' ? 20 : 100
      expect(new Set<unknown>(tensor.data).size).toBeGreaterThan(/float/.test(type) ? distinct : 1)
      if (!/float/.test(type)) expect([...new Set(numbers)].sort()).toEqual([0, 1])
      else if (type !== 'bfloat16') {
        const decode = { float16: halfToNumber, float8e4m3fn: float8ToNumber }[type as 'float16']
        const values = decode === undefined ? numbers : numbers.map(decode)
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length
        expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...values)).toBeLessThanOrEqual(1)
        // The mean of 2000 uniform values: 0.5 within six standard deviations (0.29 / sqrt(2000)).
        expect(Math.abs(mean - 0.5)).toBeLessThan(0.039)
      }
    },
  )

  test('of integers reach both ends of the range', () => {
    const { data } = randomTensor('int64', [1000], seededRandom(1), { low: -2, high: 2 })
    expect([...new Set(data)].sort((a, b) => Number(a - b))).toEqual([-2n, -1n, 0n, 1n, 2n])
  })

  test.each([
    ['uint8', -1, 1, /within 0 to 255/],
    ['int32', 0, 0.5, /integers/],
    ['float32', 2, 1, /low to high/],
    ['float32', 0, Number.POSITIVE_INFINITY, /finite/],
    ['bool', 0, 2, /within 0 to 1/],
  ] as const)('of %s from %d to %d are refused', async (type, low, high, message) => {
    const error = await failure('INVALID_ARGUMENT', () => randomTensor(type, [1], seededRandom(0), { low, high }))
    expect(error.message).toMatch(message)
  })
})
