import type { BackendEngine, Profile, TensorInfo } from '../backends/backend.js'
import { isPlainObject } from '../check.js'
import { orAborted, TrtError, throwIfAborted } from '../errors.js'
import type { BackendName, InferOptions } from '../options.js'
import { checkTensor, describe, Tensor, type TensorLike } from '../tensor.js'
import { traced } from '../tracing.js'
import { validateInferOptions } from './validate-options.js'

/** Inputs of `infer`, by name. */
export type Feeds = { readonly [input: string]: TensorLike }

/** Outputs of `infer`, by name, in the engine's order. */
export type Results = { [output: string]: Tensor }

/**
 * A loaded engine. Made by {@link loadEngine}; to be closed with {@link Engine.close}, or by `await using`.
 *
 * Calls of {@link Engine.infer} may overlap: they are served in order.
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
  /** What really computes, e.g. `'fp32'`. */
  readonly precision: string
  /** The version of the library behind the backend. */
  readonly version: string

  readonly #engine: BackendEngine
  readonly #inFlight = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  /** @internal use {@link loadEngine} */
  constructor(engine: BackendEngine, backend: BackendName, backendReason: string) {
    this.#engine = engine
    this.backend = backend
    this.backendReason = backendReason
    this.inputs = engine.inputs
    this.outputs = engine.outputs
    this.profiles = engine.profiles
    this.precision = engine.precision
    this.version = engine.version
  }

  /**
   * Computes. The event loop is not held meanwhile.
   *
   * @param feeds one tensor for each of {@link Engine.inputs}; leave the data alone until the promise settles
   * @returns the outputs by name, in fresh memory
   * @throws {TrtError} `INVALID_INPUT` (missing or unknown name, wrong type, rank or length), `SHAPE_OUT_OF_PROFILE`,
   *   `INVALID_ARGUMENT` (options), `CLOSED`, `ABORTED`, `INFERENCE_FAILED`, `OUT_OF_MEMORY`, `PROCESS_CRASHED`
   */
  infer(feeds: Feeds, options: InferOptions = {}): Promise<Results> {
    return traced('infer', { engine: this, feeds, options }, () => this.#infer(feeds, options))
  }

  async #infer(feeds: Feeds, options: InferOptions): Promise<Results> {
    if (this.#closed !== undefined)
      throw new TrtError('CLOSED', 'infer: the engine was closed', { hint: 'load it again' })
    validateInferOptions(options)
    throwIfAborted('infer', options.signal)
    const tensors = this.#checkFeeds(feeds)
    const outputs = this.#checkOutputs(options.outputs)
    const run = this.#engine.run(tensors, outputs, this.#pickProfile(tensors), options.signal)
    this.#inFlight.add(run)
    const settled = () => this.#inFlight.delete(run)
    run.then(settled, settled)
    return orAborted('infer', run, options.signal)
  }

  /** Ends the engine when the calls in flight are done, and gives its memory back. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#inFlight).then(() => this.#engine.close())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checkFeeds(feeds: Feeds): ReadonlyMap<string, Tensor> {
    if (!isPlainObject(feeds)) {
      throw new TrtError('INVALID_INPUT', `infer: expected an object { input: Tensor }, received ${describe(feeds)}`)
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

  #pickProfile(tensors: ReadonlyMap<string, Tensor>): number {
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
    throw new TrtError('SHAPE_OUT_OF_PROFILE', `infer: ${given} lies outside ${allowed}`, {
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
  if (type !== input.type) throw new TrtError('INVALID_INPUT', `${what}: expected type ${input.type}, received ${type}`)
  const fits = dims.length === input.shape.length && input.shape.every((dim, axis) => dim < 0 || dim === dims[axis])
  if (!fits) {
    const expected = input.shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')
    throw new TrtError('INVALID_INPUT', `${what}: expected dims [${expected}], received [${dims.join(',')}]`)
  }
  return feed instanceof Tensor ? feed : new Tensor(type, view as never, dims)
}

function infoText({ name, type, shape }: TensorInfo): string {
  return `${name} ${type}[${shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')}]`
}

function profileText(profile: Profile): string {
  return Object.entries(profile)
    .map(([name, { min, max }]) => `${name} [${min.join(',')}] to [${max.join(',')}]`)
    .join(', ')
}
