/** Every call of CUDA and TensorRT that the addon makes fails once: what the user is told, and what is left. */
import { beforeEach, describe, it } from 'vitest'
import { expectFailures } from './helpers/expectations.ts'
import { FAMILIES, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('turns each failing call into a TrtError, stays usable, and gives everything back', async () => {
    expectFailures(await resultOf('failures', { family }))
  })
})
