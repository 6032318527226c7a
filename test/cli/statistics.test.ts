import { Tensor } from 'tensorrt-node'
import { describe, expect, test } from 'vitest'
import { outputFileNames } from '#dist/cli/output-names.js'
import { summarise, summariseLatency, topValues } from '#dist/cli/statistics.js'

describe('a summary', () => {
  test('leaves NaN and infinities out, and counts them', () => {
    const data = Float32Array.of(Number.NaN, 3, Number.POSITIVE_INFINITY, -1)
    expect(summarise(new Tensor('float32', data), 2)).toEqual({
      min: -1,
      max: 3,
      mean: 1,
      notFinite: 2,
      first: [Number.NaN, 3],
    })
  })

  test('reads halves as numbers, and 64-bit integers exactly', () => {
    expect(summarise(new Tensor('float16', Uint16Array.of(0x3c00, 0xc000)), 9)).toMatchObject({
      min: -2,
      max: 1,
      mean: -0.5,
    })
    const big = 2n ** 62n + 1n
    expect(summarise(new Tensor('int64', BigInt64Array.of(0n, big)), 1)).toMatchObject({ min: 0n, max: big })
  })

  test('of nothing has no values', () => {
    const none = { min: undefined, max: undefined, mean: undefined, notFinite: 0, first: [] }
    expect(summarise(new Tensor('float32', new Float32Array(), [0, 3]), 4)).toEqual(none)
  })
})

test('the largest values come with their indices, the first of equals first', () => {
  const tensor = new Tensor('float32', Float32Array.of(1, 9, Number.NaN, 9, 4, 5), [2, 3])
  expect(topValues(tensor, 3)).toEqual([
    { index: [0, 1], value: 9 },
    { index: [1, 0], value: 9 },
    { index: [1, 2], value: 5 },
  ])
  expect(topValues(new Tensor('float32', Float32Array.of(7), []), 5)).toEqual([{ index: [], value: 7 }])
})

test('latencies are the nearest rank', () => {
  const times = [50, ...Array.from({ length: 99 }, (_, index) => index + 1)]
  expect(summariseLatency(times)).toEqual({ first: 50, min: 1, median: 50, mean: 50, p99: 98, max: 99 })
  expect(summariseLatency([3])).toEqual({ first: 3, min: 3, median: 3, mean: 3, p99: 3, max: 3 })
})

test('outputs get file names that every file system takes, each its own', () => {
  const names = ['y', '/model/out:0', '_model_out_0', 'Y', '../up', '', 'é', 'x'.repeat(300)]
  expect([...outputFileNames(names).values()]).toEqual([
    'y.npy',
    '_model_out_0.npy',
    '_model_out_0-2.npy',
    'Y-2.npy',
    '__up.npy',
    '_.npy',
    '_-2.npy',
    `${'x'.repeat(200)}.npy`,
  ])
})
