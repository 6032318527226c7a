import { describe, expect, test } from 'vitest'
import { ProgressTracker } from '#dist/cli/progress.js'

const event = (phase: string, parents: string[], step: number, steps: number) => ({
  phase,
  parents,
  step,
  steps,
  elapsedMs: 0,
})

describe('the fraction of a build', () => {
  test('is unknown until there are steps', () => {
    const tracker = new ProgressTracker()
    expect(tracker.fraction).toBeUndefined()
    tracker.update(event('reading', [], 0, 0))
    tracker.update(event('heartbeat', [], 0, 0))
    expect(tracker).toMatchObject({ fraction: undefined, text: 'reading' })
  })

  test('counts the steps of inner phases as parts of an outer step', () => {
    const tracker = new ProgressTracker()
    tracker.update(event('build', [], 1, 4))
    expect(tracker.fraction).toBe(0.25)
    tracker.update(event('tactics', ['build'], 5, 10))
    expect(tracker).toMatchObject({ fraction: 0.375, text: 'tactics 5/10' })
    tracker.update(event('compile', ['build', 'tactics'], 1, 2))
    expect(tracker.fraction).toBeCloseTo(0.25 + 0.25 * 0.55)
    tracker.update(event('build', [], 4, 4))
    expect(tracker.fraction).toBe(1)
  })

  test('never goes back, nor above 1', () => {
    const tracker = new ProgressTracker()
    tracker.update(event('build', [], 3, 4))
    tracker.update(event('other', [], 0, 100))
    expect(tracker.fraction).toBe(0.75)
    tracker.update(event('other', [], 200, 100))
    expect(tracker.fraction).toBe(1)
  })

  test('a heartbeat changes nothing', () => {
    const tracker = new ProgressTracker()
    tracker.update(event('build', [], 1, 2))
    tracker.update(event('heartbeat', ['build'], 0, 0))
    expect(tracker).toMatchObject({ fraction: 0.5, text: 'build 1/2' })
  })
})
