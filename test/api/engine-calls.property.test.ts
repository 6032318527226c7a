/**
 * Calls of a real engine of the CPU backend over random histories: bursts, callers that give up, a queue of bounded
 * length, and an end with calls in flight. When a call is done is the engine's matter; all else a simple model says: who is
 * turned away, who runs and who waits, what everybody is told, and in which order.
 */
import fc from 'fast-check'
import { type Engine, Tensor, type TrtError } from 'tensorrt-node'
import { expect, it } from 'vitest'
import { cpuEngine } from '../helpers/engine.ts'
import { failure } from '../helpers/errors.ts'
import { makeModel, node } from '../helpers/onnx-model.ts'

/** As many as the CPU backend has: see src/backends/onnxruntime/ort-engine.ts. It serves calls in order. */
const SLOTS = 3
const MOST_ROWS = 2000

type Step = { readonly do: 'call'; readonly rows: number } | { readonly do: 'abort' | 'wait'; readonly pick: number }

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('call' as const), rows: fc.integer({ min: 1, max: MOST_ROWS }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('abort' as const, 'wait' as const), pick: fc.nat(1000) }) },
)

/** Lets every promise that settled tell of it. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** y = −x */
const MODEL = makeModel({
  inputs: { x: ['float32', ['N']] },
  outputs: { y: ['float32', ['N']] },
  nodes: [node('Neg', ['x'], ['y'])],
})
const SHAPES = { x: { min: [1], opt: [1], max: [MOST_ROWS] } }

/** Calls an engine, and keeps the model of what should come of it. */
class Caller {
  readonly #engine: Engine
  readonly #maxWaiting: number
  readonly #signals: AbortController[] = []
  /** What each call shall be told. */
  readonly expected: ('right' | 'ABORTED' | 'QUEUE_FULL')[] = []
  /** What each was told. */
  readonly told: string[] = []
  /** The calls that got results, in order. */
  readonly served: number[] = []
  readonly all: Promise<void>[] = []

  constructor(engine: Engine, maxWaiting: number) {
    this.#engine = engine
    this.#maxWaiting = maxWaiting
  }

  get open(): number[] {
    return this.expected.flatMap((_, call) => (this.told[call] === undefined ? [call] : []))
  }

  call(rows: number): void {
    const call = this.expected.length
    const { running, waiting } = this.#engine.stats
    const turnedAway = running === SLOTS && waiting === this.#maxWaiting
    const controller = new AbortController()
    const data = Float32Array.from({ length: rows }, (_, row) => call + row)
    const done = this.#engine.infer({ x: new Tensor('float32', data) }, { signal: controller.signal }).then(
      ({ y }) => {
        this.served.push(call)
        this.told[call] = y?.data.every((value, row) => value === -(call + row)) ? 'right' : 'wrong'
      },
      (error: TrtError) => {
        this.told[call] = error.code
      },
    )
    this.#signals.push(controller)
    this.expected.push(turnedAway ? 'QUEUE_FULL' : 'right')
    this.all.push(done)
    const takesSlot = !turnedAway && running < SLOTS
    const waits = !turnedAway && running === SLOTS
    expect(this.#engine.stats).toMatchObject({ running: running + Number(takesSlot), waiting: waiting + Number(waits) })
  }

  /** Of one of {@link open}. */
  abort(call: number): void {
    this.expected[call] = 'ABORTED'
    this.#signals[call]?.abort()
  }
}

it('is told what the model says, in order, and counted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(4), fc.array(STEP, { minLength: 20, maxLength: 80 }), async (maxWaiting, steps) => {
      const engine = await cpuEngine(MODEL, SHAPES, {}, { queue: { maxWaiting } })
      const caller = new Caller(engine, maxWaiting)
      for (const step of steps) {
        if (step.do === 'call') {
          caller.call(step.rows)
          continue
        }
        await settle()
        const { open } = caller
        const picked = open[step.pick % open.length]
        if (picked === undefined) continue
        if (step.do === 'wait') {
          await caller.all[picked]
        } else {
          caller.abort(picked)
          await settle()
          expect(caller.told[picked]).toBe('ABORTED')
        }
      }
      const closing = engine.close().then(() => expect(caller.open).toEqual([]))
      await failure('CLOSED', () => engine.infer({ x: new Tensor('float32', Float32Array.of(1)) }))
      await Promise.all([...caller.all, closing])

      expect(caller.told).toEqual(caller.expected)
      const count = (what: string) => caller.expected.filter((expected) => expected === what).length
      expect(caller.served).toEqual(caller.expected.flatMap((expected, call) => (expected === 'right' ? [call] : [])))
      expect(engine.stats).toMatchObject({
        ...{ running: 0, waiting: 0, failed: 0 },
        ...{ completed: count('right'), aborted: count('ABORTED'), rejected: count('QUEUE_FULL') },
      })
    }),
    // Not shrunk: a history that fails fails at a moment which another run may not meet.
    { numRuns: 8, seed: 3, endOnFailure: true },
  )
})
