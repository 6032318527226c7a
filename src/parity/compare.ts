/**
 * Is the engine still the model? Runs a reference and candidates on the same inputs, and measures how far they are apart.
 *
 * Layers are compared in groups, and every group is run anew: memory stays bounded by the group.
 */
import { Engine, type Feeds } from '../api/engine.js'
import { TrtError, throwIfAborted } from '../errors.js'
import { Model, type RunnerOptions, read, run, type SampleOptions, sampleFeeds } from '../onnx/index.js'
import { inGroups } from '../onnx/run/in-groups.js'
import { valueBytes } from '../onnx/run/value-bytes.js'
import type { BuildOptions } from '../options.js'
import type { Tensor, TensorLike } from '../tensor.js'
import { type Divergence, describe, divergedValues } from './divergence.js'
import { firstAtFault } from './own-error.js'
import { builtRunner, engineRunner, modelRunner, type ParityRunner, tensorsRunner } from './runner.js'
import { openFile } from './sources.js'
import { companionsOf, judge, type ParityTolerance, type Tensors, type ValueReport } from './tolerance.js'

/** What is compared with the reference. */
export type Candidate =
  /** A file: an ONNX model, an engine, a .npz file, or a folder of .npy files. */
  | string
  | URL
  | Model
  /** A loaded engine; it is left open. */
  | Engine
  /** Tensors by name, computed elsewhere from the same inputs. */
  | ReadonlyMap<string, Tensor>
  /** The reference model, built with these options. */
  | { readonly build: Omit<BuildOptions, 'onnx' | 'signal'> }

/** Options of {@link compare}. */
export interface CompareOptions {
  /** The reference: a path, bytes, or a model. It runs on onnxruntime's CPU. */
  readonly model: string | URL | Uint8Array | Model
  /** By the names that the report calls them. */
  readonly candidates: { readonly [name: string]: Candidate }
  /** Inputs, or how to make random ones. Default: random by seed 0. */
  readonly inputs?: { readonly feeds: { readonly [input: string]: TensorLike } } | SampleOptions
  /** Compare the values inside too, where both sides have one of a name. Default false. */
  readonly layers?: boolean
  /** What counts as equal. Default: atol 1e-5, rtol 1e-3. */
  readonly tolerance?: ParityTolerance
  /** The candidates' names of values, by the reference's names, where they differ. */
  readonly names?: { readonly [reference: string]: string }
  /** How onnxruntime runs models: see {@link RunnerOptions}. Default: `optimization: 'disabled'`. */
  readonly onnxruntime?: Pick<RunnerOptions, 'optimization' | 'threads' | 'exactInt8'>
  /** Told how many values of how many were compared, of all candidates. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  readonly signal?: AbortSignal
}

/** How one candidate compares. */
export interface CandidateReport {
  readonly name: string
  readonly outputs: readonly ValueReport[]
  /** The values inside, in topological order; empty without `layers`. */
  readonly layers: readonly ValueReport[]
  /** Outputs of the reference that the candidate does not have. */
  readonly missing: readonly string[]
  /** Where it leaves the tolerance first: see {@link Divergence.cause}. Undefined where it does not. */
  readonly firstDivergence: Divergence | undefined
  /** Whether all outputs are there and within the tolerance. */
  readonly passed: boolean
}

/** What {@link compare} found. */
export interface Comparison {
  readonly candidates: readonly CandidateReport[]
  /** The shapes of the inputs, by name. */
  readonly shapes: { readonly [input: string]: readonly number[] }
  /** Whether all candidates passed. */
  readonly passed: boolean
}

/**
 * Compares candidates with a reference model, on the same inputs.
 *
 * @throws {TrtError} `INVALID_ARGUMENT`; whatever loading, building and running the sides throws
 * @example
 * const { passed, candidates } = await trt.compare({
 *   model: 'model.onnx',
 *   candidates: { simplified: 'simplified.onnx', cpu: { build: { backend: 'onnxruntime' } } },
 *   layers: true,
 * })
 */
export function compare(options: CompareOptions): Promise<Comparison> {
  return compareAll(options, true)
}

/** @internal {@link compare}, for those who only want the figures: nobody looks for where it diverges. */
export function measure(options: CompareOptions): Promise<Comparison> {
  return compareAll(options, false)
}

async function compareAll(options: CompareOptions, explains: boolean): Promise<Comparison> {
  const { signal, onnxruntime = AS_IT_IS } = options
  const reference = options.model instanceof Model ? options.model : await read(options.model)
  const names = Object.keys(options.candidates)
  if (names.length === 0) throw new TrtError('INVALID_ARGUMENT', 'compare: expected one candidate or more')
  const { inputs = {} } = options
  const feeds = 'feeds' in inputs ? (inputs.feeds as Feeds) : sampleFeeds(reference, inputs)
  const referenceRunner = modelRunner('the reference', reference, { ...onnxruntime, ...(signal && { signal }) })
  const bytesOf = valueBytes(reference, feeds)
  const candidates: CandidateReport[] = []
  for (const [index, name] of names.entries()) {
    throwIfAborted('compare', signal)
    const runner = await openCandidate(name, options.candidates[name] as Candidate, options)
    try {
      const work = new Work(reference, referenceRunner, runner, feeds, bytesOf, options)
      const report = (done: number, total: number) =>
        options.onProgress?.({ done: index * total + done, total: names.length * total })
      candidates.push(await work.run(report, explains))
    } finally {
      await runner.close()
    }
  }
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
  return { candidates, shapes, passed: candidates.every(({ passed }) => passed) }
}

/** Rewrites would be a part of what is compared. */
const AS_IT_IS = { optimization: 'disabled' } as const

/** One candidate against the reference. */
class Work {
  readonly #model: Model
  readonly #reference: ParityRunner
  readonly #candidate: ParityRunner
  readonly #feeds: Feeds
  readonly #bytesOf: (name: string) => number | undefined
  readonly #options: CompareOptions

  /** @param bytesOf what a value takes, where that is known */
  constructor(
    model: Model,
    reference: ParityRunner,
    candidate: ParityRunner,
    feeds: Feeds,
    bytesOf: (name: string) => number | undefined,
    options: CompareOptions,
  ) {
    this.#model = model
    this.#reference = reference
    this.#candidate = candidate
    this.#feeds = feeds
    this.#bytesOf = bytesOf
    this.#options = options
  }

  async run(onProgress: (done: number, total: number) => void, explains: boolean): Promise<CandidateReport> {
    const has = (name: string): boolean => this.#candidate.values.has(this.#candidateName(name))
    const outputs = this.#reference.outputs
    const missing = outputs.filter((name) => !has(name))
    const inner = this.#options.layers
      ? [...this.#reference.values].filter((name) => !outputs.includes(name) && has(name))
      : []
    const found = new Map<string, ValueReport>()
    const { tolerance = {} } = this.#options
    const visit = async (group: readonly string[]): Promise<number> => {
      throwIfAborted('compare', this.#options.signal)
      const companions = group.flatMap((name) => companionsOf(name, tolerance)).filter((name) => outputs.includes(name))
      const wanted = [...new Set([...group, ...companions.filter(has)])]
      const [expected, actual] = await both(this.#reference.run(this.#feeds, wanted), this.#given(wanted))
      for (const name of group) found.set(name, judge(name, expected, actual, tolerance))
      return group.reduce((bytes, name) => bytes + (expected[name] as Tensor).data.byteLength, 0)
    }
    const names = [...outputs.filter(has), ...inner]
    await inGroups(names, this.#bytesOf, visit, (name) => !outputs.includes(name), onProgress)
    const reports = (list: readonly string[]) => list.flatMap((name) => found.get(name) ?? [])
    const compared = reports(outputs)
    return {
      name: this.#candidate.name,
      outputs: compared,
      layers: reports(inner),
      missing,
      firstDivergence: explains ? await this.#firstDivergence(found) : undefined,
      passed: missing.length === 0 && compared.every(({ passed }) => passed),
    }
  }

  async #firstDivergence(found: ReadonlyMap<string, ValueReport>): Promise<Divergence | undefined> {
    const diverged = divergedValues(this.#model, found)
    const [first] = diverged
    if (first === undefined) return undefined
    const { onnxruntime = AS_IT_IS, signal, tolerance = {} } = this.#options
    const atFault = await firstAtFault(this.#model, this.#feeds, diverged, found, {
      candidate: (names) => this.#given(names),
      reference: (model, feeds, outputs) => run(model, feeds, { ...onnxruntime, ...(signal && { signal }), outputs }),
      isGood: (name, expected, actual) => judge(name, expected, actual, tolerance).passed,
    })
    return describe(atFault ?? first, atFault === undefined ? 'inputs' : 'node', found)
  }

  /** Values of the candidate, by the reference's names. */
  async #given(names: readonly string[]): Promise<Tensors> {
    const given = await this.#candidate.run(this.#feeds, names.map(this.#candidateName))
    return Object.fromEntries(names.map((name) => [name, given[this.#candidateName(name)] as Tensor]))
  }

  readonly #candidateName = (name: string): string => this.#options.names?.[name] ?? name
}

/** The results of both; a failure is thrown once neither is at work any more. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second])
  return Promise.all([first, second])
}

async function openCandidate(
  name: string,
  candidate: Candidate,
  { model, signal, onnxruntime = AS_IT_IS }: CompareOptions,
): Promise<ParityRunner> {
  const runnerOptions = { ...onnxruntime, ...(signal && { signal }) }
  if (candidate instanceof Model) return modelRunner(name, candidate, runnerOptions)
  if (candidate instanceof Engine) return engineRunner(name, candidate, false)
  if (candidate instanceof Map) return tensorsRunner(name, candidate as ReadonlyMap<string, Tensor>)
  if (typeof candidate === 'string' || candidate instanceof URL) {
    const file = await openFile(candidate)
    if (file.kind === 'model') return modelRunner(name, file.model, runnerOptions)
    return file.kind === 'engine' ? engineRunner(name, file.engine, true) : tensorsRunner(name, file.tensors)
  }
  const { build } = candidate as { build: BuildOptions }
  return builtRunner(name, { ...build, onnx: model, ...(signal && { signal }) })
}
