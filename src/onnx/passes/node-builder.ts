import { type ElementType, elementTypeNumber } from '../data-types.js'
import type { AttributeContent } from '../model/attribute.js'
import type { Graph } from '../model/graph.js'
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { floatTensor, int64s } from './constants.js'
import { isRemoved } from './matching/sweep.js'

/** Attributes as {@link Graph.addNode} takes them. */
export type Attributes = { readonly [name: string]: AttributeContent }

/** Adds nodes of one output each, for passes that put several in the place of one; equal scalars are shared. */
export class NodeBuilder {
  readonly graph: Graph
  #prefix = ''
  readonly #scalars = new Map<string, Value>()

  constructor(graph: Graph) {
    this.graph = graph
  }

  /** What is added from now on is named after a node, which it takes the place of. */
  for(node: Node): this {
    this.#prefix = node.label
    return this
  }

  /** @param output a value that the node is to give from now on; default a new one */
  add(opType: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}, output?: Value): Value {
    const name = `${this.#prefix}_${opType}`
    const node = this.graph.addNode({ opType, name, inputs, attributes, ...(output && { outputs: [output] }) })
    return node.outputs[0] as Value
  }

  cast(value: Value, type: ElementType, output?: Value): Value {
    return this.add('Cast', [value], { to: ['int', elementTypeNumber(type)] }, output)
  }

  /** A float constant of rank 0. */
  scalar(value: number, type = 'float32'): Value {
    const key = `${type} ${value}`
    const known = this.#scalars.get(key)
    if (known !== undefined && !isRemoved(known)) return known
    const made = addConstant(this.graph, floatTensor(type, [value], []), `${this.#prefix}_scalar`)
    this.#scalars.set(key, made)
    return made
  }

  /** An int64 constant, as shapes and axes are. */
  ints(values: readonly number[], dims?: readonly number[]): Value {
    return addConstant(this.graph, int64s(values, dims), `${this.#prefix}_ints`)
  }
}

/** All attributes of a node but those named, for a node of another op that shares them. */
export function attributesOf(node: Node, except: readonly string[] = []): Attributes {
  return Object.fromEntries(
    node.attributes
      .filter(({ name }) => !except.includes(name))
      .map(({ name, type, value }) => [name, [type, value] as unknown as AttributeContent]),
  )
}
