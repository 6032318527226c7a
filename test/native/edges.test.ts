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
})
