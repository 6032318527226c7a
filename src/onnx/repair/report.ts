import type { Finding, Fix } from '../lint/finding.js'
import type { ProposedRange } from '../lint/propose-shapes.js'
import type { Model } from '../model/model.js'
import type { PassReport } from '../passes/pass.js'
import type { Proof } from './proof.js'
import type { Refusal } from './refusal.js'

/** Something that the repaired model takes for granted. */
export type Assumption =
  | {
      readonly kind: 'value'
      /** The input, which the repaired model has no more. */
      readonly input: string
      /** What it is always fed with: its elements, or one number for all of them. */
      readonly value: number | boolean | readonly (number | boolean)[]
    }
  | {
      readonly kind: 'shape'
      readonly input: string
      /** The only shape that it may have now. */
      readonly dims: readonly number[]
    }

/** One fix that was tried. */
export interface RepairStep {
  /** What it was to mend, in words: of lint, or of TensorRT. */
  readonly because: string
  readonly fix: Fix
  /** `kept`; `no change`; `undone`, where a pass refused or the outputs were not the same any more. */
  readonly outcome: 'kept' | 'no change' | 'undone'
  /** Why it was undone. */
  readonly reason: string | undefined
  readonly reports: readonly PassReport[]
  /** How the model compared with the original after it. */
  readonly proof: Proof | undefined
}

/** What came of a repair. */
export interface RepairResult {
  /**
   * `untouched`: TensorRT takes the model as it is. `repaired`: it takes it now. `refused`: it does not, see
   * {@link refusal}. `not-asked`: there is no TensorRT here, so that only what lint finds was mended.
   */
  readonly outcome: 'untouched' | 'repaired' | 'refused' | 'not-asked'
  /** The model as it is now; the original is as it was. */
  readonly model: Model
  /** Shapes for its dynamic inputs, to build it with. */
  readonly shapes: { readonly [input: string]: ProposedRange }
  readonly steps: readonly RepairStep[]
  readonly assumptions: readonly Assumption[]
  /** How its outputs compare with the original's. */
  readonly proof: Proof
  /** Why TensorRT refuses it, where it does. */
  readonly refusal: Refusal | undefined
  /** What lint still finds. */
  readonly findings: readonly Finding[]
}
