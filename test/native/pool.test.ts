/** Several contexts of one engine, the queue before them, bindings, and what the engine tells of itself; on the doubles. */
import { beforeEach, describe, it } from 'vitest'
import { expectPool } from './helpers/expectations.ts'
import { FAMILIES, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('serves calls on several contexts, and bounds those that wait', async () => {
    expectPool(await resultOf('pool', { family }))
  })
})
