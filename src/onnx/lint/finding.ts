/** A pass with its options, as a recipe has it. */
export interface RecipeStep {
  /** As in `PASSES`. */
  readonly pass: string
  readonly options?: Readonly<Record<string, unknown>>
}

/** Passes that, applied one after the other, mend what a finding tells of. */
export interface Fix {
  readonly passes: readonly RecipeStep[]
  /**
   * How far outputs may move, as a share of the greatest magnitude in the output, where the rewrite is near-equal only.
   * Default 0: the outputs stay the same but for the rounding of float32.
   */
  readonly tolerance?: number
}

/** What a rule found in a model. Plain data. */
export interface Finding {
  /** The rule's id, e.g. `unsupported-op`. */
  readonly rule: string
  /** `error`: TensorRT refuses the model. `warning`: it takes it, and does badly. */
  readonly severity: 'error' | 'warning'
  /** The node as `Conv "name"`, the value by its name, or `model`. */
  readonly where: string
  /** What is wrong, in one sentence without a full stop. */
  readonly message: string
  /** Names of the values that it is about. */
  readonly values: readonly string[]
  /** What mends it: to be tried in this order, as the later ones assume more. Empty where no pass does. */
  readonly fixes: readonly Fix[]
  /** What a person could do; undefined where a fix does it. */
  readonly advice: string | undefined
}
