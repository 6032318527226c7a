/** The queue before an engine's slots, against a simple model of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CallQueue } from '#dist/api/call-queue.js'
import { TrtError } from '#dist/errors.js'

type Step =
  | { readonly do: 'call' }
  | { readonly do: 'release'; readonly pick: number }
  | { readonly do: 'abort'; readonly pick: number }

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: 'call' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), pick: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), pick: fc.nat(1000) }) },
)

/** Lets the promises that settled tell of it. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('CallQueue', () => {
  it('serves in order, as many at a time as there are slots, and bounds those that wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.option(fc.nat(3), { nil: undefined }),
        fc.array(STEP, { maxLength: 60 }),
        async (slots, maxWaiting, steps) => {
          const queue = new CallQueue(slots, maxWaiting === undefined ? {} : { maxWaiting })
          const held = new Map<number, number>() // slot by call
          const told: string[] = []
          const signals = new Map<number, AbortController>()
          // The model: who runs, who waits, and what each call was told, in order.
          const running: number[] = []
          const waiting: number[] = []
          const expected: string[] = []
          let calls = 0
          for (const step of steps) {
            if (step.do === 'call') {
              const call = calls++
              if (running.length < slots) {
                running.push(call)
                expected.push(`${call} runs`)
              } else if (waiting.length < (maxWaiting ?? Number.POSITIVE_INFINITY)) {
                waiting.push(call)
              } else {
                expected.push(`${call} QUEUE_FULL`)
              }
              const controller = new AbortController()
              signals.set(call, controller)
              const take = (slot: number) => {
                expect([...held.values()]).not.toContain(slot)
                held.set(call, slot)
                told.push(`${call} runs`)
              }
              const slot = queue.tryAcquire()
              if (slot !== undefined) take(slot)
              else {
                queue
                  .acquire('test', controller.signal)
                  .then(take, (error: TrtError) => told.push(`${call} ${error.code}`))
              }
            } else if (step.do === 'release' && running.length > 0) {
              const [call] = running.splice(step.pick % running.length, 1) as [number]
              const slot = held.get(call) as number
              held.delete(call)
              queue.release(slot)
              const next = waiting.shift()
              if (next !== undefined) {
                running.push(next)
                expected.push(`${next} runs`)
              }
            } else if (step.do === 'abort' && waiting.length > 0) {
              const [call] = waiting.splice(step.pick % waiting.length, 1) as [number]
              expected.push(`${call} ABORTED`)
              signals.get(call)?.abort()
            }
            await settle()
            expect(told).toEqual(expected)
            expect(queue).toMatchObject({ running: running.length, waiting: waiting.length })
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    )
  })

  it('turns away who waited too long, and nobody else', async () => {
    const queue = new CallQueue(1, { maxWaitMs: 0 })
    const slot = queue.tryAcquire() as number
    await expect(queue.acquire('infer')).rejects.toMatchObject({
      code: 'QUEUE_TIMEOUT',
      message: 'infer: no slot came free within 0 ms',
    })
    expect(queue.waiting).toBe(0)
    queue.release(slot)
    expect(queue.tryAcquire()).toBe(slot)
  })

  it('gives all slots to work that wants to be alone: after those that came before, and before those that came after', async () => {
    const queue = new CallQueue(2, { maxWaiting: 9 })
    const told: string[] = []
    const note = (what: string) => () => void told.push(what)
    const slot = queue.tryAcquire() as number
    const alone = (name: string) =>
      queue.alone('refit', async () => {
        told.push(`${name} with ${queue.running} slots`)
        await settle()
        told.push(`${name} ends`)
      })
    const works = [alone('first'), alone('second')]
    const later = queue.acquire('infer').then((own) => {
      told.push('a call')
      queue.release(own)
    })
    await settle()
    expect(told).toEqual([])
    queue.release(slot)
    await Promise.all([...works, later, queue.whenIdle().then(note('idle'))])
    expect(told).toEqual([
      ...['first with 2 slots', 'first ends', 'second with 2 slots', 'second ends'],
      ...['a call', 'idle'],
    ])
  })

  it('gives every slot back where work that wants to be alone fails, or the queue does', async () => {
    const queue = new CallQueue(2)
    await expect(queue.alone('refit', () => Promise.reject(new Error('no such weights')))).rejects.toThrow('weights')
    expect(queue.running).toBe(0)
    const slot = queue.tryAcquire() as number
    const alone = queue.alone('refit', async () => {})
    queue.fail(new TrtError('GPU_LOST', 'lost'))
    await expect(alone).rejects.toMatchObject({ code: 'GPU_LOST' })
    queue.release(slot)
    expect(queue.running).toBe(0)
  })

  it('tells when nothing runs and nothing waits', async () => {
    const queue = new CallQueue(1)
    await queue.whenIdle()
    const slot = queue.tryAcquire() as number
    const controller = new AbortController()
    const waits = queue.acquire('infer', controller.signal)
    let idle = false
    const whenIdle = queue.whenIdle().then(() => {
      idle = true
    })
    controller.abort()
    await expect(waits).rejects.toMatchObject({ code: 'ABORTED' })
    await settle()
    expect(idle).toBe(false)
    queue.release(slot)
    await whenIdle
  })
})
