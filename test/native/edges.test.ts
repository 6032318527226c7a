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

  it.each([
    ['the engine', 100],
    ['its execution context', 2000],
  ])('says so where the GPU has no memory for %s', async (_, bytes) => {
    const { error, ...rest } = await resultOf('load', { family, env: { TRT_DOUBLE_MEMORY: String(bytes) } })
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', message: expect.stringContaining('OutOfMemory') })
    expect(rest).toEqual({ alive: {}, misuses: [] })
  })
})
