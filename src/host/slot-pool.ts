import { abortedError } from '../errors.js'

/** Hands a few things out to many callers, first come, first served. */
export class SlotPool<Slot> {
  readonly #free: Slot[]
  readonly #waiting = new Set<(slot: Slot) => void>()

  constructor(slots: readonly Slot[]) {
    this.#free = [...slots]
  }

  /** @throws {TrtError} `ABORTED` as soon as `signal` fires while waiting; the place in the queue is given up */
  acquire(signal?: AbortSignal): Promise<Slot> {
    // The one used last comes first: its memory is there, and those never needed stay empty.
    const slot = this.#free.pop()
    if (slot !== undefined) return Promise.resolve(slot)
    return new Promise((resolve, reject) => {
      const take = (slot: Slot): void => {
        signal?.removeEventListener('abort', leave)
        resolve(slot)
      }
      const leave = (): void => {
        this.#waiting.delete(take)
        reject(abortedError('infer', signal as AbortSignal))
      }
      this.#waiting.add(take)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  release(slot: Slot): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free.push(slot)
    } else {
      this.#waiting.delete(next)
      next(slot)
    }
  }
}

/** Runs tasks one after the other, in the order they came. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => {})
    return result
  }
}
