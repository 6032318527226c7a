import { isInteger, isNonEmptyString, isPlainObject, isTexts } from '../../check.js'
import { TrtError } from '../../errors.js'
import { definePass } from './pass.js'
import { contentOf, isPlainValue, isSameValue, type PlainValue } from './plain-attribute.js'
import { NODE_SELECTION_OPTIONS, type NodeSelection, selectNodes } from './select-nodes.js'

/** Options of {@link renameOp}. */
export interface RenameOpOptions extends NodeSelection {
  /** The new op type, with its domain where that is not ONNX's own: `CustomPRelu`, `my.ops:Swish`. */
  readonly to: string | undefined
  /** Attributes that the nodes get, or get other values of; those of the same type as before keep that type. */
  readonly attributes: { readonly [name: string]: PlainValue }
  /** Names of attributes that the nodes lose. */
  readonly without: readonly string[]
  /** The version of the new op's operator set, where the model does not import that set so far. Default 1. */
  readonly opset: number
}

/**
 * Gives the selected nodes another op type, domain, and attributes; inputs and outputs stay. `use-plugins` does it for the
 * operators of this package's plugin library.
 *
 * @example onnx.renameOp({ ops: ['Mish'], to: 'CustomMish', attributes: { plugin_version: '2' } })
 */
export const renameOp = definePass<RenameOpOptions>({
  name: 'rename-op',
  summary: 'Gives the selected nodes another op type, domain, and attributes',
  keepsMeaning: false,
  options: {
    ...NODE_SELECTION_OPTIONS,
    to: { kind: 'text', doc: 'the new op type, e.g. CustomPRelu or my.ops:Swish', check: isNonEmptyString },
    attributes: { kind: 'json', doc: 'attributes to set, by name', check: isAttributes },
    without: { kind: 'texts', doc: 'names of attributes to take away', check: isTexts() },
    opset: { kind: 'number', doc: "version of the new op's operator set", check: isInteger(1, 2 ** 31 - 1) },
  },
  defaults: { to: undefined, attributes: {}, without: [], opset: 1 },
  apply(model, { to, attributes, without, opset, ...selection }, context) {
    if (to === undefined) throw new TrtError('INVALID_ARGUMENT', 'rename-op: expected the new op type, received none')
    if (selection.ops === undefined && selection.nodes === undefined) {
      throw new TrtError('INVALID_ARGUMENT', 'rename-op: expected ops or nodes to rename, received neither')
    }
    const colon = to.lastIndexOf(':')
    const [domain, opType] = [to.slice(0, Math.max(colon, 0)), to.slice(colon + 1)]
    for (const node of selectNodes(model, selection)) {
      const where = String(node)
      const done: string[] = []
      if (node.opType !== opType || node.domain !== domain) {
        node.opType = opType
        node.domain = domain
        done.push(`renamed to ${to}`)
      }
      for (const name of without.filter((name) => node.attribute(name) !== undefined)) {
        node.delete(name)
        done.push(`attribute ${name} taken away`)
      }
      for (const [name, value] of Object.entries(attributes)) {
        const present = node.attribute(name)
        const isFloat = present?.type === 'float' && typeof value === 'number'
        const [type, content] = isFloat ? contentOf(Math.fround(value), 'float') : contentOf(value)
        if (present?.type === type && isSameValue(present.value, content)) continue
        node.set(name, type, content as never)
        done.push(`attribute ${name} set to ${JSON.stringify(value)}`)
      }
      if (done.length > 0) context.change(where, done.join(', '))
      if (!model.opsets.has(domain)) model.setOpset(domain, opset)
    }
  },
})

function isAttributes(value: unknown): string | undefined {
  const fits = isPlainObject(value) && Object.values(value).every((item) => isPlainValue(item) === undefined)
  return fits ? undefined : 'an object of numbers, texts, or arrays of either, by name'
}
