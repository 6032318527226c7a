/**
 * Checks that a model still computes what it did, on onnxruntime with random inputs.
 *
 * The reference is the model as it was when the verifier started, not as it was one pass ago: small errors of many
 * passes then add up to one that is seen.
 */
import { messageOf, TrtError } from '../../errors.js'
import type { Tensor, TensorLike } from '../../tensor.js'
import type { Model } from '../model/model.js'
import { compareTensors, differenceText, type Tolerance } from '../run/compare-tensors.js'
import { openRunner, type Runner } from '../run/runner.js'
import { type SampleOptions, sampleFeeds } from '../run/sample-feeds.js'

/** Options of the check of passes that keep the meaning. */
export interface VerifyOptions extends Omit<SampleOptions, 'sizes'>, Partial<Tolerance> {
  /** Inputs to check with, instead of random ones. */
  readonly feeds?: { readonly [input: string]: TensorLike }
}

/** What a check found. */
export interface Verification {
  /** The shapes of the inputs that it was made with, by name. */
  readonly shapes: { readonly [input: string]: readonly number[] }
  /** The largest error of each output, by name. */
  readonly maxAbsError: { readonly [output: string]: number }
}

/** Sums in another order differ by this much in deep networks; a wrong rewrite differs by far more. */
const DEFAULT_TOLERANCE: Tolerance = { atol: 1e-4, rtol: 1e-3 }

/** What dynamic dimensions are tried with: many networks halve their input several times, or want a least size. */
const SIZES = [
  { batch: 2, other: 8 },
  { batch: 2, other: 32 },
  { batch: 1, other: 64 },
  { batch: 1, other: 224 },
  { batch: 1, other: 1 },
] as const

/** See the head of this file. */
export class Verifier {
  readonly #options: VerifyOptions
  readonly #feeds: readonly TensorLike[]
  readonly #reference: readonly Tensor[]

  private constructor(options: VerifyOptions, feeds: readonly TensorLike[], reference: readonly Tensor[]) {
    this.#options = options
    this.#feeds = feeds
    this.#reference = reference
  }

  /**
   * Runs the model as it is, for later comparison.
   *
   * @throws {TrtError} of running it, with a hint to give shapes or feeds where made-up ones do not suit the model
   */
  static async start(model: Model, options: VerifyOptions, signal?: AbortSignal): Promise<Verifier> {
    await using runner = await openRunner(model, { optimization: 'disabled', ...(signal && { signal }) })
    const { feeds, results } = await firstRun(runner, model, options)
    const names = model.graph.fedInputs.map(({ name }) => name)
    return new Verifier(
      options,
      names.map((name) => feeds[name] as TensorLike),
      runner.outputs.map((name) => results[name] as Tensor),
    )
  }

  /**
   * Runs the changed model, and compares. Inputs and outputs are matched by their order, as passes may rename them.
   *
   * @param pass how the message names what changed it
   * @throws {TrtError} `VERIFICATION_FAILED`, naming the first output that differs; what running it throws
   */
  async check(model: Model, pass: string, signal?: AbortSignal): Promise<Verification> {
    const { atol = DEFAULT_TOLERANCE.atol, rtol = DEFAULT_TOLERANCE.rtol } = this.#options
    const inputs = model.graph.fedInputs
    if (inputs.length !== this.#feeds.length || model.graph.outputs.length !== this.#reference.length) {
      throw changed(pass, 'it has other inputs or outputs')
    }
    await using runner = await openRunner(model, { optimization: 'disabled', ...(signal && { signal }) }).catch(
      (error: unknown) => {
        const isBroken = error instanceof TrtError && ['INVALID_MODEL', 'LOAD_FAILED'].includes(error.code)
        throw isBroken ? changed(pass, `it does not load any more: ${error.message}`, error) : error
      },
    )
    const feeds = Object.fromEntries(inputs.map(({ name }, index) => [name, this.#feeds[index] as TensorLike]))
    const results = await runner.run(feeds).catch((error: unknown) => {
      throw changed(pass, `it does not run any more: ${messageOf(error)}`, error)
    })
    const maxAbsError: Record<string, number> = {}
    for (const [index, name] of runner.outputs.entries()) {
      const difference = compareTensors(this.#reference[index] as Tensor, results[name] as Tensor, { atol, rtol })
      const text = differenceText(difference)
      if (text !== undefined) throw changed(pass, `output ${JSON.stringify(name)}: ${text}`)
      maxAbsError[name] = difference.maxAbs
    }
    return { shapes: Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims])), maxAbsError }
  }
}

async function firstRun(
  runner: Runner,
  model: Model,
  { feeds, ...sample }: VerifyOptions,
): Promise<{ feeds: { readonly [input: string]: TensorLike }; results: Record<string, Tensor> }> {
  if (feeds !== undefined) return { feeds, results: await runner.run(feeds) }
  let failure: unknown
  for (const sizes of SIZES) {
    const made = sampleFeeds(model, { ...sample, sizes })
    try {
      return { feeds: made, results: await runner.run(made) }
    } catch (error) {
      failure ??= error
      if (!(error instanceof TrtError) || error.code !== 'INFERENCE_FAILED') throw error
    }
  }
  throw new TrtError('INFERENCE_FAILED', `verify: no made-up inputs suit the model: ${messageOf(failure)}`, {
    hint: 'say what to feed: verify: { shapes: { input: [1, 3, 224, 224] } }, or verify: { feeds }',
    cause: failure,
  })
}

function changed(pass: string, what: string, cause?: unknown): TrtError {
  return new TrtError('VERIFICATION_FAILED', `${pass}: the model is not the same any more: ${what}`, {
    hint: 'the model was changed and not written: read it again, and leave the pass out',
    cause,
  })
}
