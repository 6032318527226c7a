/** What an engine tells of its layers, and what can be changed of it after it was loaded: its weights, and where they lie. */
import { beforeEach, describe, it } from 'vitest'
import { expectInsight } from './helpers/expectations.ts'
import { FAMILIES, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('tells of layers, and takes new weights and a budget for them', async () => {
    expectInsight(await resultOf('insight', { family }))
  })
})
