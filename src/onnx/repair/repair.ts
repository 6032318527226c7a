/**
 * Makes a model that TensorRT takes: lint and TensorRT's own parser and builder say what is wrong, passes mend it, and
 * onnxruntime shows after each fix that the outputs are still the original's.
 *
 * 1. TensorRT is asked first, so that a model which it takes is left untouched. Before that, only what a warning has a fix
 *    for is mended: the engine would be built, and be of no use.
 * 2. Fixes are tried in order: those of lint's errors, those of TensorRT's refusal, last the ones that help in general.
 *    Of one finding, a fix that assumes less comes before one that assumes more.
 * 3. A fix that a pass refuses, or after which the outputs differ, is undone as a whole.
 * 4. A fix that changed nothing is not tried again before another one changed something, and one that changed something is
 *    applied {@link APPLICATIONS} times at most: so the loop ends, also where a pass reports changes for ever.
 *
 * TensorRT is asked through a function that is given, since `onnx/` is free of native code.
 */
import { checkOptions, isAbortSignal, isFunction, isPlainObject } from '../../check.js'
import { messageOf, TrtError, throwIfAborted } from '../../errors.js'
import { elementCount, isDataType, Tensor, type TensorLike } from '../../tensor.js'
import { fixInputs, fixShapes } from '../lint/assuming.js'
import type { Finding, Fix } from '../lint/finding.js'
import { type InputValues, likelyValues } from '../lint/likely-values.js'
import { LINT_CHECKS, type LintOptions, lint } from '../lint/lint.js'
import { type GivenShape, type ProposedRange, proposeShapes } from '../lint/propose-shapes.js'
import type { Model } from '../model/model.js'
import type { PassReport } from '../passes/pass.js'
import { passNamed } from '../passes/recipe.js'
import { sampleFeeds } from '../run/sample-feeds.js'
import { isDynamic } from '../value-type.js'
import { fitShapes } from './fit-shapes.js'
import { type Feeds, openExact, type Proof, prove, type Reference, unproven } from './proof.js'
import { explainRefusal, type Refusal } from './refusal.js'
import type { Assumption, RepairResult, RepairStep } from './report.js'

/**
 * Asks TensorRT whether it takes a model.
 *
 * @param shapes ranges of its dynamic inputs
 * @returns what it says against it; undefined where it takes it
 */
export type Ask = (model: Model, shapes: { readonly [input: string]: ProposedRange }) => Promise<string | undefined>

/** Options of {@link repair}. */
export interface RepairOptions extends LintOptions {
  /** Asks TensorRT; without it only what lint finds is mended. */
  readonly ask?: Ask | undefined
  /** Inputs to compare with, besides random ones. Values of small integer inputs are taken for what is always fed. */
  readonly feeds?: Feeds | undefined
  /** Told what is being done. */
  readonly onProgress?: ((progress: { readonly doing: string }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** How often a fix is applied that changed something. */
const APPLICATIONS = 2
/** Fixes that are tried, at most. */
const MAX_STEPS = 40
/** Inputs with more elements are no settings. */
const MAX_SETTING = 16

const CHECKS = {
  ...LINT_CHECKS,
  ask: isFunction,
  feeds: (value: unknown) => (isPlainObject(value) ? undefined : 'tensors by names of inputs'),
  onProgress: isFunction,
  signal: isAbortSignal,
}

/**
 * Repairs a model; see the head of this file. The model itself stays as it is.
 *
 * @throws {TrtError} `INVALID_ARGUMENT`; `ABORTED`; what `ask` throws; `ONNXRUNTIME_NOT_FOUND`
 */
export async function repair(model: Model, options: RepairOptions = {}): Promise<RepairResult> {
  checkOptions('repair', options, CHECKS)
  const names = model.graph.fedInputs.map(({ name }) => name)
  for (const option of ['values', 'feeds'] as const) {
    const unknown = Object.keys(options[option] ?? {}).find((name) => !names.includes(name))
    if (unknown === undefined) continue
    throw new TrtError('INVALID_ARGUMENT', `repair: ${option}: there is no input ${JSON.stringify(unknown)}`, {
      hint: `the inputs are ${names.join(', ')}`,
    })
  }
  return new Repair(model, options).run()
}

class Repair {
  readonly #original: Model
  readonly #options: RepairOptions
  readonly #values: InputValues
  readonly #steps: RepairStep[] = []
  readonly #assumptions = new Map<string, Assumption>()
  /** By fix: how often it changed something. */
  readonly #applied = new Map<string, number>()
  /** Fixes that changed nothing since something was changed last. */
  readonly #idle = new Set<string>()
  #model: Model
  #findings: readonly Finding[] | undefined
  #tolerance = 0
  #references: readonly Reference[] = []
  #shapes: { readonly [input: string]: ProposedRange }
  #proof: Proof

  constructor(original: Model, options: RepairOptions) {
    this.#original = original
    this.#options = options
    this.#model = original
    this.#values = { ...likelyValues(original), ...settingsIn(original, options.feeds), ...options.values }
    this.#shapes = proposeShapes(original.graph.fedInputs, { ...shapesOf(options.feeds), ...options.shapes })
    this.#proof = unproven('the model is the original')
  }

  async run(): Promise<RepairResult> {
    const reason = await this.#makeReferences()
    for (const { fixes, where, message } of this.#lint().filter(({ severity }) => severity === 'warning')) {
      for (const fix of fixes) if (this.#mayTry(fix)) await this.#apply(fix, `${where}: ${message}`, reason)
    }
    let refusal = await this.#ask()
    const isAsked = this.#options.ask !== undefined
    while ((refusal !== undefined || !isAsked) && this.#steps.length < MAX_STEPS) {
      throwIfAborted('repair', this.#options.signal)
      const findings = this.#lint().filter(({ severity }) => severity === 'error')
      const next = this.#nextFix(findings, refusal)
      if (next === undefined) break
      const isKept = await this.#apply(next.fix, next.because, reason)
      const mayAsk = isKept && !this.#lint().some((finding) => this.#isOpen(finding))
      if (mayAsk) refusal = await this.#ask()
    }
    // Lint may still have had fixes to try when the loop ended.
    if (refusal !== undefined && this.#steps.at(-1)?.outcome === 'kept') refusal = await this.#ask()
    const hasChanged = this.#model !== this.#original
    return {
      outcome: !isAsked ? 'not-asked' : refusal !== undefined ? 'refused' : hasChanged ? 'repaired' : 'untouched',
      model: this.#model,
      shapes: this.#currentShapes(),
      steps: this.#steps,
      assumptions: [...this.#assumptions.values()],
      proof: hasChanged ? this.#proof : unproven('the model is the original'),
      refusal,
      findings: this.#lint(),
    }
  }

  /** @returns why the original cannot be compared with, where it cannot */
  async #makeReferences(): Promise<string | undefined> {
    const { feeds, shapes = {}, signal } = this.#options
    this.#tell('running the original')
    try {
      await using runner = await openExact(this.#original, signal)
      const isGiven = (name: string) => Object.hasOwn(shapes, name) || feeds?.[name] !== undefined
      const fitted = await fitShapes(runner, {
        proposed: this.#shapes,
        isGiven,
        feedsOf: (dims) => this.#feeds(dims, 0),
      })
      this.#shapes = fitted.shapes
      const opts = Object.fromEntries(Object.entries(fitted.shapes).map(([name, { opt }]) => [name, opt]))
      const others = this.#feeds(opts, 1)
      this.#references = [fitted, { feeds: others, results: await runner.run(others) }]
      return undefined
    } catch (error) {
      const cannotRun = [
        'UNSUPPORTED_OP',
        'UNSUPPORTED',
        'INFERENCE_FAILED',
        'LOAD_FAILED',
        'INVALID_MODEL',
        'PROCESS_CRASHED',
      ]
      if (error instanceof TrtError && cannotRun.includes(error.code)) return error.message
      throw error
    }
  }

  /** Random inputs, but for those whose values are known or given. */
  #feeds(shapes: { readonly [input: string]: readonly number[] }, seed: number): Feeds {
    const random = sampleFeeds(this.#original, { seed, shapes })
    const given = seed === 0 ? this.#options.feeds : undefined
    const known = Object.entries(this.#values).map(([name, value]) => [name, filledLike(random[name], value)])
    return { ...random, ...Object.fromEntries(known), ...given }
  }

  async #ask(): Promise<Refusal | undefined> {
    const { ask } = this.#options
    if (ask === undefined) return undefined
    this.#tell('asking TensorRT')
    const message = await ask(this.#model, this.#currentShapes())
    return message === undefined ? undefined : explainRefusal(message)
  }

  /** What lint finds in the model as it is now. */
  #lint(): readonly Finding[] {
    const { target, fp16, pluginOps } = this.#options
    this.#findings ??= lint(this.#model, {
      ...(target && { target }),
      ...(fp16 !== undefined && { fp16 }),
      ...(pluginOps && { pluginOps }),
      values: this.#values,
      shapes: this.#currentShapes(),
    })
    return this.#findings
  }

  #isOpen({ severity, fixes }: Finding): boolean {
    return severity === 'error' && fixes.some((fix) => this.#mayTry(fix))
  }

  #nextFix(findings: readonly Finding[], refusal: Refusal | undefined): { fix: Fix; because: string } | undefined {
    const candidates = [
      ...findings.flatMap(({ fixes, where, message }) =>
        fixes.map((fix) => ({ fix, because: `${where}: ${message}` })),
      ),
      ...(refusal?.fixes ?? []).map((fix) => ({ fix, because: refusal?.cause ?? 'TensorRT refuses the model' })),
      ...(refusal === undefined ? [] : this.#lastResorts()).map((fix) => ({
        fix,
        because: 'TensorRT refuses the model',
      })),
    ]
    return candidates.find(({ fix }) => this.#mayTry(fix))
  }

  #mayTry(fix: Fix): boolean {
    const key = keyOf(fix)
    return !this.#idle.has(key) && (this.#applied.get(key) ?? 0) < APPLICATIONS
  }

  /** What helps against much: folding what is known, and fixing what it depends on. */
  #lastResorts(): Fix[] {
    const simplify = { pass: 'simplify' }
    const fixInput = fixInputs(this.#model.graph.fedInputs, this.#values)
    const setShape = fixShapes(this.#currentShapes(), this.#values)
    return [
      { passes: [simplify] },
      ...(fixInput.length > 0 ? [{ passes: [...fixInput, simplify] }] : []),
      ...(setShape.length > 0 ? [{ passes: [...fixInput, ...setShape, { pass: 'remove-if' }, simplify] }] : []),
    ]
  }

  /** @returns whether it changed the model */
  async #apply(fix: Fix, because: string, reason: string | undefined): Promise<boolean> {
    const { signal } = this.#options
    const key = keyOf(fix)
    const changed = this.#model.copy()
    const reports: PassReport[] = []
    let outcome: RepairStep['outcome'] = 'no change'
    let failure: string | undefined
    let proof: Proof | undefined
    try {
      for (const { pass, options = {} } of fix.passes) {
        this.#tell(pass)
        reports.push(await passNamed(pass)(options).apply(changed, { signal }))
      }
      if (reports.some(({ changes }) => changes.length > 0)) {
        const tolerance = this.#tolerance + (fix.tolerance ?? 0)
        this.#tell('comparing with the original')
        proof = reason === undefined ? await prove(changed, this.#references, tolerance, signal) : unproven(reason)
        this.#tolerance = tolerance
        outcome = 'kept'
      }
    } catch (error) {
      if (!(error instanceof TrtError) || error.code === 'ABORTED') throw error
      outcome = 'undone'
      failure = messageOf(error)
    }
    this.#steps.push({ because, fix, outcome, reason: failure, reports, proof })
    if (outcome !== 'kept') {
      this.#idle.add(key)
      return false
    }
    this.#applied.set(key, (this.#applied.get(key) ?? 0) + 1)
    this.#idle.clear()
    this.#assume(fix, changed)
    this.#model = changed
    this.#findings = undefined
    this.#proof = proof ?? this.#proof
    return true
  }

  /** Notes what the passes of a fix took for granted: inputs that have gone, and shapes that are fixed now. */
  #assume({ passes }: Fix, changed: Model): void {
    const before = new Map(this.#model.graph.fedInputs.map((input) => [input.name, input]))
    const after = new Map(changed.graph.fedInputs.map((input) => [input.name, input]))
    for (const { options = {} } of passes) {
      for (const [input, value] of Object.entries((options.values ?? {}) as InputValues)) {
        if (before.has(input) && !after.has(input)) this.#assumptions.set(input, { kind: 'value', input, value })
      }
    }
    for (const [input, { dims }] of after) {
      const wasDynamic = isDynamic(before.get(input) ?? {})
      if (wasDynamic && !isDynamic({ dims }))
        this.#assumptions.set(input, { kind: 'shape', input, dims: dims as number[] })
    }
  }

  /** Of the dynamic inputs that the model has now. */
  #currentShapes(): { [input: string]: ProposedRange } {
    const inputs = this.#model.graph.fedInputs
    const given = Object.fromEntries(
      Object.entries(this.#shapes).filter(([name]) => inputs.some((input) => input.name === name)),
    )
    const shapes = proposeShapes(inputs, given)
    return Object.fromEntries(
      inputs.filter(isDynamic).flatMap(({ name }) => (shapes[name] === undefined ? [] : [[name, shapes[name]]])),
    )
  }

  #tell(doing: string): void {
    this.#options.onProgress?.({ doing })
  }
}

function keyOf({ passes }: Fix): string {
  return JSON.stringify(passes)
}

/** Small integer inputs that are fed hold settings, such as axes and sizes, rather than data. */
function settingsIn(model: Model, feeds: Feeds | undefined): InputValues {
  const settings: Record<string, number[]> = {}
  for (const { name } of model.graph.fedInputs) {
    const feed = feeds?.[name]
    if (feed === undefined || !/^(int32|int64|bool)$/.test(feed.type) || elementCount(feed.dims) > MAX_SETTING) continue
    settings[name] = Array.from(feed.data as ArrayLike<number | bigint>, Number)
  }
  return settings
}

function shapesOf(feeds: Feeds | undefined): { [input: string]: GivenShape } {
  return Object.fromEntries(Object.entries(feeds ?? {}).map(([name, { dims }]) => [name, dims]))
}

function filledLike(tensor: TensorLike | undefined, value: InputValues[string]): TensorLike | undefined {
  if (tensor === undefined || !isDataType(tensor.type)) return tensor
  const isBig = tensor.type === 'int64' || tensor.type === 'uint64'
  const at = (index: number) => Number(typeof value === 'object' ? value[index] : value)
  const data = (tensor.data as Float32Array).map((_, index) => (isBig ? BigInt(at(index)) : at(index)) as never)
  return new Tensor(tensor.type, data as never, tensor.dims)
}
