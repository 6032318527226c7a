/** The shipped addon infers on the doubles of libcuda and TensorRT (native/test/README.md): every family, no GPU. */
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { expectInference, expectSteady } from './helpers/expectations.ts'
import { FAMILIES, ROOT, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('infers, and gives everything back', async () => {
    expectInference(await resultOf('infer', { family }), family)
  })

  it('tells TensorRT nothing twice, and takes no memory, once it knows the shapes', async () => {
    const env = { LD_PRELOAD: join(ROOT, 'build', 'doubles', 'common', 'libtrt_allocations.so') }
    expectSteady(await resultOf('steady', { family, env }))
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
