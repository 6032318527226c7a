/** What a caller decides, or brings, that is out of the ordinary. */
import { beforeEach, describe, expect, it } from 'vitest'
import { FAMILIES, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('takes a plan with host code where the caller allows it, and inputs in shared memory', async () => {
    const { refused, ...result } = await resultOf('edges', { family })
    expect(refused).toMatchObject({ code: 'LOAD_FAILED', hint: expect.stringContaining('allowHostCode') })
    expect(result).toEqual({ y: { type: 'float32', dims: [1, 4], data: [2, 4, 6, 8] }, alive: {}, misuses: [] })
  })

  it('says so where the GPU has no memory for the engine', async () => {
    const { error, ...rest } = await resultOf('load', { family, env: { TRT_DOUBLE_MEMORY: '100' } })
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', message: expect.stringContaining('OutOfMemory') })
    expect(rest).toEqual({ alive: {}, misuses: [] })
  })

  it('says how much its contexts need, and which dimension to lower', async () => {
    const { error, ...rest } = await resultOf('load', { family, args: [3], env: { TRT_DOUBLE_MEMORY: '10256' } })
    expect(error).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining("12288 bytes needed, 10000 of the GPU's 10256 free"),
      hint: expect.stringContaining('smaller maximum than 8 for dimension 0 of "x" in profile 0'),
    })
    expect(rest).toEqual({ alive: {}, misuses: [] })
  })
})
