/**
 * What a pass is: one rewrite of a model, in a file of its own.
 *
 * A pass is a verb, and its file, its export, its test and its name on the command line are the same word:
 * `fix-prelu-slope.ts` exports `fixPreluSlope`, and `--pass fix-prelu-slope` runs it. Its options are data (texts, numbers,
 * booleans, plain objects), so that a recipe in JSON can hold them; `OptionSpec` describes each for people and for the
 * command line.
 *
 * Rules for `apply`, which every pass keeps:
 * 1. It leaves a valid graph: names unique, order topological, nothing that refers to what is gone.
 * 2. It is idempotent: applied again, it changes nothing and reports nothing. Where that cannot be, as two models can be
 *    joined once more, `isIdempotent` is false.
 * 3. It reports every change where it happened, and by a note what it had to assume or left alone, and why.
 * 4. It is linear in nodes, and touches weights only where it has to.
 * 5. Where `keepsMeaning` is true, the outputs stay those of the model before, for every input; `transform` can check it.
 * 6. It throws a `TrtError` for what it cannot do; the model may then be half changed, and is to be read again.
 */
import { type Check, checkOptions, withoutUndefined } from '../../check.js'
import type { Model } from '../model/model.js'
import { Node } from '../model/node.js'
import { Value } from '../model/value.js'
import type { Verification } from './verifier.js'

/** How an option's value is written on the command line. */
export type OptionKind = 'boolean' | 'number' | 'text' | 'texts' | 'json'

/** One option of a pass, for people, for checks, and for the command line. */
export interface OptionSpec {
  /** `texts` are separated by `,` on the command line; `json` is anything else. */
  readonly kind: OptionKind
  /** What it does, in one sentence without a full stop. */
  readonly doc: string
  /** Says what was expected where a value does not fit, e.g. `isInteger(1, 100)`. */
  readonly check: Check
}

/** What a pass did at one place. */
export interface Change {
  /** A node as `Conv "name"`, a value by its name, or `model`. */
  readonly where: string
  /** In the past tense, e.g. `slope [64] reshaped to [64,1,1]`. */
  readonly what: string
}

/** What a pass says of its work. */
export interface PassReport {
  readonly pass: string
  /** The options that it was given. */
  readonly options: Readonly<Record<string, unknown>>
  readonly changes: readonly Change[]
  /** What it had to assume, or left alone and why. */
  readonly notes: readonly string[]
  /** Measurements, e.g. counts of weights by what happened to them. Empty for most passes. */
  readonly figures: Readonly<Record<string, number>>
  /** What `transform` with `verify` found; undefined where the model was not checked. */
  readonly verification?: Verification
}

/** What {@link PassDefinition.apply} gets besides the model and its options. */
export interface PassContext {
  /** Reports a change. */
  change(where: Node | Value | string, what: string): void
  /** Reports an assumption, or what was left alone and why. */
  note(text: string): void
  /** Reports a measurement, added to what was reported under this name before. */
  count(name: string, add?: number): void
  /** Tells how far a long pass is, `done` of `total` steps. */
  progress(done: number, total: number): void
  /** To be asked now and then by what takes long. */
  readonly signal: AbortSignal | undefined
}

/** Everything that makes a pass. */
export interface PassDefinition<Options extends object> {
  /** The name on the command line, e.g. `fix-prelu-slope`. */
  readonly name: string
  /** What it does, in one sentence without a full stop. */
  readonly summary: string
  /** Whether the model computes the same afterwards, for every input. */
  readonly keepsMeaning: boolean
  /** False where, applied again, it acts again. Default true. */
  readonly isIdempotent?: boolean
  readonly options: { readonly [Name in keyof Options]-?: OptionSpec }
  /** The value of each option that is not given; one without a default is `undefined`. */
  readonly defaults: Options
  /** See the rules at the head of this file. */
  apply(model: Model, options: Options, context: PassContext): void | Promise<void>
}

/** A pass with its options, ready to be applied by `transform`. */
export interface Transform {
  readonly pass: Pass
  readonly options: Readonly<Record<string, unknown>>
  /** Applies it. @throws {TrtError} where the model is not what the pass needs; see rule 6 in pass.ts */
  apply(model: Model, control?: TransformControl): Promise<PassReport>
}

/** How a running pass talks with its caller. */
export interface TransformControl {
  readonly signal?: AbortSignal | undefined
  /** Told how far the pass is. */
  readonly onProgress?: ((progress: { pass: string; done: number; total: number }) => void) | undefined
}

/** A pass: call it with its options to get a {@link Transform}. */
export interface Pass<Options extends object = object> {
  (options?: Partial<Options>): Transform
  readonly passName: string
  readonly summary: string
  readonly keepsMeaning: boolean
  readonly isIdempotent: boolean
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly defaults: Readonly<Record<string, unknown>>
}

/** Makes a {@link Pass} of its parts. */
export function definePass<Options extends object>(definition: PassDefinition<Options>): Pass<Options> {
  const { name, summary, keepsMeaning, isIdempotent = true, defaults } = definition
  const options = definition.options as Readonly<Record<string, OptionSpec>>
  const checks = Object.fromEntries(Object.entries(options).map(([key, { check }]) => [key, check]))
  const make = (given: Partial<Options> = {}): Transform => {
    checkOptions(name, given, checks)
    return {
      pass,
      options: given as Readonly<Record<string, unknown>>,
      apply: async (model, control = {}) => {
        control.signal?.throwIfAborted()
        const report = new Report(name, given as Readonly<Record<string, unknown>>, control)
        await definition.apply(model, { ...defaults, ...withoutUndefined<Partial<Options>>(given) }, report)
        return report.end()
      },
    }
  }
  const pass: Pass<Options> = Object.assign(make, {
    passName: name,
    summary,
    keepsMeaning,
    isIdempotent,
    options,
    defaults: defaults as Readonly<Record<string, unknown>>,
  })
  return pass
}

/** The context of one application, and what it gathers. */
class Report implements PassContext {
  readonly signal: AbortSignal | undefined
  readonly #pass: string
  readonly #options: Readonly<Record<string, unknown>>
  readonly #onProgress: TransformControl['onProgress']
  readonly #changes: Change[] = []
  readonly #notes = new Set<string>()
  readonly #figures: Record<string, number> = {}

  constructor(pass: string, options: Readonly<Record<string, unknown>>, { signal, onProgress }: TransformControl) {
    this.signal = signal
    this.#pass = pass
    this.#options = options
    this.#onProgress = onProgress
  }

  change(where: Node | Value | string, what: string): void {
    this.#changes.push({ where: placeOf(where), what })
  }

  note(text: string): void {
    this.#notes.add(text)
  }

  count(name: string, add = 1): void {
    this.#figures[name] = (this.#figures[name] ?? 0) + add
  }

  progress(done: number, total: number): void {
    this.#onProgress?.({ pass: this.#pass, done, total })
  }

  end(): PassReport {
    const [pass, options, changes] = [this.#pass, this.#options, this.#changes]
    return { pass, options, changes, notes: [...this.#notes], figures: this.#figures }
  }
}

/** How reports name a node or a value. */
export function placeOf(where: Node | Value | string): string {
  if (where instanceof Value) return where.name
  // A node without a name is found by what it gives.
  if (where instanceof Node && where.name === '') return `${where.opType} of "${where.outputs[0]?.name ?? ''}"`
  return String(where)
}
