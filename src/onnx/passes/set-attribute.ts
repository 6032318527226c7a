import { isNonEmptyString, isOneOf } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { AttributeType } from '../model/attribute.js'
import { definePass } from './pass.js'
import { isPlainValue, isSameValue, PLAIN_TYPES, type PlainValue, typeOf } from './plain-attribute.js'
import { NODE_SELECTION_OPTIONS, type NodeSelection, selectNodes } from './select-nodes.js'

/** Options of {@link setAttribute}. */
export interface SetAttributeOptions extends NodeSelection {
  /** The attribute's name. */
  readonly name: string | undefined
  /** The value; undefined takes the attribute away. */
  readonly value: PlainValue | undefined
  /** The attribute's type. Default: as the node has it already, else by the value (whole numbers are `int`). */
  readonly type: (typeof PLAIN_TYPES)[number] | undefined
}

/**
 * Sets an attribute of the selected nodes, or takes it away.
 *
 * @example onnx.setAttribute({ ops: ['InstanceNormalization'], name: 'epsilon', value: 1e-4 })
 */
export const setAttribute = definePass<SetAttributeOptions>({
  name: 'set-attribute',
  summary: 'Sets an attribute of the selected nodes, or takes it away where no value is given',
  keepsMeaning: false,
  options: {
    ...NODE_SELECTION_OPTIONS,
    name: { kind: 'text', doc: "the attribute's name", check: isNonEmptyString },
    value: { kind: 'json', doc: 'the value; left out, the attribute is taken away', check: isPlainValue },
    type: {
      kind: 'text',
      doc: `${PLAIN_TYPES.join(', ')}; default: as it was, else by the value`,
      check: isOneOf(...PLAIN_TYPES),
    },
  },
  defaults: { name: undefined, value: undefined, type: undefined },
  apply(model, { name, value, type, ...selection }, context) {
    if (name === undefined) throw new TrtError('INVALID_ARGUMENT', 'set-attribute: expected a name, received none')
    for (const node of selectNodes(model, selection)) {
      const present = node.attribute(name)
      if (value === undefined) {
        if (present === undefined) continue
        node.delete(name)
        context.change(node, `attribute ${name} taken away`)
        continue
      }
      const wanted = type ?? (present?.type as AttributeType | undefined) ?? typeOf(value)
      const content = wanted === 'float' && typeof value === 'number' ? Math.fround(value) : value
      if (present?.type === wanted && isSameValue(present.value, content)) continue
      node.set(name, wanted, content as never)
      context.change(node, `attribute ${name} set to ${JSON.stringify(value)}`)
    }
  },
})
