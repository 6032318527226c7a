// The batcher against what it promises, over random histories: calls of several sizes and shapes, time that passes, an
// engine that answers in any order or fails, callers that give up. Time is fake, and the engine answers when it is told.
import fc from 'fast-check'
import * as trt from 'tensorrt-node'
import { type Feeds, type InferOptions, type Results, Tensor, TrtError } from 'tensorrt-node'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What is added to the first value of a sample that the engine fails on. */
const POISON = 0.25
const isPoison = (value: number): boolean => value % 1 === POISON

interface EngineCall {
  readonly width: number
  /** The first value of each row. */
  readonly marks: readonly number[]
  readonly at: number
  settled: boolean
  settle(): void
}

type Profiles = trt.Engine['profiles']

/** y = 2x, when told so. */
class FakeEngine {
  readonly inputs = [{ name: 'x', type: 'float32', shape: [-1, -1] }] as const
  readonly outputs = [{ name: 'y', type: 'float32', shape: [-1, -1] }] as const
  readonly calls: EngineCall[] = []
  readonly profiles: Profiles
  constructor(profiles: Profiles) {
    this.profiles = profiles
  }

  get running(): EngineCall[] {
    return this.calls.filter(({ settled }) => !settled)
  }

  infer(feeds: Feeds, { signal }: InferOptions = {}): Promise<Results> {
    const { data, dims } = feeds.x as Tensor<'float32'>
    const [rows = 0, width = 0] = dims
    expect(
      this.profiles.some(
        ({ x }) => x && rows >= (x.min[0] ?? 0) && rows <= (x.max[0] ?? 0) && width <= (x.max[1] ?? 0),
      ),
    ).toBe(true)
    const marks = Array.from({ length: rows }, (_, row) => data[row * width] as number)
    return new Promise((resolve, reject) => {
      const call: EngineCall = {
        width,
        marks,
        at: Date.now(),
        settled: false,
        settle: () => {
          call.settled = true
          if (data.some(isPoison)) reject(new TrtError('INFERENCE_FAILED', 'poison'))
          else
            resolve({
              y: new Tensor(
                'float32',
                data.map((value) => 2 * value),
                dims,
              ),
            })
        },
      }
      signal?.addEventListener('abort', () => {
        call.settled = true
        reject(new TrtError('ABORTED', 'given up'))
      })
      this.calls.push(call)
    })
  }
}

interface Caller {
  readonly id: number
  readonly rows: number
  readonly width: number
  readonly poison: boolean
  readonly at: number
  readonly controller: AbortController
  /** Its caller gave up before it had an answer. */
  aborted: boolean
  outcome?: { results: Results } | { error: TrtError }
}

const range = (min: number, max: number): Profiles[number] => ({ x: { min: [min, 1], opt: [max, 1], max: [max, 2] } })
const PROFILES: readonly Profiles[] = [[range(1, 8)], [range(4, 4)], [range(3, 6)], [range(1, 2), range(6, 8)]]

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      rows: fc.integer({ min: 1, max: 2 }),
      width: fc.integer({ min: 1, max: 2 }),
      poison: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const), nth: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), nth: fc.nat(30) }) },
)

test('over random histories: right results, in order, never too large, never too late, each call answered once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        maxBatch: fc.integer({ min: 1, max: 9 }),
        maxDelayMs: fc.integer({ min: 0, max: 3 }),
        concurrency: fc.integer({ min: 1, max: 3 }),
      }),
      fc.constantFrom(...PROFILES),
      fc.array(action, { minLength: 5, maxLength: 60 }),
      async (options, profiles, actions) => {
        const engine = new FakeEngine(profiles)
        const batcher = trt.batch(engine, options)
        const callers: Caller[] = []
        const largest = Math.max(...profiles.map(({ x }) => x?.max[0] ?? 0))
        const smallest = Math.max(...profiles.map(({ x }) => x?.min[0] ?? 0))
        const capacity = Math.min(options.maxBatch, largest)

        const check = () => {
          expect(engine.running.length).toBeLessThanOrEqual(options.concurrency)
          const sent = new Set(engine.calls.flatMap(({ marks }) => marks.map((mark) => Math.floor(mark / 2))))
          const waiting = callers.filter(({ id, outcome }) => outcome === undefined && !sent.has(id))
          if (engine.running.length >= options.concurrency) return
          for (const width of [1, 2]) {
            const group = waiting.filter((caller) => caller.width === width)
            const late = group.filter(({ at }) => Date.now() - at >= options.maxDelayMs)
            expect(late).toEqual([])
            expect(group.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThan(Math.max(capacity, 1))
          }
        }

        for (const step of actions) {
          if (step.do === 'call') {
            const { rows, width, poison } = step
            const id = callers.length + 1
            const caller: Caller = {
              id,
              rows,
              width,
              poison,
              at: Date.now(),
              controller: new AbortController(),
              aborted: false,
            }
            callers.push(caller)
            // A row's first value tells whose it is, and which of its rows.
            const data = Float32Array.from({ length: rows * width }, (_, at) =>
              at % width === 0 ? id * 2 + at / width + (poison ? POISON : 0) : 0.5,
            )
            batcher.infer({ x: new Tensor('float32', data, [rows, width]) }, { signal: caller.controller.signal }).then(
              (results) => {
                expect(caller.outcome).toBeUndefined()
                caller.outcome = { results }
              },
              (error) => {
                expect(caller.outcome).toBeUndefined()
                caller.outcome = { error }
              },
            )
          } else if (step.do === 'tick') {
            await vi.advanceTimersByTimeAsync(step.ms)
          } else if (step.do === 'settle') {
            engine.running[step.nth % (engine.running.length || 1)]?.settle()
          } else {
            const caller = callers[step.nth]
            if (caller?.outcome === undefined && caller !== undefined) caller.aborted = true
            caller?.controller.abort()
          }
          // Immediates and promises, and no time.
          if (step.do !== 'call') await vi.advanceTimersByTimeAsync(0)
          if (step.do === 'tick') check()
        }

        const closed = batcher.close()
        while (engine.running.length > 0 || callers.some(({ outcome }) => outcome === undefined)) {
          const [first] = engine.running
          first?.settle()
          await vi.advanceTimersByTimeAsync(0)
          if (first === undefined && engine.running.length === 0) break
        }
        await closed

        for (const { id, rows, width, poison, aborted, outcome } of callers) {
          if (outcome === undefined) throw new Error(`call ${id} was never answered`)
          if ('results' in outcome) {
            expect(poison).toBe(false)
            const y = outcome.results.y as Tensor<'float32'>
            expect(y.dims).toEqual([rows, width])
            expect([...y.data]).toEqual(
              Array.from({ length: rows * width }, (_, at) => 2 * (at % width === 0 ? id * 2 + at / width : 0.5)),
            )
          } else {
            expect(outcome.error.code).toBe(aborted ? 'ABORTED' : 'INFERENCE_FAILED')
            if (!aborted) expect(poison).toBe(true)
          }
        }

        const last = new Map<number, number>()
        for (const { marks, width } of engine.calls) {
          const real = new Set(marks)
          // Filled up with the last sample, and only as far as the smallest batch; else no larger than it may be.
          if (real.size < marks.length) expect(marks.length).toBeLessThanOrEqual(smallest)
          expect(real.size).toBeLessThanOrEqual(Math.max(capacity, 2))
          const ids = [...new Set([...real].map((mark) => Math.floor(mark / 2)))]
          expect(ids).toEqual(ids.toSorted((a, b) => a - b))
          // In the order of the calls, but for those that are repeated alone.
          if (ids.length < 2) continue
          expect(ids[0]).toBeGreaterThan(last.get(width) ?? 0)
          last.set(width, ids.at(-1) as number)
        }
      },
    ),
    { numRuns: 300, seed: 2 },
  )
})
