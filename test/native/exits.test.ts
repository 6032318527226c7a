/** 200 processes that end in the midst of building, loading, inferring and closing: each with its own code, and none hangs. */
import { beforeEach, describe, expect, it } from 'vitest'
import { EXITS, endOf, exitAt, type Way } from './helpers/exits.ts'
import { FAMILIES, runFixture, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

/** Workers take twice as long to begin, and a signal leaves no code of ours to run. */
const MOMENTS = { exit: 80, throw: 60, signal: 20, 'exit beside a worker': 20, 'terminate a worker': 20 }

describe('at any moment', () => {
  it.each(Object.keys(EXITS) as Way[])(
    '%s',
    async (way) => {
      for (let moment = 0; moment < MOMENTS[way]; moment++) {
        const family = FAMILIES[moment % FAMILIES.length]
        const outcome = await runFixture('exit', { ...exitAt(way, moment), family })
        expect(endOf(outcome), `${family}, moment ${moment}: ${outcome.stderr}`).toEqual(EXITS[way])
      }
    },
    600_000,
  )
})
