/** The shipped addon infers on the doubles of libcuda and TensorRT (native/test/README.md): every family, no GPU. */
import { describe, expect, it } from 'vitest'
import { FAMILIES, resultOf } from './helpers/run-fixture.ts'

const VERSION = { rtx: '1.7.1.116', trt10: '10.16.0.72', trt11: '11.4.0.106' }
const float32 = (dims: number[], data: number[]) => ({ type: 'float32', dims, data })

describe.each(FAMILIES)('%s', (family) => {
  it('infers, and gives everything back', async () => {
    const result = await resultOf('infer', { family })

    expect(result.info).toEqual({
      inputs: [{ name: 'x', type: 'float32', shape: [-1, 4] }],
      outputs: [{ name: 'y', type: 'float32', shape: [-1, 4] }],
      profiles: [{ x: { min: [1, 4], opt: [2, 4], max: [8, 4] } }],
      version: VERSION[family],
    })

    // 2x, of rows that count up from their number.
    expect(result.dynamic[0]).toEqual(float32([1, 4], [2, 4, 6, 8]))
    expect(result.dynamic[1]).toEqual(float32([3, 4], [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28]))
    expect(result.dynamic[2].dims).toEqual([8, 4])
    expect(result.dynamic[2].data.at(-1)).toBe(78)
    expect(result.dynamic[3]).toEqual(result.dynamic[0])
    expect(result.outOfProfile.code).toBe('SHAPE_OUT_OF_PROFILE')

    // Each of twenty calls at once gets its own answer.
    expect(result.overlapping).toEqual(Array.from({ length: 20 }, (_, i) => [1 + (i % 8), 2 * i]))
    expect(result.steady.allocations).toBe(0)
    expect(result.aliveAfterDynamic).toEqual({})

    expect(result.dataDependent).toEqual([
      { d: float32([3], [-9, -22, -27]), p: float32([2], [1, 3]) },
      { d: float32([3], [-11, -22, -33]), p: float32([0], []) },
      { d: float32([3], [-6, -15, -24]), p: float32([3], [4, 5, 6]) },
      { d: float32([3], [-11, -13, -33]), p: float32([1], [7]) },
    ])
    expect(result.subset).toEqual(['p'])

    expect(result.types).toEqual({
      float32Out: { type: 'float32', dims: [3], data: [1.5, -2.25, Math.fround(3e30)] },
      float16Out: { type: 'float16', dims: [3], data: [0x3c00, 0xc000, 0x7bff] },
      bfloat16Out: { type: 'bfloat16', dims: [3], data: [0x3f80, 0xc000, 0x7f7f] },
      int8Out: { type: 'int8', dims: [3], data: [-128, 0, 127] },
      uint8Out: { type: 'uint8', dims: [3], data: [0, 128, 255] },
      int32Out: { type: 'int32', dims: [3], data: [-(2 ** 31), 0, 2 ** 31 - 1] },
      int64Out: { type: 'int64', dims: [3], data: [-5, 0, 5] },
      boolOut: { type: 'bool', dims: [3], data: [1, 0, 1] },
    })

    // The last element of n rows that count up from 5, doubled: whichever profile n falls into.
    expect(result.profiles).toEqual([2, 20, 4, 32, 16, 1].map((rows) => 2 * (4 * rows + 4)))
    expect(result.betweenProfiles.code).toBe('SHAPE_OUT_OF_PROFILE')
    expect(result.host).toEqual({ type: 'int64', dims: [2], data: [21, -24] })
    expect(result.large).toBe(true)

    expect(result.bad.otherVersion.message).toContain('3.1.0')
    expect(result.bad.damaged.code).toBe('LOAD_FAILED')
    expect(result.bad.truncated.code).toMatch(/^(LOAD_FAILED|INVALID_ENGINE)$/)

    expect(result.alive).toEqual({})
    expect(result.misuses).toEqual([])
  })

  // Whatever the streams' delays are.
  it.each([2, 3])('infers the same with seed %i', async (seed) => {
    const env = { TRT_DOUBLE_SEED: String(seed), TRT_DOUBLE_MAX_DELAY_US: '2000' }
    const result = await resultOf('infer', { family, env })
    expect(result.overlapping.at(-1)).toEqual([4, 38])
    expect(result.large).toBe(true)
    expect(result.alive).toEqual({})
  })
})
