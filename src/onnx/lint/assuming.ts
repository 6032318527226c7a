import type { Value } from '../model/value.js'
import type { RecipeStep } from './finding.js'
import type { InputValues } from './likely-values.js'
import type { ProposedRange } from './propose-shapes.js'

/** Makes constants of those inputs whose values are known; no step where there is none. */
export function fixInputs(inputs: readonly Value[], values: InputValues): RecipeStep[] {
  const known = Object.fromEntries(
    Object.entries(values).filter(([name]) => inputs.some((input) => input.name === name)),
  )
  return Object.keys(known).length === 0 ? [] : [{ pass: 'fix-input', options: { values: known } }]
}

/**
 * Fixes the shapes of inputs at the sizes that an engine would be fastest for, but of those whose values are known; no step
 * where there is none.
 */
export function fixShapes(ranges: { readonly [input: string]: ProposedRange }, values: InputValues): RecipeStep[] {
  const others = Object.entries(ranges).filter(([name]) => !Object.hasOwn(values, name))
  const shapes = Object.fromEntries(others.map(([name, { opt }]) => [name, opt]))
  return others.length === 0 ? [] : [{ pass: 'set-shape', options: { shapes } }]
}
