/** Thousands of calls on 8 contexts with random shapes, aborts, failures and closes: each right, and nothing left. */
import { beforeEach, it } from 'vitest'
import { expectStress } from './helpers/expectations.ts'
import { resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

const execArgv = ['--expose-gc']

it('10,000 calls', async () => {
  expectStress(await resultOf('stress', { execArgv, args: [10_000] }), 10_000)
})

it('1,000 calls in the main thread and in each of 4 workers', async () => {
  expectStress(await resultOf('stress', { execArgv, args: [1000, 4] }), 1000)
})

it.each(['rtx', 'trt11'] as const)('2,000 calls on %s', async (family) => {
  expectStress(await resultOf('stress', { family, execArgv, args: [2000] }), 2000)
})
