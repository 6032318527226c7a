import { TrtError } from '../../errors.js'
import type { TensorLike } from '../../tensor.js'
import type { ElementType } from '../data-types.js'
import type { ExternalData } from '../io/external-data.js'
import {
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  newMessage,
  type SparseTensorProto,
  type ValueInfoProto,
} from '../io/proto.js'
import type { Dim } from '../value-type.js'
import { renameAnnotations } from './annotations.js'
import { makeAttribute } from './attribute.js'
import { Metadata } from './metadata.js'
import type { Names } from './names.js'
import { Node, type NodeSpec } from './node.js'
import { matches, type NodeQuery } from './node-query.js'
import { type PruneResult, prune } from './prune.js'
import { ModelTensor, type RawTensor } from './tensor.js'
import { topologicalOrder } from './topological-order.js'
import { tensorType, Value } from './value.js'

/** @internal What a graph shares with the graphs inside it. */
export interface GraphContext {
  readonly external: ExternalData
  /** Before IR version 4, every initializer is listed among the inputs too. */
  readonly initializersAreInputs: boolean
  /** Names of values. */
  readonly names: Names
  readonly nodeNames: Names
}

/**
 * A graph: the model's own, one in an attribute (the branches of If, the bodies of Loop and Scan), or a function's body.
 *
 * Invariants, kept by every edit: names are unique; a value has one producer; a node reads only what can be seen from
 * where it is; `nodes` is in topological order once something was edited. A model that comes in another order keeps it
 * until then, so that it is written as it was read.
 *
 * The file is long because all that can break an invariant is in it: the lists are private.
 */
export class Graph {
  /** The node that it is inside of; undefined for the model's own graph and a function's body. */
  readonly owner: Node | undefined
  /** @internal */
  readonly proto: GraphProto | FunctionProto
  /** @internal */
  readonly context: GraphContext
  readonly #values = new Map<string, Value>()
  #nodes = new Set<Node>()
  #list: readonly Node[] | undefined
  #inputs: { value: Value; info: ValueInfoProto | undefined }[] = []
  #outputs: { value: Value; info: ValueInfoProto | undefined }[] = []
  readonly #initializers = new Set<Value>()
  readonly #sparse = new Map<Value, SparseTensorProto>()
  readonly #valueInfos: Set<ValueInfoProto>
  #changed = false
  #orderChanged = false

  /** @internal */
  constructor(proto: GraphProto | FunctionProto, context: GraphContext, owner?: Node) {
    this.proto = proto
    this.context = context
    this.owner = owner
    this.#valueInfos = new Set(proto.valueInfo)
    this.#linkSources()
    this.#linkNodes(proto.node)
    for (const output of proto.output) {
      const [name, info] = nameAndInfo(output)
      this.#pushOutput(this.#resolve(name), info)
    }
    for (const info of proto.valueInfo) this.#values.get(info.name ?? '')?.state.declare(info)
  }

  get name(): string {
    return this.proto.name ?? ''
  }

  set name(name: string) {
    this.proto.name = name
    this.touch()
  }

  /** The nodes, in topological order once something was edited. */
  get nodes(): readonly Node[] {
    if (this.#orderChanged) this.#sort()
    this.#list ??= [...this.#nodes]
    return this.#list
  }

  /** All inputs; in models of IR version 3 and before, those that are initializers too. */
  get inputs(): readonly Value[] {
    return this.#inputs.map(({ value }) => value)
  }

  /** The inputs that have to be fed: {@link inputs} that are no initializers. */
  get fedInputs(): readonly Value[] {
    return this.inputs.filter(({ initializer }) => initializer === undefined)
  }

  get outputs(): readonly Value[] {
    return this.#outputs.map(({ value }) => value)
  }

  /** The constants, sparse ones excepted; `graph.value(tensor.name)` is the value of each. */
  get initializers(): readonly ModelTensor[] {
    return [...this.#initializers].map(({ initializer }) => initializer as ModelTensor)
  }

  /** The values of all constants: of {@link initializers}, and the sparse ones. */
  get constants(): readonly Value[] {
    return [...this.#initializers, ...this.#sparse.keys()]
  }

  /** Every value of this graph, in no order that matters; those of graphs inside are theirs. */
  get values(): readonly Value[] {
    return [...this.#values.values()]
  }

  /** The value of a name, of this graph only. */
  value(name: string): Value | undefined {
    return this.#values.get(name)
  }

  /** The first node of a name. */
  node(name: string): Node | undefined {
    return this.nodes.find((node) => node.name === name)
  }

  /** Nodes by op, name (a text is the whole name), or whatever `where` says. */
  find(query: NodeQuery): Node[] {
    const found: Node[] = []
    for (const node of this.nodes) {
      if (matches(node, query)) found.push(node)
      if (query.nested) for (const graph of node.subgraphs) found.push(...graph.find(query))
    }
    return found
  }

  /** Texts that tools attached. */
  get metadata(): Metadata {
    return new Metadata(this.proto)
  }

  /** A name that no value uses: `base` where it is free, else `base_1`, … */
  uniqueName(base: string): string {
    return this.context.names.unique(base)
  }

  /**
   * Adds a node. Its place follows from what it reads and who reads it.
   *
   * @throws {TrtError} `INVALID_ARGUMENT` where an input is unknown, an output's name is in use, an attribute's value
   *   does not fit its type
   */
  addNode({ opType, domain = '', name, inputs = [], outputs, attributes = {} }: NodeSpec): Node {
    if (!opType) throw new TrtError('INVALID_ARGUMENT', `opType: expected a name, received ${JSON.stringify(opType)}`)
    const made = Object.entries(attributes).map(([key, [type, value]]) => makeAttribute(key, type, value))
    if (made.some(({ g, graphs }) => g !== undefined || graphs.length > 0)) {
      throw new TrtError('INVALID_ARGUMENT', `${opType}: expected plain attributes, received a graph`, {
        hint: 'Add the node first, then use node.addSubgraph.',
      })
    }
    const nodeName = this.context.nodeNames.unique(name ?? opType)
    const reads = inputs.map((input) => this.#inputOf(input))
    const gives = this.#outputsOf(outputs ?? [this.uniqueName(`${nodeName}_output`)])
    const fields = { name: nodeName, opType, domain: domain || undefined, attribute: made }
    const proto: NodeProto = newMessage('NodeProto', { ...fields, output: gives.map((value) => value?.name ?? '') })
    const node = new Node(this, proto)
    node.link([], gives, undefined)
    this.context.nodeNames.add(nodeName)
    this.#nodes.add(node)
    this.#list = undefined
    node.inputs = reads
    this.touch()
    return node
  }

  /** @throws {TrtError} `INVALID_ARGUMENT` where one of its outputs is in use */
  removeNode(node: Node): void {
    const used = node.outputs.find((value) => value !== undefined && !value.isUnused)
    if (used !== undefined) {
      throw new TrtError('INVALID_ARGUMENT', `${node} cannot be removed: its output "${used.name}" is in use`, {
        hint: 'Reconnect its users first: output.replaceUsesWith(other)',
      })
    }
    this.#detach(node)
  }

  /**
   * Adds an initializer.
   *
   * @param name default: a free one
   * @throws {TrtError} `INVALID_ARGUMENT` where the name is in use, or type, dims and data do not fit together
   */
  addInitializer(content: TensorLike | RawTensor | ModelTensor, name = this.uniqueName('constant')): Value {
    this.#checkFree(name)
    const value = this.#newValue(name)
    this.#attach(value, content)
    return value
  }

  /** Makes a value constant: the node that gave it is taken out, where it gives nothing else. */
  setInitializer(value: Value, content: TensorLike | RawTensor | ModelTensor): void {
    this.#release(value)
    this.#attach(value, content)
  }

  /** Adds an input. @throws {TrtError} `INVALID_ARGUMENT` where the name is in use */
  addInput(name: string, type: ElementType, dims: readonly Dim[] | undefined): Value {
    this.#checkFree(name)
    const value = this.#newValue(name)
    this.#pushInput(value, newMessage('ValueInfoProto', { name, type: tensorType(type, dims) }))
    this.touch()
    return value
  }

  /**
   * Takes an initializer away, and the input of its name where there is one.
   *
   * @throws {TrtError} `INVALID_ARGUMENT` where it is in use
   */
  removeConstant(value: Value): void {
    this.removeInput(value)
  }

  /** Takes an input away. @throws {TrtError} `INVALID_ARGUMENT` where it is in use */
  removeInput(value: Value): void {
    if (!value.isUnused) throw new TrtError('INVALID_ARGUMENT', `input "${value.name}" cannot be removed: it is in use`)
    this.#inputs = this.#inputs.filter((input) => input.value !== value)
    this.#initializers.delete(value)
    this.#sparse.delete(value)
    this.forget(value)
  }

  /** Gives a value out. Its type and shape should be known: see {@link Value.setType}. */
  addOutput(value: Value): void {
    this.checkSees(value)
    if (value.state.outputOf.includes(this)) return
    const known = value.state.infos.find((info) => this.#valueInfos.has(info))
    const info = known ?? newMessage('ValueInfoProto', { name: value.name })
    // One declaration a value is enough.
    if (known !== undefined) this.#valueInfos.delete(known)
    else value.state.declare(info)
    this.#pushOutput(value, info)
    this.touch()
  }

  /** Stops giving a value out; what is known of its type stays. */
  removeOutput(value: Value): void {
    for (const { info } of this.#outputs.filter((output) => output.value === value)) {
      // Among value_info, where it goes, a declaration has to have a type.
      if (info?.type !== undefined) this.#valueInfos.add(info)
      else value.state.infos = value.state.infos.filter((other) => other !== info)
    }
    this.#outputs = this.#outputs.filter((output) => output.value !== value)
    value.state.deleteOutputOf(this)
    this.touch()
  }

  /** Takes out all nodes and initializers whose results nobody uses, here and in the graphs inside. */
  prune(): PruneResult {
    return prune(this)
  }

  /** Whether nodes of this graph can read a value: it is of this graph, or of one around it. */
  sees(value: Value): boolean {
    for (let graph: Graph | undefined = this; graph !== undefined; graph = graph.owner?.graph) {
      if (value.graph === graph) return graph.#values.get(value.name) === value
    }
    return false
  }

  /** @internal @throws {TrtError} `INVALID_ARGUMENT` */
  checkSees(value: Value): void {
    if (this.sees(value)) return
    throw new TrtError(
      'INVALID_ARGUMENT',
      `expected a value of graph "${this.name}", received "${value.name}" of another`,
    )
  }

  /** @internal the nodes without a sort */
  get nodesAsAdded(): Iterable<Node> {
    return this.#nodes
  }

  /** @internal */
  get graphProto(): GraphProto {
    return this.proto as GraphProto
  }

  /** @internal its lists must be written anew */
  touch(): void {
    this.#changed = true
  }

  /** @internal the order may be topological no more; in the graphs around neither, as their nodes read through it */
  touchOrder(): void {
    for (let graph: Graph | undefined = this; graph !== undefined; graph = graph.owner?.graph)
      graph.#orderChanged = true
  }

  /** @internal */
  moveName(value: Value, name: string): void {
    this.#checkFree(name)
    this.#values.delete(value.name)
    this.#values.set(name, value)
    this.context.names.delete(value.name)
    this.context.names.add(name)
    const sparse = this.#sparse.get(value)?.values
    if (sparse !== undefined) Object.assign(sparse, { name, $touched: true })
    if (this.proto.$type === 'GraphProto') renameAnnotations(this.graphProto, value.name, name)
    this.touch()
  }

  /** @internal gives the value an entry in value_info */
  declare(value: Value): void {
    const info = newMessage('ValueInfoProto', { name: value.name })
    value.state.declare(info)
    this.#valueInfos.add(info)
    this.touch()
  }

  /** @internal `other` takes the place and the name of `value` among the outputs of every graph */
  replaceOutput(value: Value, other: Value): void {
    const graphs = value.state.outputOf
    const free = other.producer !== undefined && other.state.outputOf.length === 0
    if (!free || graphs.some((graph) => graph !== other.graph) || value.graph !== other.graph) {
      // Its name is taken by a role that it must keep, so the value stays, as a copy of the other one.
      value.graph.addNode({ opType: 'Identity', inputs: [other], outputs: [value] })
      return
    }
    const { name } = value
    value.rename(this.uniqueName(name))
    other.rename(name)
    for (const output of this.#outputs) {
      if (output.value !== value) continue
      output.value = other
      if (output.info === undefined) continue
      value.state.infos = value.state.infos.filter((info) => info !== output.info)
      other.state.infos = [output.info, ...other.state.infos]
      Object.assign(output.info, { name, $touched: true })
    }
    value.state.deleteOutputOf(this)
    other.state.addOutputOf(this)
    this.touch()
  }

  /** @internal takes messages of nodes in, whose names of values are free here, and declarations of values */
  adopt(nodes: readonly NodeProto[], infos: readonly ValueInfoProto[]): void {
    this.#linkNodes(nodes)
    for (const info of infos) {
      this.#values.get(info.name ?? '')?.state.declare(info)
      this.#valueInfos.add(info)
    }
    this.#list = undefined
    this.touch()
    this.touchOrder()
  }

  /** @internal takes everything out, so that the values of graphs around know no users here */
  clear(): void {
    for (const node of this.#nodes) this.#detach(node)
    for (const { value } of this.#outputs) value.state.deleteOutputOf(this)
    for (const value of this.#values.values()) this.context.names.delete(value.name)
    this.#values.clear()
  }

  /** @internal */
  forget(value: Value): void {
    for (const info of value.state.infos) this.#valueInfos.delete(info)
    this.#values.delete(value.name)
    this.context.names.delete(value.name)
    this.touch()
  }

  /** @internal brings the message up to date; the messages inside were kept so */
  flush(): void {
    for (const node of this.nodes) for (const graph of node.subgraphs) graph.flush()
    if (!this.#changed) return
    const { proto } = this
    proto.$touched = true
    proto.node = this.nodes.map((node) => node.proto)
    proto.valueInfo = [...this.#valueInfos]
    if (proto.$type === 'FunctionProto') {
      proto.input = this.inputs.map(({ name }) => name)
      proto.output = this.outputs.map(({ name }) => name)
    } else {
      const graph = proto as GraphProto
      graph.input = this.#inputs.flatMap(({ info }) => info ?? [])
      graph.output = this.#outputs.flatMap(({ info }) => info ?? [])
      graph.initializer = this.initializers.map((tensor) => tensor.proto)
      graph.sparseInitializer = [...this.#sparse.values()]
    }
    this.#changed = false
  }

  #linkSources(): void {
    for (const input of this.proto.input) {
      const [name, info] = nameAndInfo(input)
      this.#pushInput(this.#newValue(name), info)
    }
    if (this.proto.$type === 'FunctionProto') return
    const { initializer, sparseInitializer } = this.graphProto
    for (const proto of initializer) {
      const name = proto.name ?? ''
      const known = this.#values.get(name)
      const value = known === undefined || known.initializer !== undefined ? this.#newValue(name) : known
      value.state.initializer = new ModelTensor(proto, this.context.external)
      this.#initializers.add(value)
    }
    for (const proto of sparseInitializer) {
      const name = proto.values?.name ?? ''
      this.#sparse.set(this.#values.get(name) ?? this.#newValue(name), proto)
    }
  }

  /** All outputs first: nodes need not be in order, and graphs inside read what comes later too. */
  #linkNodes(protos: readonly NodeProto[]): void {
    const nodes = protos.map((proto) => {
      const node = new Node(this, proto)
      const outputs = proto.output.map((name) => (name === '' ? undefined : this.#newValue(name)))
      this.context.nodeNames.add(node.name)
      this.#nodes.add(node)
      return { node, outputs }
    })
    for (const { node, outputs } of nodes) {
      const inputs = node.proto.input.map((name) => (name === '' ? undefined : this.#resolve(name)))
      node.link(inputs, outputs, this.#linkSubgraphs(node))
    }
  }

  #linkSubgraphs(node: Node): Map<AttributeProto, Graph[]> | undefined {
    if (!node.proto.mayHaveGraphs) return undefined
    let result: Map<AttributeProto, Graph[]> | undefined
    for (const attribute of node.proto.attribute) {
      if (attribute.g === undefined && attribute.graphs.length === 0) continue
      const protos = attribute.g === undefined ? attribute.graphs : [attribute.g, ...attribute.graphs]
      result ??= new Map()
      result.set(
        attribute,
        protos.map((proto) => new Graph(proto, this.context, node)),
      )
    }
    return result
  }

  #newValue(name: string): Value {
    const value = new Value(this, name)
    this.#values.set(name, value)
    this.context.names.add(name)
    return value
  }

  #resolve(name: string): Value {
    for (let graph: Graph | undefined = this; graph !== undefined; graph = graph.owner?.graph) {
      const value = graph.#values.get(name)
      if (value !== undefined) return value
    }
    throw new TrtError('INVALID_ARGUMENT', `graph "${this.name}" knows no value "${name}"`)
  }

  #inputOf(input: Value | string | undefined): Value | undefined {
    const value = typeof input === 'string' ? (input === '' ? undefined : this.#resolve(input)) : input
    if (value !== undefined) this.checkSees(value)
    return value
  }

  #outputsOf(outputs: readonly (Value | string | undefined)[]): (Value | undefined)[] {
    // All are checked before the first is taken, so that a mistake changes nothing.
    for (const output of outputs) {
      if (typeof output === 'string' && output !== '') this.#checkFree(output)
      else if (output instanceof Value) this.#checkReleasable(output)
    }
    return outputs.map((output) => {
      if (output === undefined || output === '') return undefined
      if (typeof output === 'string') return this.#newValue(output)
      this.#release(output)
      return output
    })
  }

  #checkReleasable(value: Value): void {
    const reason =
      value.graph !== this || this.#values.get(value.name) !== value
        ? 'is not of this graph'
        : value.isInput
          ? 'is an input'
          : ''
    if (reason !== '')
      throw new TrtError('INVALID_ARGUMENT', `value "${value.name}" cannot be given otherwise: it ${reason}`)
  }

  /** Takes a value from what gives it. */
  #release(value: Value): void {
    this.#checkReleasable(value)
    this.#initializers.delete(value)
    this.#sparse.delete(value)
    value.state.initializer = undefined
    const { producer } = value
    if (producer === undefined) return
    producer.setOutput(producer.outputs.indexOf(value), undefined)
    value.state.producer = undefined
    if (producer.outputs.every((output) => output === undefined)) this.#detach(producer)
    this.touch()
  }

  #attach(value: Value, content: TensorLike | RawTensor | ModelTensor): void {
    const tensor =
      content instanceof ModelTensor
        ? content.copy(value.name, this.context.external)
        : ModelTensor.from(content, value.name)
    value.state.initializer = tensor
    this.#initializers.add(value)
    if (this.context.initializersAreInputs && !value.isInput) {
      const type = tensorType(tensor.type, tensor.dims)
      this.#pushInput(value, newMessage('ValueInfoProto', { name: value.name, type }))
    }
    this.touch()
  }

  #pushInput(value: Value, info: ValueInfoProto | undefined): void {
    if (info !== undefined) value.state.declare(info)
    this.#inputs.push({ value, info })
  }

  #detach(node: Node): void {
    for (const value of new Set(node.inputs)) value?.state.consumers.delete(node)
    for (const graph of node.subgraphs) graph.clear()
    for (const value of node.outputs) if (value !== undefined) this.forget(value)
    this.context.nodeNames.delete(node.name)
    this.#nodes.delete(node)
    this.#list = undefined
    this.touch()
  }

  #pushOutput(value: Value, info: ValueInfoProto | undefined): void {
    value.state.addOutputOf(this)
    if (info !== undefined) value.state.declare(info)
    this.#outputs.push({ value, info })
  }

  #checkFree(name: string): void {
    if (name !== '' && !this.context.names.has(name)) return
    throw new TrtError('INVALID_ARGUMENT', `expected a name that is free, received ${JSON.stringify(name)}`, {
      hint: 'graph.uniqueName(name) makes one.',
    })
  }

  #sort(): void {
    const order = topologicalOrder(this, this.#nodes)
    this.#orderChanged = false
    let index = 0
    for (const node of this.#nodes) {
      if (order[index++] === node) continue
      this.#nodes = new Set(order)
      this.#list = order
      this.touch()
      return
    }
  }
}

function nameAndInfo(entry: string | ValueInfoProto): [name: string, info: ValueInfoProto | undefined] {
  return typeof entry === 'string' ? [entry, undefined] : [entry.name ?? '', entry]
}
