/**
 * Proves that a repaired model still says what the original did: both on onnxruntime's CPU with the same inputs, those
 * that repair had to assume included.
 *
 * onnxruntime runs them so that its own results do not depend on the machine: one thread, int8 products exact, and at most
 * the rewrites that keep ONNX's own ops.
 */
import { messageOf, TrtError } from '../../errors.js'
import { toNumbers } from '../../npy/numbers.js'
import type { Tensor, TensorLike } from '../../tensor.js'
import type { Model } from '../model/model.js'
import { compareTensors, differenceText } from '../run/compare-tensors.js'
import { openRunner, type Runner, type RunnerOptions } from '../run/runner.js'

/** Inputs by name. */
export type Feeds = { readonly [input: string]: TensorLike }

/** How far an output of the repaired model is from the original's. */
export interface OutputProof {
  readonly name: string
  /** Largest |repaired − original| of all runs. */
  readonly maxAbsError: number
  /** The greatest magnitude of the original's output. */
  readonly magnitude: number
}

/** What came of the comparison. */
export interface Proof {
  /**
   * `equal`: the same to the last bit. `near-equal`: by how much, {@link outputs} says. `none`: not compared, for
   * {@link reason}.
   */
  readonly verdict: 'equal' | 'near-equal' | 'none'
  /** Why there was nothing to compare with. */
  readonly reason: string | undefined
  /** Runs that were compared, each with other inputs. */
  readonly runs: number
  readonly outputs: readonly OutputProof[]
}

/** Rounding adds up to this in deep networks; a wrong rewrite differs by far more. */
const TOLERANCE = { atol: 1e-4, rtol: 1e-3 }

const SETTINGS = { optimization: 'basic', threads: 1, exactInt8: true } as const

/** The runner for either model. */
export function openExact(model: Model, signal: AbortSignal | undefined): Promise<Runner> {
  const options: RunnerOptions = { ...SETTINGS, ...(signal && { signal }) }
  return openRunner(model, options)
}

/** What the original gives for some inputs. */
export interface Reference {
  readonly feeds: Feeds
  readonly results: { readonly [output: string]: Tensor }
}

/**
 * Runs a repaired model on the inputs of the references, as far as they still fit it, and compares.
 *
 * @param tolerance how far outputs may move besides, as a share of their greatest magnitude
 * @throws {TrtError} `VERIFICATION_FAILED`, naming the output and the element that differ; what running throws
 */
export async function prove(
  model: Model,
  references: readonly Reference[],
  tolerance: number,
  signal: AbortSignal | undefined,
): Promise<Proof> {
  await using runner = await openExact(model, signal).catch((error: unknown) => {
    const isBroken = error instanceof TrtError && ['INVALID_MODEL', 'LOAD_FAILED'].includes(error.code)
    throw isBroken ? changed(`it does not load any more: ${error.message}`, error) : error
  })
  const outputs = new Map<string, OutputProof>()
  let runs = 0
  for (const { feeds, results } of references) {
    const fitting = feedsFor(model, feeds)
    if (fitting === undefined) continue
    const given = await runner.run(fitting).catch((error: unknown) => {
      throw changed(`it does not run any more: ${messageOf(error)}`, error)
    })
    for (const [name, expected] of Object.entries(results)) {
      const magnitude = Math.max(outputs.get(name)?.magnitude ?? 0, greatest(expected))
      const difference = compareTensors(expected, given[name] as Tensor, {
        ...TOLERANCE,
        atol: TOLERANCE.atol + tolerance * magnitude,
      })
      const text = differenceText(difference)
      if (text !== undefined) throw changed(`output ${JSON.stringify(name)}: ${text}`)
      const maxAbsError = Math.max(outputs.get(name)?.maxAbsError ?? 0, difference.maxAbs)
      outputs.set(name, { name, maxAbsError, magnitude })
    }
    runs++
  }
  if (runs === 0) return unproven('none of the inputs that the original took fits the repaired model')
  const isEqual = [...outputs.values()].every(({ maxAbsError }) => maxAbsError === 0)
  return { verdict: isEqual ? 'equal' : 'near-equal', reason: undefined, runs, outputs: [...outputs.values()] }
}

/** A proof that there is none. */
export function unproven(reason: string): Proof {
  return { verdict: 'none', reason, runs: 0, outputs: [] }
}

/** Those of the original's inputs that the model still has; undefined where it has one that cannot take its feed. */
function feedsFor(model: Model, feeds: Feeds): Feeds | undefined {
  const result: Record<string, TensorLike> = {}
  for (const { name, dims } of model.graph.fedInputs) {
    const feed = feeds[name]
    const fits = dims?.every((dim, axis) => typeof dim !== 'number' || dim === feed?.dims[axis]) ?? true
    if (feed === undefined || !fits) return undefined
    result[name] = feed
  }
  return result
}

/** The greatest finite magnitude. */
function greatest(tensor: Tensor): number {
  let greatest = 0
  const values = toNumbers(tensor)
  for (let at = 0; at < values.length; at++) {
    const magnitude = Math.abs(values[at] as number)
    if (magnitude > greatest && magnitude !== Infinity) greatest = magnitude
  }
  return greatest
}

function changed(what: string, cause?: unknown): TrtError {
  return new TrtError('VERIFICATION_FAILED', `the repaired model does not say what the original does: ${what}`, {
    cause,
  })
}
