/**
 * Joins concurrent calls into one: what pays where a batch of 16 takes less time than 16 calls.
 *
 * 1. Calls that can be joined (see batch-layout.ts) gather in one open batch. It is due when it is full, or when its
 *    first call has waited `maxDelayMs`.
 * 2. At most `concurrency` batches are with the engine. A due batch that has to wait for its turn still takes calls in,
 *    so that a busy engine gets larger batches instead of a longer queue.
 * 3. Calls of one shape go to the engine in the order they came in: a call that does not fit into the open batch closes it.
 * 4. What cannot be joined goes to the engine alone and at once. That is also how invalid calls get their error: from the
 *    engine itself, and for their caller alone.
 * 5. A joined call that fails with `INFERENCE_FAILED` is repeated call by call, for one sample may be to blame (an index
 *    that is out of range, say). Other errors are nobody's fault in particular, and go to every caller.
 */
import type { Feeds, Results } from '../api/engine.js'
import { validateInferOptions } from '../api/validate-options.js'
import { checkOptions, isInteger, isNumberFrom } from '../check.js'
import { abortedError, TrtError, throwIfAborted } from '../errors.js'
import type { InferOptions } from '../options.js'
import {
  type Batchable,
  checkBatchable,
  checkOutputIsBatched,
  type JoinableFeeds,
  JoinRoom,
  joinFeeds,
  largestBatch,
  takeRows,
  toJoinable,
} from './batch-layout.js'

/** Options of {@link batch}. */
export interface BatchOptions {
  /** The most samples that are joined into one call. Default, and upper limit: what the engine's profiles allow. */
  readonly maxBatch?: number
  /**
   * How long a call waits for others, in milliseconds, as long as the engine is free. 0 joins what comes in the same turn
   * of the event loop. Default 1.
   */
  readonly maxDelayMs?: number
  /** How many batches may be with the engine at once. Default 2: one that is computed, one that is on its way. */
  readonly concurrency?: number
}

/** The defaults of {@link BatchOptions}. */
export const BATCH_DEFAULTS = { maxDelayMs: 1, concurrency: 2 } as const

const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Puts a {@link Batcher} before an engine.
 *
 * @example
 * const batcher = trt.batch(engine, { maxBatch: 16, maxDelayMs: 2 })
 * app.post('/classify', async (request, reply) => reply.send(await batcher.infer(toFeeds(request))))
 *
 * @throws {TrtError} `INVALID_ARGUMENT`; `UNSUPPORTED` where the engine takes no more than one sample in a call
 */
export function batch(engine: Batchable, options: BatchOptions = {}): Batcher {
  checkOptions('batch', options, {
    maxBatch: isInteger(1, 2 ** 31 - 1),
    maxDelayMs: isNumberFrom(0, LONGEST_DELAY_MS),
    concurrency: isInteger(1, 2 ** 16),
  })
  checkBatchable(engine)
  return new Batcher(engine, options)
}

interface Call {
  readonly feeds: JoinableFeeds
  /** The outputs that it asked for. */
  readonly outputs: readonly string[]
  resolve(results: Results): void
  reject(error: unknown): void
  /** Its caller has been answered. */
  settled: boolean
}

interface Batch {
  readonly key: string
  /** The most rows that it takes. */
  readonly capacity: number
  rows: number
  readonly calls: Set<Call>
  /** Fires when nobody waits for it any more. */
  readonly abandoned: AbortController
  due: boolean
  /** Takes the timer away. */
  stopTimer(): void
}

/** Joins concurrent calls of {@link Batcher.infer} into calls of an engine. Made by {@link batch}. */
export class Batcher {
  readonly inputs: Batchable['inputs']
  readonly outputs: Batchable['outputs']
  readonly profiles: Batchable['profiles']

  readonly #engine: Batchable
  readonly #maxBatch: number
  readonly #maxDelayMs: number
  readonly #concurrency: number
  /** The batch that takes calls in, by key. */
  readonly #open = new Map<string, Batch>()
  /** Batches that wait for their turn, in order. */
  readonly #due = new Set<Batch>()
  /** Memory for the inputs of batches, of which no batch makes use. At most `concurrency`. */
  readonly #rooms: JoinRoom[] = []
  #running = 0
  /** The calls that have not been answered. */
  readonly #unsettled = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  /** @internal use {@link batch} */
  constructor(engine: Batchable, { maxBatch, maxDelayMs, concurrency }: BatchOptions) {
    this.#engine = engine
    this.inputs = engine.inputs
    this.outputs = engine.outputs
    this.profiles = engine.profiles
    this.#maxBatch = maxBatch ?? Number.POSITIVE_INFINITY
    this.#maxDelayMs = maxDelayMs ?? BATCH_DEFAULTS.maxDelayMs
    this.#concurrency = concurrency ?? BATCH_DEFAULTS.concurrency
  }

  /**
   * As `engine.infer`, joined with other calls on the way. A call may hold several samples (dimension 0).
   *
   * @param feeds one tensor for each input; leave the data alone until the promise settles
   * @returns the outputs for these samples, in fresh memory
   * @throws {TrtError} what `engine.infer` throws; `UNSUPPORTED` where dimension 0 of an output is not the batch;
   *   `ABORTED` for this call alone: the others of its batch go on
   */
  async infer(feeds: Feeds, options: InferOptions = {}): Promise<Results> {
    if (this.#closed !== undefined) throw new TrtError('CLOSED', 'infer: the batcher was closed')
    validateInferOptions(options)
    throwIfAborted('infer', options.signal)
    const joinable = toJoinable(this.#engine, feeds)
    const { outputs = this.outputs.map(({ name }) => name), signal } = options
    const wanted = outputs.map((name) => this.outputs.find((output) => output.name === name))
    if (joinable === undefined || wanted.includes(undefined)) return this.#track(this.#engine.infer(feeds, options))
    for (const output of wanted) if (output !== undefined) checkOutputIsBatched(output, this.inputs)
    return this.#track(this.#enqueue(joinable, outputs, signal))
  }

  /** Sends off what waits, and ends when every call has been answered. The engine stays open. May be called twice. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.allSettled(this.#unsettled).then(() => {})
      for (const waiting of this.#open.values()) this.#makeDue(waiting)
    }
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    this.#unsettled.add(promise)
    const settled = () => this.#unsettled.delete(promise)
    promise.then(settled, settled)
    return promise
  }

  #enqueue(feeds: JoinableFeeds, outputs: readonly string[], signal: AbortSignal | undefined): Promise<Results> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        call.settled = true
        signal?.removeEventListener('abort', leave)
      }
      const call: Call = {
        feeds,
        outputs,
        settled: false,
        resolve: (results) => {
          settle()
          resolve(results)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      const joined = this.#batchFor(feeds)
      const leave = (): void => {
        call.reject(abortedError('infer', signal as AbortSignal))
        this.#remove(joined, call)
      }
      signal?.addEventListener('abort', leave, { once: true })
      joined.calls.add(call)
      joined.rows += feeds.rows
      if (joined.rows >= joined.capacity) this.#makeDue(joined)
    })
  }

  /** The open batch where the call fits in, else a new one. */
  #batchFor({ key, rows, ranges }: JoinableFeeds): Batch {
    const open = this.#open.get(key)
    if (open !== undefined && open.rows + rows <= open.capacity) return open
    if (open !== undefined) {
      this.#makeDue(open)
      this.#open.delete(key)
    }
    // A call that is larger than maxBatch is a batch of its own, and full.
    const capacity = Math.max(rows, Math.min(this.#maxBatch, largestBatch(ranges)))
    const fresh: Batch = {
      key,
      capacity,
      rows: 0,
      calls: new Set(),
      abandoned: new AbortController(),
      due: false,
      stopTimer: startTimer(this.#maxDelayMs, () => this.#makeDue(fresh)),
    }
    this.#open.set(key, fresh)
    return fresh
  }

  #makeDue(batch: Batch): void {
    if (batch.due) return
    batch.due = true
    batch.stopTimer()
    this.#due.add(batch)
    this.#startDue()
  }

  /** A call whose caller gave up leaves its batch, and the last one takes the batch along. */
  #remove(batch: Batch, call: Call): void {
    batch.calls.delete(call)
    batch.rows -= call.feeds.rows
    if (batch.calls.size > 0) return
    batch.stopTimer()
    this.#due.delete(batch)
    if (this.#open.get(batch.key) === batch) this.#open.delete(batch.key)
    batch.abandoned.abort()
  }

  #startDue(): void {
    for (const batch of this.#due) {
      if (this.#running >= this.#concurrency) return
      this.#due.delete(batch)
      if (this.#open.get(batch.key) === batch) this.#open.delete(batch.key)
      this.#running++
      this.#run([...batch.calls], batch.abandoned.signal).finally(() => {
        this.#running--
        // Not yet: callers that were just answered may call again at once, and a due batch still takes them in.
        setImmediate(() => this.#startDue())
      })
    }
  }

  /** Computes the calls as one, and answers each. Never rejects. */
  async #run(calls: readonly Call[], signal: AbortSignal): Promise<void> {
    try {
      const room = this.#rooms.pop() ?? new JoinRoom()
      const { feeds, rows } = joinFeeds(
        calls.map((call) => call.feeds),
        room,
      )
      const outputs = [...new Set(calls.flatMap((call) => call.outputs))]
      const results = await this.#engine.infer(feeds, { outputs, signal })
      // Not after a failure: an engine still reads the inputs of a call that was aborted.
      this.#rooms.push(room)
      let from = 0
      for (const call of calls) {
        answer(call, () => takeRows(results, call.outputs, from, call.feeds.rows, rows))
        from += call.feeds.rows
      }
    } catch (error) {
      if (calls.length > 1 && error instanceof TrtError && error.code === 'INFERENCE_FAILED') {
        for (const call of calls) if (!call.settled) await this.#run([call], signal)
      } else {
        for (const call of calls) call.reject(error)
      }
    }
  }
}

function answer(call: Call, makeResults: () => Results): void {
  if (call.settled) return
  try {
    call.resolve(makeResults())
  } catch (error) {
    call.reject(error)
  }
}

/** Calls back after `ms`, and for 0 in the same turn of the event loop, which a timer takes at least 1 ms for. */
function startTimer(ms: number, callback: () => void): () => void {
  if (ms === 0) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
