/** CUDA graphs: one launch an inference and no enqueue, the right one for each shape, and a quiet way without. */
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { expectGraphs } from './helpers/expectations.ts'
import { FAMILIES, ROOT, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('launches graphs for shapes that come again', async () => {
    const env = { LD_PRELOAD: join(ROOT, 'build', 'doubles', 'common', 'libtrt_allocations.so') }
    const result = await resultOf('graphs', { family, env })
    expectGraphs(result)
    expect(result.steady.allocations).toBe(0)
  })
})
