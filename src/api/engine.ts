import type {
  BackendBinding,
  BackendEngine,
  EngineMemory,
  LayerInfo,
  LayerProfile,
  Profile,
  RunRequest,
  StageTimes,
  TensorInfo,
} from '../backends/backend.js'
import type { DeviceTensor } from '../device-tensor.js'
import { orAborted, TrtError, throwIfAborted } from '../errors.js'
import type { Assumption } from '../onnx/index.js'
import type { BackendName, InferOptions, QueueOptions } from '../options.js'
import type { Tensor, TensorLike } from '../tensor.js'
import { traced } from '../tracing.js'
import { Binding } from './binding.js'
import { CallQueue } from './call-queue.js'
import { checkFeeds, checkOutputs, checkShapes, checkWeights, holding, pickProfile } from './check-feeds.js'
import { type EngineStats, StatsKeeper } from './engine-stats.js'
import { validateInferOptions } from './validate-options.js'

/** Inputs of `infer`, by name. */
export type Feeds = { readonly [input: string]: TensorLike }

/** Inputs of `infer` where some are on the GPU already, by name. */
export type DeviceFeeds = { readonly [input: string]: TensorLike | DeviceTensor }

/** Shapes of the inputs, by name. */
export type InputShapes = { readonly [input: string]: readonly number[] }

/** Outputs of `infer`, by name, in the engine's order. */
export type Results = { [output: string]: Tensor }

/** Outputs of `inferToDevice`, by name, in the engine's order. */
export type DeviceResults = { [output: string]: DeviceTensor }

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
  /**
   * What `repair` took for granted when it was built, as the manifest beside the engine file says; empty without one. To
   * feed anything else is an `INVALID_INPUT`.
   */
  readonly assumptions: readonly Assumption[]

  readonly #engine: BackendEngine
  readonly #queue: CallQueue
  readonly #stats = new StatsKeeper()
  #lost: TrtError | undefined
  #closed: Promise<void> | undefined

  /** @internal use {@link loadEngine} */
  constructor(
    engine: BackendEngine,
    about: Pick<Engine, 'backend' | 'backendReason' | 'assumptions'>,
    queue?: QueueOptions,
  ) {
    this.#engine = engine
    this.backend = about.backend
    this.backendReason = about.backendReason
    this.assumptions = about.assumptions
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
   * What calls took in each layer, in the order of execution; `undefined` unless the engine was loaded with `profile`, and
   * on the CPU backend.
   */
  get profile(): readonly LayerProfile[] | undefined {
    return this.#engine.profile?.()
  }

  /**
   * The layers that TensorRT made of the model. How much it knows of them is decided at the build, by `profilingVerbosity`.
   * Waits for its turn as {@link Engine.infer} does.
   *
   * @throws {TrtError} `UNSUPPORTED` (the CPU backend), `INFERENCE_FAILED`, `CLOSED`, `QUEUE_FULL`, `QUEUE_TIMEOUT`
   */
  async layers(): Promise<readonly LayerInfo[]> {
    this.#requireUsable('layers')
    const layers = this.#engine.layers?.bind(this.#engine)
    if (layers === undefined) throw unsupported('layers', this.backend, 'tells of no layers')
    const slot = this.#queue.tryAcquire() ?? (await this.#queue.acquire('layers'))
    try {
      return await layers(slot)
    } finally {
      this.#queue.release(slot)
    }
  }

  /**
   * Gives the engine new weights, those of a model that was trained further, without a build. It must have been built with
   * `refittable`. Calls that came before end with the old weights, and later ones wait and have the new ones.
   *
   * @param weights by the names that the model's initializers have, of the same type and number of elements; copied at once
   * @throws {TrtError} `UNSUPPORTED` (not refittable; the CPU backend), `INVALID_INPUT` (no such weights, another type or
   *   size, or weights missing that the build joined with those given: the message names them), `INFERENCE_FAILED`,
   *   `CLOSED`, `GPU_LOST`
   */
  async refit(weights: { readonly [name: string]: TensorLike }): Promise<void> {
    this.#requireUsable('refit')
    const refit = this.#engine.refit?.bind(this.#engine)
    if (refit === undefined) throw unsupported('refit', this.backend, 'keeps its weights')
    const tensors = checkWeights(weights)
    await this.#queue.alone('refit', async (slot) => {
      try {
        await refit(slot, tensors)
      } catch (error) {
        throw this.#noteFailure(error)
      }
    })
  }

  /**
   * Computes. The event loop is not held meanwhile.
   *
   * @param feeds one tensor for each of {@link Engine.inputs}, on the host or on the engine's own GPU; leave the data alone
   *   until the promise settles
   * @returns the outputs by name, in fresh memory
   * @throws {TrtError} `INVALID_INPUT` (missing or unknown name, wrong type, rank or length), `SHAPE_OUT_OF_PROFILE`,
   *   `INVALID_ARGUMENT` (options), `CLOSED`, `ABORTED`, `QUEUE_FULL`, `QUEUE_TIMEOUT`, `INFERENCE_FAILED`,
   *   `OUT_OF_MEMORY`, `GPU_LOST`, `PROCESS_CRASHED`
   */
  infer(feeds: DeviceFeeds, options: InferOptions = {}): Promise<Results> {
    return traced('infer', { engine: this, feeds, options }, () =>
      this.#infer(feeds, options, (slot, request) => this.#engine.run(slot, request, options.signal)),
    )
  }

  /**
   * Computes as {@link Engine.infer} does, and leaves the outputs on the GPU, for another engine there to go on with: no
   * data goes by way of the host. Dispose of them when they are no longer needed; see {@link DeviceTensor}.
   *
   * @throws {TrtError} as {@link Engine.infer}; `UNSUPPORTED` (the CPU backend; an output that TensorRT writes to host
   *   memory)
   */
  inferToDevice(feeds: DeviceFeeds, options: InferOptions = {}): Promise<DeviceResults> {
    return traced('infer', { engine: this, feeds, options }, async () => {
      const run = this.#engine.runToDevice?.bind(this.#engine)
      if (run === undefined) {
        throw unsupported('inferToDevice', this.backend, 'has no memory of a device', 'use engine.infer')
      }
      return this.#infer(feeds, options, async (slot, request) => {
        const outcome = await run(slot, request)
        // The promise has rejected already, so nobody else has them.
        if (options.signal?.aborted) for (const tensor of Object.values(outcome.results)) tensor.dispose()
        return outcome
      })
    })
  }

  async #infer<Results>(
    feeds: DeviceFeeds,
    options: InferOptions,
    run: (slot: number, request: RunRequest) => Promise<Outcome<Results>>,
  ): Promise<Results> {
    this.#requireUsable('infer')
    validateInferOptions(options)
    const { signal } = options
    throwIfAborted('infer', signal)
    const tensors = checkFeeds(this, feeds)
    const outputs = checkOutputs(this, options.outputs)
    const profile = pickProfile(this, 'infer', tensors)
    const request = { feeds: tensors, outputs, profile }
    // Awaited: a promise that is returned takes two turns more of the queue of microtasks.
    return await holding(this.inputs, tensors, () => this.#inTurn('infer', signal, (slot) => run(slot, request)))
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
    const dims = checkShapes(this, shapes)
    const profile = pickProfile(this, 'createBinding', dims)
    const engine = this.#engine
    if (engine.createBinding === undefined) {
      throw unsupported('createBinding', this.backend, 'has no page-locked memory', 'use engine.infer')
    }
    const slot = this.#queue.tryAcquire() ?? (await this.#queue.acquire('createBinding'))
    try {
      const binding = await engine.createBinding(
        slot,
        dims.map((input) => input.dims),
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
          return { results: undefined, times: await binding.run(slot) }
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
    const slot = this.#queue.tryAcquire()
    if (slot === undefined) {
      this.#stats.rejected++
      throw new TrtError('QUEUE_FULL', 'binding.runSync: every context computes, and runSync waits for none', {
        hint: 'await binding.run(), or load the engine with more contexts',
      })
    }
    try {
      const times = binding.runSync(slot)
      this.#stats.noteResults(times.run, times)
    } catch (error) {
      throw this.#noteFailure(error)
    } finally {
      this.#queue.release(slot)
    }
  }

  /** Waits for a slot and runs `work` in it, which keeps it until it is over: also where `signal` fires meanwhile. */
  async #inTurn<Results>(
    what: string,
    signal: AbortSignal | undefined,
    work: (slot: number) => Promise<Outcome<Results>>,
  ): Promise<Results> {
    const started = performance.now()
    let slot = this.#queue.tryAcquire()
    if (slot === undefined) {
      slot = await this.#waitForSlot(what, signal)
      this.#stats.noteTurn(performance.now() - started)
    } else {
      this.#stats.noteTurn(0)
    }
    try {
      return await orAborted(what, this.#runIn(slot, signal, started, work), signal)
    } catch (error) {
      if (signal?.aborted) this.#stats.aborted++
      throw error
    }
  }

  async #runIn<Results>(
    slot: number,
    signal: AbortSignal | undefined,
    started: number,
    work: (slot: number) => Promise<Outcome<Results>>,
  ): Promise<Results> {
    try {
      const { results, times } = await work(slot)
      // Whoever gave up has been told so already.
      if (!signal?.aborted) this.#stats.noteResults(performance.now() - started, times)
      return results
    } catch (error) {
      throw this.#noteFailure(error)
    } finally {
      this.#queue.release(slot)
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
}

/** What a run in a slot gives: see `RunOutcome` of the backends. */
interface Outcome<Results> {
  readonly results: Results
  readonly times?: StageTimes | undefined
}

/** The same as {@link Engine.infer}. */
export function infer(engine: Engine, feeds: Feeds, options?: InferOptions): Promise<Results> {
  return engine.infer(feeds, options)
}

function unsupported(what: string, backend: BackendName, why: string, hint?: string): TrtError {
  return new TrtError('UNSUPPORTED', `${what}: backend '${backend}' ${why}`, { hint })
}
