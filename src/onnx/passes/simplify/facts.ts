import type { ElementType } from '../../data-types.js'
import type { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { isSame } from '../../shapes/dim-algebra.js'
import type { Elements } from '../../shapes/elements.js'
import { type InferredTypes, inferTypes } from '../../shapes/infer-types.js'
import type { Dim } from '../../value-type.js'
import { Constants } from '../constants.js'
import type { PassContext } from '../pass.js'
import { changes, type Stage } from './until-stable.js'

/** What is known of a model's values before it is rewritten. What a value is does not change by rewriting. */
export class Facts {
  readonly constants: Constants
  /** Versions of the operator sets by domain. */
  readonly opsets: ReadonlyMap<string, number>
  readonly #elements: InferredTypes['elements']

  /** Infers types and shapes; where the model contradicts itself, a note says so, and its own declarations hold. */
  constructor(model: Model, context: PassContext) {
    this.constants = new Constants(model)
    this.opsets = model.opsets
    const { elements, contradictions } = inferTypes(model, { onContradiction: 'report' })
    this.#elements = elements
    for (const { message } of contradictions) context.note(`the model contradicts itself: ${message}`)
  }

  /** Version of ONNX's own operator set. */
  get opset(): number {
    return this.opsets.get('') ?? 1
  }

  /** What a small tensor of integers or booleans holds: numbers, symbolic sizes, null for what is not known. */
  elements(value: Value | undefined): Elements | undefined {
    return value !== undefined && isInteger(value) ? this.#elements.get(value) : undefined
  }

  /** {@link elements}, where all of them are numbers. */
  ints(value: Value | undefined): readonly number[] | undefined {
    const known = this.constants.ints(value) ?? this.elements(value)
    return known?.every((element) => Number.isSafeInteger(element)) ? (known as readonly number[]) : undefined
  }
}

/**
 * Makes stages that are given the facts. They are inferred anew only after such a stage has changed the model, as
 * inference is most of what simplifying takes: two or three times a model, instead of once a stage.
 */
export function stagesWithFacts(model: Model): (stage: StageWithFacts) => Stage {
  let facts: Facts | undefined
  return (stage) => async (context) => {
    facts ??= new Facts(model, context)
    const known = facts
    if (await changes(context, (inner) => stage(known, inner))) facts = undefined
  }
}

/** A stage that goes by facts. */
export type StageWithFacts = (facts: Facts, context: PassContext) => void | Promise<void>

/** The types that sizes, axes and conditions are computed in. */
export function isInteger({ type }: Value): boolean {
  return (['int64', 'int32', 'bool'] as ElementType[]).includes(type as ElementType)
}

/** Whether two shapes are the same, whatever the names in them stand for. */
export function isSameShape(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return (
    a !== undefined && b !== undefined && a.length === b.length && a.every((dim, axis) => isSame(dim, b[axis] as Dim))
  )
}

const RESHAPING: ReadonlySet<string> = new Set(['Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'])

/** Whether a node gives the elements of its input in their order, in another shape or the same. */
export function isReshaping({ opType, domain }: Node): boolean {
  return domain === '' && RESHAPING.has(opType)
}
