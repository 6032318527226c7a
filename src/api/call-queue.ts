import { abortedError, TrtError } from '../errors.js'
import type { QueueOptions } from '../options.js'

interface Waiter {
  readonly take: (slot: number) => void
  readonly giveUp: (error: TrtError) => void
}

/**
 * Hands an engine's slots, each of which serves one call at a time, to its callers: first come, first served. The one
 * queue of both backends, so that they bound it alike, and that a backend has nothing to wait for.
 */
export class CallQueue {
  readonly #slots: number
  readonly #free: number[]
  readonly #limits: QueueOptions
  readonly #waiters = new Set<Waiter>()
  #onIdle: (() => void)[] = []

  constructor(slots: number, limits: QueueOptions = {}) {
    this.#slots = slots
    // Taken from the end: the slot used last comes first, whose memory is warm, and slot 0 before all.
    this.#free = Array.from({ length: slots }, (_, index) => slots - 1 - index)
    this.#limits = limits
  }

  /** Calls that have a slot. */
  get running(): number {
    return this.#slots - this.#free.length
  }

  /** Calls that wait for one. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** A free slot, or `undefined` where there is none. To be given back with {@link release}. */
  tryAcquire(): number | undefined {
    return this.#free.pop()
  }

  /**
   * The slot whose turn it is.
   *
   * @throws {TrtError} `QUEUE_FULL` at once, `QUEUE_TIMEOUT` when it has waited too long, `ABORTED` as soon as `signal`
   *   fires, and what {@link fail} is told
   */
  acquire(what: string, signal?: AbortSignal): Promise<number> {
    const { maxWaiting = Number.POSITIVE_INFINITY, maxWaitMs } = this.#limits
    if (this.#waiters.size >= maxWaiting) {
      return Promise.reject(
        new TrtError('QUEUE_FULL', `${what}: ${this.running} calls run and ${this.waiting} wait, as many as may`, {
          hint: 'try again later, or load the engine with a larger queue.maxWaiting or more contexts',
        }),
      )
    }
    return this.#wait(what, maxWaitMs, signal)
  }

  #wait(what: string, maxWaitMs?: number, signal?: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', onAbort)
        clearTimeout(timer)
      }
      const waiter: Waiter = {
        take: (slot) => {
          leave()
          resolve(slot)
        },
        giveUp: (error) => {
          leave()
          reject(error)
          this.#tellIfIdle()
        },
      }
      const onAbort = () => waiter.giveUp(abortedError(what, signal as AbortSignal))
      const onTimeout = () =>
        waiter.giveUp(
          new TrtError('QUEUE_TIMEOUT', `${what}: no slot came free within ${maxWaitMs} ms`, {
            hint: 'try again later, or load the engine with a larger queue.maxWaitMs or more contexts',
          }),
        )
      const timer = maxWaitMs === undefined ? undefined : setTimeout(onTimeout, maxWaitMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** Gives a slot back, to whoever has waited longest. */
  release(slot: number): void {
    const [next] = this.#waiters
    if (next === undefined) {
      this.#free.push(slot)
      this.#tellIfIdle()
    } else {
      next.take(slot)
    }
  }

  /**
   * Does `work` with every slot free but the one that it gets: after the calls that came before, and before those to come.
   * The queue's limits are for calls, and not for this.
   *
   * @throws {TrtError} what {@link fail} is told
   */
  async alone(what: string, work: (slot: number) => Promise<void>): Promise<void> {
    // All at once, so that nobody comes in between, and two that want all do not each wait for what the other has.
    const turns = Array.from({ length: this.#slots }, async () => this.tryAcquire() ?? (await this.#wait(what)))
    const held = await Promise.allSettled(turns)
    try {
      const [slot] = await Promise.all(turns)
      await work(slot as number)
    } finally {
      for (const turn of held) if (turn.status === 'fulfilled') this.release(turn.value)
    }
  }

  /** Rejects every call that waits. */
  fail(error: TrtError): void {
    for (const waiter of [...this.#waiters]) waiter.giveUp(error)
  }

  /** Resolves when no call runs and none waits. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve)
      this.#tellIfIdle()
    })
  }

  #tellIfIdle(): void {
    if (this.running > 0 || this.waiting > 0) return
    const told = this.#onIdle
    this.#onIdle = []
    for (const resolve of told) resolve()
  }
}
