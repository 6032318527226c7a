import type { AttributeValues } from '../../model/attribute.js'
import type { Node } from '../../model/node.js'

/** Attributes that name a plugin, instead of being fields of it. */
const ABOUT_PLUGIN = ['name', 'info', 'plugin_version', 'plugin_namespace']

/**
 * The fields of a plugin's node: its attributes, and what a text attribute `info` holds as a JSON object. That is how
 * symbolic functions for PyTorch's exporter pass fields on, in a node of op type `Plugin` or in one of the plugin's own
 * name. Keys of `info` may end in `_i`, `_f` or `_s`, as such functions write types.
 */
export class PluginFields {
  readonly #node: Node
  readonly #info: Readonly<Record<string, unknown>>

  constructor(node: Node) {
    this.#node = node
    this.#info = parseInfo(node.get('info', 'string', ''))
  }

  /** Names of all attributes, fields or not. */
  get attributeNames(): string[] {
    return this.#node.attributes.map(({ name }) => name)
  }

  /** Fields that are not among `known`. */
  unknown(known: readonly string[]): string[] {
    const names = [...this.attributeNames, ...Object.keys(this.#info)]
    return names.filter((name) => !ABOUT_PLUGIN.includes(name) && !known.includes(name))
  }

  number(name: string): number | undefined {
    const attribute = this.#node.attribute(name)
    const value = attribute === undefined ? this.#info[name] : attribute.value
    const number = Array.isArray(value) && value.length === 1 ? value[0] : value
    return typeof number === 'number' || typeof number === 'bigint' ? Number(number) : undefined
  }

  numbers(name: string): readonly number[] | undefined {
    const attribute = this.#node.attribute(name)
    const value: AttributeValues[keyof AttributeValues] | unknown =
      attribute === undefined ? this.#info[name] : attribute.value
    if (Array.isArray(value)) return value.map(Number)
    return value === undefined ? undefined : [Number(value)]
  }
}

/** Text that is no JSON object is a remark, of which nothing can be read. */
function parseInfo(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {}
    return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key.replace(/_[ifs]$/, ''), value]))
  } catch {
    return {}
  }
}
