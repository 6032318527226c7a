import { isNonEmptyString, isPlainObject } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { Value } from '../model/value.js'
import { definePass } from './pass.js'

/** Options of {@link renameValues}. */
export interface RenameValuesOptions {
  /** New names by old ones: of inputs, outputs, constants, or values in between. */
  readonly names: { readonly [old: string]: string }
  /** What the name of every value begins with afterwards, e.g. before two models are joined. `names` come first. */
  readonly prefix: string | undefined
}

/**
 * Renames values, everywhere they are spoken of, in graphs inside too. The bodies of functions have names of their own,
 * which stay.
 *
 * @example onnx.renameValues({ names: { 'serving_default_input_2:0': 'audio', output_0: 'notes' } })
 */
export const renameValues = definePass<RenameValuesOptions>({
  name: 'rename-values',
  summary: 'Renames inputs, outputs, and other values',
  keepsMeaning: true,
  options: {
    names: { kind: 'json', doc: 'new names by old ones, e.g. {"input_1": "images"}', check: isNames },
    prefix: { kind: 'text', doc: 'what the name of every value begins with afterwards', check: isNonEmptyString },
  },
  defaults: { names: {}, prefix: undefined },
  apply(model, { names, prefix }, context) {
    const values = new Map<string, Value[]>()
    const isOfFunction = new Set(model.functions.map(({ graph }) => graph))
    for (const graph of model.graphs()) {
      let root = graph
      while (root.owner !== undefined) root = root.owner.graph
      if (isOfFunction.has(root)) continue
      // The branches of an If may use a name each.
      for (const value of graph.values) values.set(value.name, [...(values.get(value.name) ?? []), value])
    }
    const rename = (value: Value, name: string): void => {
      const old = value.name
      value.rename(name)
      context.change(name, `renamed from ${old}`)
    }
    for (const [old, name] of Object.entries(names)) {
      const wanted = prefix === undefined || name.startsWith(prefix) ? name : `${prefix}${name}`
      const found = values.get(old) ?? []
      if (found.length === 0 && values.has(wanted)) continue
      const [value] = found
      if (value === undefined || found.length > 1) {
        const reason = value === undefined ? 'no value' : 'several values'
        throw new TrtError('INVALID_ARGUMENT', `rename-values: the model has ${reason} ${JSON.stringify(old)}`, {
          hint: 'tensorrt-node surgeon show MODEL lists the values',
        })
      }
      rename(value, wanted)
    }
    if (prefix === undefined) return
    for (const value of [...values.values()].flat()) {
      if (!value.name.startsWith(prefix)) rename(value, value.graph.uniqueName(`${prefix}${value.name}`))
    }
  },
})

/** A name that is given and taken away at once would be another one each time the pass is applied. */
function isNames(names: unknown): string | undefined {
  const fits =
    isPlainObject(names) &&
    new Set(Object.values(names)).size === Object.keys(names).length &&
    Object.entries(names).every(
      ([old, name]) => old !== '' && typeof name === 'string' && name !== '' && !Object.hasOwn(names, name),
    )
  return fits ? undefined : 'an object of new names by old ones, none of them twice, and no new one among the old ones'
}
