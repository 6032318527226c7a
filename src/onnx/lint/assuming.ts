import type { RecipeStep } from './finding.js'
import type { InputValues } from './likely-values.js'
import type { ProposedRange } from './propose-shapes.js'

/** Makes constants of the inputs whose values are known; no step where none is. */
export function fixInputs(values: InputValues): RecipeStep[] {
  return Object.keys(values).length === 0 ? [] : [{ pass: 'fix-input', options: { values } }]
}

/** Fixes the shapes of inputs at the sizes that an engine would be fastest for; no step where there is none. */
export function fixShapes(ranges: { readonly [input: string]: ProposedRange }): RecipeStep[] {
  const shapes = Object.fromEntries(Object.entries(ranges).map(([name, { opt }]) => [name, opt]))
  return Object.keys(shapes).length === 0 ? [] : [{ pass: 'set-shape', options: { shapes } }]
}
