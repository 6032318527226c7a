import { TrtError } from '../../errors.js'
import { type AttributeProto, type Int, type NodeProto, newMessage } from '../io/proto.js'
import {
  Attribute,
  type AttributeContent,
  type AttributeType,
  type AttributeValues,
  makeAttribute,
} from './attribute.js'
import { Graph } from './graph.js'
import { Metadata } from './metadata.js'
import type { Value } from './value.js'

/** Lists are replaced, never changed: most nodes share the empty one for something. */
const NONE: readonly never[] = []

/** One operation of a graph. */
export class Node {
  /** The graph that it belongs to. */
  readonly graph: Graph
  /** @internal */
  readonly proto: NodeProto
  #inputs: readonly (Value | undefined)[] = NONE
  #outputs: readonly (Value | undefined)[] = NONE
  /** By attribute: the graphs in it. Most nodes have none. */
  #subgraphs: Map<AttributeProto, Graph[]> | undefined

  /** @internal use {@link Graph.addNode} */
  constructor(graph: Graph, proto: NodeProto) {
    this.graph = graph
    this.proto = proto
  }

  get name(): string {
    return this.proto.name ?? ''
  }

  set name(name: string) {
    this.graph.context.nodeNames.delete(this.name)
    this.graph.context.nodeNames.add(name)
    this.proto.name = name
    this.touch()
  }

  get opType(): string {
    return this.proto.opType ?? ''
  }

  set opType(opType: string) {
    if (opType === '') throw new TrtError('INVALID_ARGUMENT', 'opType: expected a name, received ""')
    this.proto.opType = opType
    this.touch()
  }

  /** The operator set of the op; `''` is ONNX's own, also where the model calls it `ai.onnx`. */
  get domain(): string {
    const { domain } = this.proto
    return domain === undefined || domain === 'ai.onnx' ? '' : domain
  }

  set domain(domain: string) {
    this.proto.domain = domain === '' ? undefined : domain
    this.touch()
  }

  /** The values it reads, undefined where an optional input is left out. */
  get inputs(): readonly (Value | undefined)[] {
    return this.#inputs
  }

  /** @throws {TrtError} `INVALID_ARGUMENT` where a value cannot be seen from here */
  set inputs(inputs: readonly (Value | undefined)[]) {
    for (const value of inputs) if (value !== undefined) this.graph.checkSees(value)
    for (const value of new Set(this.#inputs)) value?.state.consumers.delete(this)
    this.#inputs = [...inputs]
    for (const value of inputs) value?.state.consumers.add(this)
    this.#syncInputs()
    this.graph.touchOrder()
  }

  /** The values it gives, undefined where an optional output is left out. */
  get outputs(): readonly (Value | undefined)[] {
    return this.#outputs
  }

  /** Sets one input; undefined leaves it out. Inputs before it that are not there yet are left out too. */
  setInput(index: number, value: Value | undefined): void {
    const inputs = [...this.#inputs]
    while (inputs.length <= index) inputs.push(undefined)
    inputs[index] = value
    this.inputs = inputs
  }

  /** Reads `replacement` wherever it read `value`; graphs inside are nodes of their own, and stay as they are. */
  replaceInput(value: Value, replacement: Value | undefined): void {
    this.inputs = this.#inputs.map((input) => (input === value ? replacement : input))
  }

  /** Takes the node out of its graph. @throws {TrtError} `INVALID_ARGUMENT` where one of its outputs is in use */
  remove(): void {
    this.graph.removeNode(this)
  }

  /** Takes away the outputs behind the first `count`. @throws {TrtError} `INVALID_ARGUMENT` where one is in use */
  trimOutputs(count: number): void {
    const gone = this.#outputs.slice(count).filter((value) => value !== undefined)
    const used = gone.find((value) => !value.isUnused)
    if (used !== undefined) {
      throw new TrtError('INVALID_ARGUMENT', `${this}: its output "${used.name}" cannot be taken away: it is in use`)
    }
    for (const value of gone) this.graph.forget(value)
    this.#outputs = this.#outputs.slice(0, count)
    this.proto.output = this.proto.output.slice(0, count)
    this.touch()
  }

  /** All attributes. */
  get attributes(): readonly Attribute[] {
    return this.proto.attribute.map((proto) => this.#attribute(proto))
  }

  /** An attribute; undefined where the node does not have it. */
  attribute(name: string): Attribute | undefined {
    const proto = this.proto.attribute.find((attribute) => attribute.name === name)
    return proto && this.#attribute(proto)
  }

  /** An attribute's value where it is there and of this type, else `otherwise`, such as the op's default. */
  get<T extends AttributeType>(name: string, type: T): AttributeValues[T] | undefined
  get<T extends AttributeType>(name: string, type: T, otherwise: AttributeValues[T]): AttributeValues[T]
  get(name: string, type: AttributeType, otherwise?: unknown): unknown {
    const attribute = this.attribute(name)
    return attribute?.type === type ? (attribute.value ?? otherwise) : otherwise
  }

  /** An `ints` attribute as plain numbers, such as axes and pads. */
  getInts(name: string): number[] | undefined {
    return this.get(name, 'ints')?.map(Number)
  }

  /** An `int` attribute as a plain number, such as an axis. */
  getInt(name: string): number | undefined
  getInt(name: string, otherwise: number): number
  getInt(name: string, otherwise?: number): number | undefined {
    const value: Int | undefined = this.get(name, 'int')
    return value === undefined ? otherwise : Number(value)
  }

  /**
   * Sets an attribute, in the place of the one of this name if there is one.
   *
   * @example node.set('epsilon', 'float', 1e-4)
   * @throws {TrtError} `INVALID_ARGUMENT` where the value is not of the type
   */
  set<T extends AttributeType>(name: string, type: T, value: AttributeValues[T]): void {
    const made = makeAttribute(name, type, value)
    if (type === 'graph' || type === 'graphs') {
      throw new TrtError('INVALID_ARGUMENT', `attribute "${name}": expected a plain value, received a graph`, {
        hint: 'Use addSubgraph.',
      })
    }
    this.#put(made)
  }

  /** Removes an attribute, with the graphs in it. */
  delete(name: string): void {
    const { proto } = this
    const gone = proto.attribute.find((attribute) => attribute.name === name)
    if (gone === undefined) return
    for (const graph of this.#subgraphs?.get(gone) ?? []) graph.clear()
    this.#subgraphs?.delete(gone)
    proto.attribute = proto.attribute.filter((attribute) => attribute !== gone)
    this.touch()
  }

  /** The graphs in its attributes: the branches of If, the bodies of Loop and Scan. */
  get subgraphs(): readonly Graph[] {
    return this.#subgraphs === undefined ? NONE : [...this.#subgraphs.values()].flat()
  }

  /** The values that it reads, those that graphs inside it read from outside or give out included; each once. */
  get reads(): readonly Value[] {
    const values = new Set(this.#inputs.filter((value) => value !== undefined))
    for (const graph of this.subgraphs) {
      for (const value of graph.outputs) values.add(value)
      for (const inner of graph.nodesAsAdded) for (const value of inner.reads) values.add(value)
      for (const value of graph.values) values.delete(value)
    }
    return [...values]
  }

  /** Makes an empty graph the value of an attribute. */
  addSubgraph(name: string): Graph {
    this.delete(name)
    const proto = newMessage('GraphProto', { name })
    const graph = new Graph(proto, this.graph.context, this)
    const attribute = newMessage('AttributeProto', { name, type: 5, g: proto })
    this.#subgraphs ??= new Map()
    this.#subgraphs.set(attribute, [graph])
    this.#put(attribute)
    return graph
  }

  /** Texts that tools attached. */
  get metadata(): Metadata {
    return new Metadata(this.proto)
  }

  /** What to call it: its name, or that of what it gives first, or its op. */
  get label(): string {
    return this.name || this.outputs[0]?.name || this.opType
  }

  /** As it would be written in a listing: `y = Conv(x, w) {group: 1}`. */
  toString(): string {
    return `${this.domain === '' ? '' : `${this.domain}:`}${this.opType}${this.name === '' ? '' : ` "${this.name}"`}`
  }

  /** @internal */
  touch(): void {
    this.proto.$touched = true
  }

  /** @internal takes values that carry this node already */
  link(
    inputs: readonly (Value | undefined)[],
    outputs: readonly (Value | undefined)[],
    graphs: Map<AttributeProto, Graph[]> | undefined,
  ): void {
    this.#inputs = inputs
    this.#outputs = outputs
    this.#subgraphs = graphs
    for (const value of inputs) value?.state.consumers.add(this)
    for (const value of outputs) if (value !== undefined) value.state.producer = this
  }

  /** @internal */
  setOutput(index: number, value: Value | undefined): void {
    this.#outputs = this.#outputs.with(index, value)
    this.proto.output = this.#outputs.map((output) => output?.name ?? '')
    this.touch()
  }

  /** @internal a value that it reads or gives has another name */
  renamed(old: string, name: string): void {
    const { proto } = this
    proto.input = proto.input.map((input) => (input === old ? name : input))
    proto.output = proto.output.map((output) => (output === old ? name : output))
    for (const { shardingSpec } of proto.deviceConfigurations) {
      for (const spec of shardingSpec) {
        if (spec.tensorName !== old) continue
        spec.tensorName = name
        spec.$touched = true
      }
    }
    this.touch()
  }

  #syncInputs(): void {
    this.proto.input = this.#inputs.map((input) => input?.name ?? '')
    this.touch()
  }

  #attribute(proto: AttributeProto): Attribute {
    return new Attribute(proto, this.graph.context.external, this.#subgraphs?.get(proto) ?? [])
  }

  #put(made: AttributeProto): void {
    const { proto } = this
    const index = proto.attribute.findIndex((attribute) => attribute.name === made.name)
    const old = proto.attribute[index]
    for (const graph of (old && this.#subgraphs?.get(old)) ?? []) graph.clear()
    if (old !== undefined) this.#subgraphs?.delete(old)
    proto.attribute = index < 0 ? [...proto.attribute, made] : proto.attribute.with(index, made)
    this.touch()
  }
}

/** What {@link Graph.addNode} takes. */
export interface NodeSpec {
  readonly opType: string
  /** Default: ONNX's own, `''`. */
  readonly domain?: string
  /** Default: made from the op's name. */
  readonly name?: string
  /** Values, or their names; undefined or `''` leaves an optional one out. */
  readonly inputs?: readonly (Value | string | undefined)[]
  /**
   * Names of new values; a value that is there is taken over from the node that gives it now (which goes, when it gives
   * nothing else), with its name and everybody who uses it. Default: one, named after the node.
   */
  readonly outputs?: readonly (Value | string | undefined)[]
  readonly attributes?: { readonly [name: string]: AttributeContent }
}
