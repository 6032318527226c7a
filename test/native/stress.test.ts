/** Thousands of calls on 8 contexts with random shapes, aborts, failures and closes: each right, and nothing left. */
import { beforeEach, expect, it } from 'vitest'
import { expectStress } from './helpers/expectations.ts'
import { resultOf, runFixture, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

const execArgv = ['--expose-gc']

it('10,000 calls', async () => {
  expectStress(await resultOf('stress', { execArgv, args: [10_000] }), 10_000)
})

it('1,000 calls in the main thread and in each of 4 workers', async () => {
  expectStress(await resultOf('stress', { execArgv, args: [1000, 4] }), 1000)
})

it('keeps the exit code when the process exits at any moment of it', async () => {
  for (let moment = 0; moment < 10; moment++) {
    const { code, signal, stderr } = await runFixture('stress', { execArgv, args: [1000, 1, 37 * moment] })
    expect({ moment, code, signal, stderr }).toEqual({ moment, code: 7, signal: null, stderr: '' })
  }
})
