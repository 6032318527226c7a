import { TrtError } from '../../errors.js'
import { type ElementType, elementTypeNumber } from '../data-types.js'
import { type DimensionProto, newMessage, type TypeProto, type ValueInfoProto } from '../io/proto.js'
import { type Dim, dimsOf, shapeOf, typeNameOf } from '../value-type.js'
import type { Graph } from './graph.js'
import type { Node } from './node.js'
import { SmallSet } from './small-set.js'
import type { ModelTensor } from './tensor.js'

/** What flows between nodes: an input of the graph, an initializer, or the output of a node. */
export class Value {
  /** The graph that it belongs to; nodes of graphs inside may read it too. */
  readonly graph: Graph
  #name: string
  readonly #state = new ValueState()

  /** @internal */
  constructor(graph: Graph, name: string) {
    this.graph = graph
    this.#name = name
  }

  get name(): string {
    return this.#name
  }

  /** The node that gives it; undefined for inputs and initializers. */
  get producer(): Node | undefined {
    return this.#state.producer
  }

  /** The nodes that read it, those of graphs inside included; each once. */
  get consumers(): readonly Node[] {
    return [...this.#state.consumers]
  }

  /** Its constant elements, where it is an initializer (of a graph of IR version 3 also where it is an input). */
  get initializer(): ModelTensor | undefined {
    return this.#state.initializer
  }

  /** Whether `graph.inputs` has it. */
  get isInput(): boolean {
    return this.graph.inputs.includes(this)
  }

  /** Whether it is an output of its graph, or of one inside. */
  get isOutput(): boolean {
    return this.#state.outputOf.length > 0
  }

  /** Whether no node reads it and no graph gives it out. */
  get isUnused(): boolean {
    return this.#state.consumers.size === 0 && this.#state.outputOf.length === 0
  }

  /** An element type; or such as `sequence(float32)`; `undefined` (the text) where the model does not say. */
  get type(): string {
    const { infos, initializer } = this.#state
    const info = infos.find(({ type }) => type !== undefined)
    return info === undefined && initializer !== undefined ? initializer.type : typeNameOf(info?.type)
  }

  /** Sizes, symbolic names, or null for unknown ones; undefined where the model does not tell the rank. */
  get dims(): readonly Dim[] | undefined {
    const { infos, initializer } = this.#state
    const info = infos.find(({ type }) => shapeOf(type) !== undefined)
    return info === undefined ? initializer?.dims : dimsOf(info.type)
  }

  /**
   * Says of which type and shape the value is, wherever the model declares it.
   *
   * @param dims undefined for an unknown rank
   */
  setType(type: ElementType, dims: readonly Dim[] | undefined): void {
    if (this.#state.infos.length === 0) this.graph.declare(this)
    for (const info of this.#state.infos) {
      info.type = tensorType(type, dims, info.type)
      info.$touched = true
    }
    this.graph.touch()
  }

  /** @internal as {@link setType}, for types that are no tensors' */
  setTypeProto(make: () => TypeProto): void {
    if (this.#state.infos.length === 0) this.graph.declare(this)
    for (const info of this.#state.infos) Object.assign(info, { type: make(), $touched: true })
    this.graph.touch()
  }

  /**
   * Changes the name, also where nodes and graphs refer to it.
   *
   * @throws {TrtError} `INVALID_ARGUMENT` where the name is in use or empty
   */
  rename(name: string): void {
    if (name === this.#name) return
    const old = this.#name
    this.graph.moveName(this, name)
    this.#name = name
    const { infos, initializer, producer, consumers, outputOf } = this.#state
    for (const info of infos) {
      info.name = name
      info.$touched = true
    }
    if (initializer !== undefined) {
      initializer.proto.name = name
      initializer.proto.$touched = true
    }
    producer?.renamed(old, name)
    for (const node of consumers) node.renamed(old, name)
    for (const graph of outputOf) graph.touch()
  }

  /**
   * Makes everybody who uses this value use another one, which then takes its place and name among the graph's outputs
   * too. The node that gives `other` keeps this value as its input, so that a node can be put behind a value.
   *
   * @throws {TrtError} `INVALID_ARGUMENT` where `other` cannot be seen from where this one is used
   */
  replaceUsesWith(other: Value): void {
    if (other === this) return
    this.graph.checkSees(other)
    if (this.isOutput && this.isInput) {
      throw new TrtError(
        'INVALID_ARGUMENT',
        `value "${this.name}" is an input and an output, so nothing can replace it`,
      )
    }
    for (const node of this.consumers) if (node !== other.producer) node.replaceInput(this, other)
    if (this.isOutput) this.graph.replaceOutput(this, other)
  }

  /** @internal what Graph and Node keep here */
  get state(): ValueState {
    return this.#state
  }
}

/** @internal What Graph and Node keep of a value. Lists are replaced, never changed: most values share the empty one. */
export class ValueState {
  producer: Node | undefined = undefined
  readonly consumers = new SmallSet<Node>()
  initializer: ModelTensor | undefined = undefined
  /** The graphs that have it among their outputs. */
  outputOf: readonly Graph[] = NONE
  /** Where the model declares it: as input, output, and in value_info. */
  infos: readonly ValueInfoProto[] = NONE

  declare(info: ValueInfoProto): void {
    this.infos = [...this.infos, info]
  }

  addOutputOf(graph: Graph): void {
    if (!this.outputOf.includes(graph)) this.outputOf = [...this.outputOf, graph]
  }

  deleteOutputOf(graph: Graph): void {
    this.outputOf = this.outputOf.filter((other) => other !== graph)
  }
}

const NONE: readonly never[] = []

/** A tensor's type. What `old` says besides (denotations, unknown fields) is kept. */
export function tensorType(type: ElementType, dims: readonly Dim[] | undefined, old?: TypeProto): TypeProto {
  const result = old ?? newMessage('TypeProto')
  const tensor = result.tensorType ?? newMessage('TensorTypeProto')
  const shape = tensor.shape ?? newMessage('TensorShapeProto')
  if (dims !== undefined) {
    shape.dim = dims.map((dim, axis) => dimension(dim, shape.dim[axis]))
    shape.$touched = true
  }
  Object.assign(tensor, {
    elemType: elementTypeNumber(type),
    shape: dims === undefined ? undefined : shape,
    $touched: true,
  })
  const others = { sequenceType: undefined, mapType: undefined, sparseTensorType: undefined, optionalType: undefined }
  return Object.assign(result, others, { tensorType: tensor, $touched: true })
}

function dimension(dim: Dim, old: DimensionProto = newMessage('DimensionProto')): DimensionProto {
  old.dimValue = typeof dim === 'number' ? dim : undefined
  old.dimParam = typeof dim === 'string' ? dim : undefined
  old.$touched = true
  return old
}
