import type {
  BackendBinding,
  BackendEngine,
  EngineMemory,
  Profile,
  StageTimes,
  TensorInfo,
} from '../backends/backend.js'
import { isPlainObject } from '../check.js'
import { orAborted, TrtError, throwIfAborted } from '../errors.js'
import type { BackendName, InferOptions, QueueOptions } from '../options.js'
import { checkTensor, describe, Tensor, type TensorLike } from '../tensor.js'
import { traced } from '../tracing.js'
import { Binding } from './binding.js'
import { CallQueue } from './call-queue.js'
import { type EngineStats, StatsKeeper } from './engine-stats.js'
import { validateInferOptions } from './validate-options.js'

/** Inputs of `infer`, by name. */
export type Feeds = { readonly [input: string]: TensorLike }

/** Shapes of the inputs, by name. */
export type InputShapes = { readonly [input: string]: readonly number[] }

/** Outputs of `infer`, by name, in the engine's order. */
export type Results = { [output: string]: Tensor }

/**
 * A loaded engine. Made by {@link loadEngine}; to be closed with {@link Engine.close}, or by `await using`.
 *
 * Calls may overlap: as many compute at once as the engine has contexts, and the others wait in order.
 */
export class Engine {
  /** Which backend computes. */
  readonly backend: BackendName
  /** Why it is this one. */
  readonly backendReason: string
  /** What the inputs are: name, type, and shape with -1 where a dimension is dynamic. */
  readonly inputs: readonly TensorInfo[]
  /** What the outputs are: name, type, and shape with -1 where a dimension is dynamic. */
  readonly outputs: readonly TensorInfo[]
  /** The optimization profiles: the range of shapes of every input. At least one. */
  readonly profiles: readonly Profile[]
  /** What really computes, e.g. `'fp32'`; `'as built'` for a TensorRT plan, which does not tell what types it was built with. */
  readonly precision: string
  /** The version of the library behind the backend. */
  readonly version: string

  readonly #engine: BackendEngine
  readonly #queue: CallQueue
  readonly #stats = new StatsKeeper()
  #lost: TrtError | undefined
  #closed: Promise<void> | undefined

  /** @internal use {@link loadEngine} */
  constructor(engine: BackendEngine, backend: BackendName, backendReason: string, queue?: QueueOptions) {
    this.#engine = engine
    this.backend = backend
    this.backendReason = backendReason
    this.inputs = engine.inputs
    this.outputs = engine.outputs
    this.profiles = engine.profiles
    this.precision = engine.precision
    this.version = engine.version
    this.#queue = new CallQueue(engine.slots, queue)
  }

  /** What it has done since it was loaded, and does now. */
  get stats(): EngineStats {
    return this.#stats.snapshot(this.#queue.running, this.#queue.waiting, this.#engine.graphs?.())
  }

  /** Bytes that it takes now; `undefined` on the CPU backend, and once it is closed. */
  get memory(): EngineMemory | undefined {
    return this.#closed === undefined ? this.#engine.memory?.() : undefined
  }

  /**
   * Computes. The event loop is not held meanwhile.
   *
   * @param feeds one tensor for each of {@link Engine.inputs}; leave the data alone until the promise settles
   * @returns the outputs by name, in fresh memory
   * @throws {TrtError} `INVALID_INPUT` (missing or unknown name, wrong type, rank or length), `SHAPE_OUT_OF_PROFILE`,
   *   `INVALID_ARGUMENT` (options), `CLOSED`, `ABORTED`, `QUEUE_FULL`, `QUEUE_TIMEOUT`, `INFERENCE_FAILED`,
   *   `OUT_OF_MEMORY`, `GPU_LOST`, `PROCESS_CRASHED`
   */
  infer(feeds: Feeds, options: InferOptions = {}): Promise<Results> {
    return traced('infer', { engine: this, feeds, options }, () => this.#infer(feeds, options))
  }

  async #infer(feeds: Feeds, options: InferOptions): Promise<Results> {
    const { signal } = options
    this.#requireUsable('infer')
    validateInferOptions(options)
    throwIfAborted('infer', signal)
    const tensors = this.#checkFeeds(feeds)
    const outputs = this.#checkOutputs(options.outputs)
    const profile = this.#pickProfile('infer', tensors)
    const { results } = await this.#inTurn('infer', signal, (slot) =>
      this.#engine.run(slot, tensors, outputs, profile, signal),
    )
    return results
  }

  /**
   * Makes memory for inputs and outputs of fixed shapes, which the GPU reads and writes by itself; see {@link Binding}.
   * Waits for its turn as {@link Engine.infer} does: TensorRT has to be asked for the outputs' shapes.
   *
   * @param shapes of the inputs; those that the engine fixes may be left out
   * @throws {TrtError} `INVALID_INPUT` (unknown or missing name, wrong rank or dimension), `SHAPE_OUT_OF_PROFILE`,
   *   `UNSUPPORTED` (the CPU backend; an output whose shape depends on the data), `CLOSED`, `QUEUE_FULL`,
   *   `QUEUE_TIMEOUT`, `OUT_OF_MEMORY`, `GPU_LOST`
   */
  async createBinding(shapes: InputShapes = {}): Promise<Binding> {
    this.#requireUsable('createBinding')
    const dims = this.#checkShapes(shapes)
    const profile = this.#pickProfile('createBinding', dims)
    const engine = this.#engine
    if (engine.createBinding === undefined) {
      throw new TrtError('UNSUPPORTED', `createBinding: backend '${this.backend}' has no page-locked memory`, {
        hint: 'use engine.infer',
      })
    }
    const slot = this.#queue.tryAcquire() ?? (await this.#queue.acquire('createBinding'))
    try {
      const binding = await engine.createBinding(
        slot,
        [...dims.values()].map((input) => input.dims),
        profile,
      )
      return new Binding(binding, { run: this.#runBinding, runSync: this.#runBindingSync })
    } catch (error) {
      throw this.#noteFailure(error)
    } finally {
      this.#queue.release(slot)
    }
  }

  /**
   * Ends the engine when the calls in flight, those that wait too, are done, and gives its memory back. May be called
   * twice.
   */
  close(): Promise<void> {
    this.#closed ??= this.#queue.whenIdle().then(() => this.#engine.close())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly #runBinding = async (
    binding: BackendBinding,
    signal: AbortSignal | undefined,
    end: () => void,
  ): Promise<void> => {
    let begun = false
    try {
      this.#requireUsable('binding.run')
      validateInferOptions({ signal })
      throwIfAborted('binding.run', signal)
      await this.#inTurn('binding.run', signal, async (slot) => {
        begun = true
        try {
          return { times: await binding.run(slot) }
        } finally {
          end()
        }
      })
    } finally {
      if (!begun) end()
    }
  }

  readonly #runBindingSync = (binding: BackendBinding): void => {
    this.#requireUsable('binding.runSync')
    const started = performance.now()
    const slot = this.#queue.tryAcquire()
    if (slot === undefined) {
      this.#stats.rejected++
      throw new TrtError('QUEUE_FULL', 'binding.runSync: every context computes, and runSync waits for none', {
        hint: 'await binding.run(), or load the engine with more contexts',
      })
    }
    try {
      const times = binding.runSync(slot)
      this.#stats.noteResults(performance.now() - started, times)
    } catch (error) {
      throw this.#noteFailure(error)
    } finally {
      this.#queue.release(slot)
    }
  }

  /** Waits for a slot and runs `work` in it, which keeps it until it is over: also where `signal` fires meanwhile. */
  async #inTurn<T extends { readonly times?: StageTimes }>(
    what: string,
    signal: AbortSignal | undefined,
    work: (slot: number) => Promise<T>,
  ): Promise<T> {
    const started = performance.now()
    const slot = this.#queue.tryAcquire() ?? (await this.#waitForSlot(what, signal))
    this.#stats.noteTurn(performance.now() - started)
    const run = work(slot)
      .catch((error: unknown) => {
        throw this.#noteFailure(error)
      })
      .finally(() => this.#queue.release(slot))
    try {
      const outcome = await orAborted(what, run, signal)
      this.#stats.noteResults(performance.now() - started, outcome.times)
      return outcome
    } catch (error) {
      if (signal?.aborted) this.#stats.aborted++
      throw error
    }
  }

  async #waitForSlot(what: string, signal: AbortSignal | undefined): Promise<number> {
    try {
      const turn = this.#queue.acquire(what, signal)
      this.#stats.mostWaiting = Math.max(this.#stats.mostWaiting, this.#queue.waiting)
      return await turn
    } catch (error) {
      if (signal?.aborted) this.#stats.aborted++
      else if (this.#lost === undefined) this.#stats.rejected++
      throw error
    }
  }

  /** Takes note of what came out of the backend. Some failures end the engine for all calls to come. */
  #noteFailure(error: unknown): unknown {
    if (!(error instanceof TrtError) || error.code === 'ABORTED') return error
    this.#stats.failed++
    if (error.code === 'GPU_LOST' || error.code === 'PROCESS_CRASHED') {
      this.#lost ??= error
      this.#queue.fail(error)
    }
    return error
  }

  #requireUsable(what: string): void {
    if (this.#closed !== undefined)
      throw new TrtError('CLOSED', `${what}: the engine was closed`, { hint: 'load it again' })
    if (this.#lost !== undefined)
      throw new TrtError(this.#lost.code, this.#lost.message, { hint: this.#lost.hint, cause: this.#lost })
  }

  #checkShapes(shapes: InputShapes): ReadonlyMap<string, { readonly dims: readonly number[] }> {
    if (!isPlainObject(shapes)) {
      const received = describe(shapes)
      throw new TrtError('INVALID_INPUT', `createBinding: expected an object { input: dims }, received ${received}`)
    }
    const unknown = Object.keys(shapes).find((name) => !this.inputs.some((input) => input.name === name))
    if (unknown !== undefined) {
      throw new TrtError('INVALID_INPUT', `createBinding: there is no input ${JSON.stringify(unknown)}`, {
        hint: `the inputs are ${this.inputs.map(infoText).join(', ')}`,
      })
    }
    return new Map(
      this.inputs.map((input) => {
        const what = `createBinding: input ${JSON.stringify(input.name)}`
        const dims = Object.hasOwn(shapes, input.name) ? shapes[input.name] : input.shape
        if (!Array.isArray(dims) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
          throw new TrtError('INVALID_INPUT', `${what}: expected dims without unknowns, received ${describe(dims)}`, {
            hint: `createBinding({ ${JSON.stringify(input.name)}: [${input.shape.map((dim) => Math.max(dim, 1))}] })`,
          })
        }
        checkDims(input, dims, what)
        return [input.name, { dims: Object.freeze([...dims]) }]
      }),
    )
  }

  #checkFeeds(feeds: Feeds): ReadonlyMap<string, Tensor> {
    if (!isPlainObject(feeds)) {
      throw new TrtError('INVALID_INPUT', `infer: expected an object { input: Tensor }, received ${describe(feeds)}`, {
        hint: `the inputs are ${this.inputs.map(infoText).join(', ')}`,
      })
    }
    const names = this.inputs.map((input) => input.name)
    const missing = names.filter((name) => !Object.hasOwn(feeds, name) || feeds[name] === undefined)
    const unknown = Object.keys(feeds).filter((name) => !names.includes(name))
    if (missing.length > 0 || unknown.length > 0) {
      const what = [
        ...missing.map((name) => `input ${JSON.stringify(name)} is missing`),
        ...unknown.map((name) => `there is no input ${JSON.stringify(name)}`),
      ]
      throw new TrtError('INVALID_INPUT', `infer: ${what.join('; ')}`, {
        hint: `the inputs are ${this.inputs.map(infoText).join(', ')}`,
      })
    }
    return new Map(this.inputs.map((input) => [input.name, checkFeed(input, feeds[input.name] as TensorLike)]))
  }

  #checkOutputs(wanted: readonly string[] | undefined): readonly string[] {
    const names = this.outputs.map((output) => output.name)
    const unknown = wanted?.find((name) => !names.includes(name))
    if (unknown !== undefined) {
      throw new TrtError('INVALID_ARGUMENT', `infer: there is no output ${JSON.stringify(unknown)}`, {
        hint: `the outputs are ${names.join(', ')}`,
      })
    }
    return wanted === undefined ? names : names.filter((name) => wanted.includes(name))
  }

  #pickProfile(what: string, tensors: ReadonlyMap<string, { readonly dims: readonly number[] }>): number {
    const index = this.profiles.findIndex((profile) =>
      [...tensors].every(([name, { dims }]) => {
        const range = profile[name]
        return (
          range === undefined ||
          dims.every(
            (dim, axis) => dim >= (range.min[axis] ?? 0) && dim <= (range.max[axis] ?? Number.POSITIVE_INFINITY),
          )
        )
      }),
    )
    if (index >= 0) return index
    const given = [...tensors].map(([name, { dims }]) => `${name} [${dims.join(',')}]`).join(', ')
    const allowed = this.profiles.map((profile, number) => `profile ${number}: ${profileText(profile)}`).join('; ')
    throw new TrtError('SHAPE_OUT_OF_PROFILE', `${what}: ${given} lies outside ${allowed}`, {
      hint: 'build the engine with a range, or a further profile, in shapes that holds this shape',
    })
  }
}

/** The same as {@link Engine.infer}. */
export function infer(engine: Engine, feeds: Feeds, options?: InferOptions): Promise<Results> {
  return engine.infer(feeds, options)
}

function checkFeed(input: TensorInfo, feed: TensorLike): Tensor {
  const what = `infer: input ${JSON.stringify(input.name)}`
  const { type, view, dims } = checkTensor(feed, what, 'INVALID_INPUT')
  if (type !== input.type) {
    throw new TrtError('INVALID_INPUT', `${what}: expected type ${input.type}, received ${type}`, {
      hint: `the input is ${infoText(input)}`,
    })
  }
  checkDims(input, dims, what)
  return feed instanceof Tensor ? feed : new Tensor(type, view as never, dims)
}

function checkDims(input: TensorInfo, dims: readonly number[], what: string): void {
  const fits = dims.length === input.shape.length && input.shape.every((dim, axis) => dim < 0 || dim === dims[axis])
  if (fits) return
  const expected = input.shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')
  throw new TrtError('INVALID_INPUT', `${what}: expected dims [${expected}], received [${dims.join(',')}]`, {
    hint: `the input is ${infoText(input)}`,
  })
}

function infoText({ name, type, shape }: TensorInfo): string {
  return `${name} ${type}[${shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')}]`
}

function profileText(profile: Profile): string {
  return Object.entries(profile)
    .map(([name, { min, max }]) => `${name} [${min.join(',')}] to [${max.join(',')}]`)
    .join(', ')
}
