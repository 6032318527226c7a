import type { Model } from '../model/model.js'
import type { Value } from '../model/value.js'
import { Constants } from '../passes/constants.js'

/** By input, its elements, or one number for all of them, as the pass `fix-input` takes them. */
export type InputValues = { readonly [input: string]: number | boolean | readonly (number | boolean)[] }

/**
 * What inputs are likely to be fed with: the number that the model itself compares one with, such as a sample rate. Of
 * several the first one. Who uses it says so: it is an assumption.
 */
export function likelyValues(model: Model): InputValues {
  const constants = new Constants(model)
  const inputs = new Set<Value>(model.graph.fedInputs)
  const found: Record<string, number> = {}
  for (const graph of model.graphs()) {
    for (const {
      opType,
      domain,
      inputs: [a, b],
    } of graph.nodes) {
      if (opType !== 'Equal' || domain !== '') continue
      for (const [input, other] of [
        [a, b],
        [b, a],
      ]) {
        const [number, ...more] = constants.ints(other) ?? []
        const source = sourceOf(input)
        if (source === undefined || number === undefined || more.length > 0 || !inputs.has(source)) continue
        found[source.name] ??= number
      }
    }
  }
  return found
}

/** What gives the elements of their first input, or one of them. */
const PASSING: ReadonlySet<string> = new Set(['Cast', 'Gather', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'])

function sourceOf(value: Value | undefined): Value | undefined {
  let source = value
  while (source?.producer !== undefined && PASSING.has(source.producer.opType)) source = source.producer.inputs[0]
  return source
}
