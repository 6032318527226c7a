import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findCulprits } from '#dist/parity/find-culprits.js'
import { failure } from '../helpers/errors.js'

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('findCulprits', () => {
  it('finds exactly the culprits, in about k log n trials, whatever they are', async () => {
    const cases = fc.integer({ min: 1, max: 2000 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        culprits: fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 6 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ count, culprits }) => {
        const found = await findCulprits(range(count), async (kept) =>
          culprits.every((culprit) => kept.includes(culprit)),
        )
        expect(found?.items).toEqual(culprits.toSorted((a, b) => a - b))
        const oneByOne = count <= 32 && culprits.length > 1 ? count : 0
        const searches = (culprits.length + 1) * (2 * Math.ceil(Math.log2(count)) + 2)
        expect(found?.trials).toBeLessThanOrEqual(2 + searches + oneByOne)
      }),
      { seed: 7, numRuns: 200 },
    )
  })

  it('asks hardly more than once for each culprit where they come first, as suspects do', async () => {
    for (const count of [1, 2, 3, 10, 40]) {
      const found = await findCulprits(range(1000), async (kept) => range(count).every((item) => kept.includes(item)))
      expect(found?.items).toEqual(range(count))
      expect(found?.trials).toBeLessThanOrEqual(4 + 2 * count + 2 * Math.ceil(Math.log2(count + 1)))
    }
  })

  it('finds a set that is enough and has nothing needless, where several would do', async () => {
    // Errors add up: what is kept takes its error away, and the rest has to stay below the limit.
    const cases = fc.record({
      errors: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 60 }),
      limit: fc.integer({ min: 0, max: 500 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ errors, limit }) => {
        const isEnough = (kept: readonly number[]): boolean =>
          errors.reduce((sum, error, index) => sum + (kept.includes(index) ? 0 : error), 0) <= limit
        const { items = [] } = (await findCulprits(range(errors.length), async (kept) => isEnough(kept))) ?? {}
        expect(isEnough(items)).toBe(true)
        for (const item of items) expect(isEnough(items.filter((other) => other !== item))).toBe(false)
      }),
      { seed: 8, numRuns: 200 },
    )
  })

  it('finds the one of few items that is enough by itself, wherever it stands', async () => {
    for (const count of [3, 15, 32]) {
      const last = count - 1
      const isEnough = async (kept: readonly number[]) => kept.includes(last) || (kept.includes(0) && kept.includes(1))
      expect((await findCulprits(range(count), isEnough))?.items).toEqual([last])
    }
  })

  it('says so where nothing is enough, and asks no more than it must where nothing is needed', async () => {
    expect(await findCulprits(range(10), async () => false)).toBeUndefined()
    expect(await findCulprits(range(10), async () => true)).toEqual({ items: [], trials: 1 })
    expect(await findCulprits([], async () => false)).toBeUndefined()
  })

  it('can be stopped between trials, and tells how far it is', async () => {
    const controller = new AbortController()
    const progress: { trials: number; found: number }[] = []
    const search = () =>
      findCulprits(range(100), async (kept) => kept.includes(99) && kept.includes(3), {
        signal: controller.signal,
        onProgress: (now) => {
          progress.push(now)
          if (now.found === 1) controller.abort()
        },
      })
    await failure('ABORTED', search)
    expect(progress.at(-1)?.found).toBe(1)
    expect(progress.map(({ trials }) => trials)).toEqual(range(progress.length).map((index) => index + 1))
  })
})
