/**
 * Copying nodes from one graph into another: of the same model (to put the branch of an If into the graph around it), or
 * of another one (to join models, to cut a part out).
 *
 * Messages are built with their final names first and linked afterwards, all at once. Rejected: adding them one by one
 * through `Graph.addNode`, which would have to take the graphs inside attributes apart and put them together again.
 */
import { TrtError } from '../../errors.js'
import {
  type AttributeProto,
  changed,
  cloned,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from '../io/proto.js'
import { renameAnnotations } from './annotations.js'
import type { Attribute } from './attribute.js'
import type { Graph } from './graph.js'
import type { Names } from './names.js'
import type { Node } from './node.js'
import type { ModelTensor } from './tensor.js'
import type { Value } from './value.js'

/** Options of {@link copyNodes}. */
export interface CopyOptions {
  /** The nodes are about to be removed, so that their copies may have their names. Default false. */
  readonly leaving?: boolean
  /** The nodes are a function's body, and take the place of a call. */
  readonly call?: FunctionCall
}

/** What a call gives the body of a function, besides values. */
export interface FunctionCall {
  /** What takes the place of references, by the name of the function's attribute. */
  readonly attributes: ReadonlyMap<string, Attribute>
  /** Inputs of the function that the call leaves out. */
  readonly missing: ReadonlySet<Value>
}

/**
 * Copies nodes, with the graphs inside them and what is declared of their values. Names are kept where they are free, and
 * else made unique.
 *
 * @param target the graph that gets them
 * @param values by value that the nodes read: what their copies read instead. Constants that are missing in it are
 *   copied too. Afterwards it holds the copy of each value that the nodes give
 * @throws {TrtError} `INVALID_ARGUMENT` where the nodes read a value that is neither in `values`, nor a constant, nor
 *   given by them, nor seen from `target`; `UNSUPPORTED` for sparse constants
 */
export function copyNodes(
  nodes: readonly Node[],
  target: Graph,
  values: Map<Value, Value>,
  options: CopyOptions = {},
): void {
  new Copier(target, values, options).copy(nodes)
}

class Copier {
  readonly #target: Graph
  readonly #values: Map<Value, Value>
  readonly #isLeaving: boolean
  readonly #call: FunctionCall | undefined
  /** The names of copies that are not there yet. */
  readonly #names = new Map<Value, string>()

  constructor(target: Graph, values: Map<Value, Value>, { leaving = false, call }: CopyOptions) {
    this.#target = target
    this.#values = values
    this.#isLeaving = leaving
    this.#call = call
  }

  copy(nodes: readonly Node[]): void {
    const given = nodes.flatMap(({ outputs }) => outputs.filter((value) => value !== undefined))
    for (const value of given) this.#reserve(value)
    const protos = nodes.map((node) => this.#node(node))
    const infos = given.flatMap((value) => {
      const info = value.state.infos.find(({ type }) => type !== undefined)
      // What is declared in a function's body holds for one call only.
      return info === undefined || this.#call !== undefined ? [] : [this.#info(info, value)]
    })
    for (const name of this.#names.values()) this.#target.context.names.delete(name)
    this.#target.adopt(protos, infos)
    for (const value of given) this.#values.set(value, this.#target.value(this.#nameOf(value)) as Value)
  }

  #node(node: Node): NodeProto {
    const { name, graph } = node
    const { nodeNames } = this.#target.context
    return changed(node.proto, {
      name: name === '' ? name : this.#freeName(name, nodeNames, graph.context.nodeNames),
      input: node.inputs.map((value) => (value === undefined ? '' : this.#nameOf(value))),
      output: node.outputs.map((value) => (value === undefined ? '' : this.#nameOf(value))),
      attribute: node.attributes.flatMap((attribute) => this.#attribute(attribute) ?? []),
    })
  }

  /** @returns undefined for a reference to what the call does not give */
  #attribute(attribute: Attribute): AttributeProto | undefined {
    const { name, proto, type, value, graphs, refName } = attribute
    if (refName !== undefined) {
      if (this.#call === undefined) return cloned(proto)
      const given = this.#call.attributes.get(refName)
      const copy = given && this.#attribute(given)
      return copy && changed(copy, { name })
    }
    const copyOf = (tensor: ModelTensor) => tensor.copy(tensor.name, this.#target.context.external).proto
    switch (type) {
      case 'graph':
        return changed(proto, { g: graphs[0] && this.#graph(graphs[0]) })
      case 'graphs':
        return changed(proto, { graphs: graphs.map((graph) => this.#graph(graph)) })
      case 'tensor':
        return changed(proto, { t: copyOf(value as ModelTensor) })
      case 'tensors':
        return changed(proto, { tensors: (value as readonly ModelTensor[]).map(copyOf) })
      default:
        return cloned(proto)
    }
  }

  #graph(graph: Graph): GraphProto {
    graph.flush()
    const { graphProto: proto, inputs, outputs } = graph
    if (proto.sparseInitializer.length > 0) {
      throw new TrtError('UNSUPPORTED', `graph "${graph.name}" holds sparse constants, which cannot be copied`)
    }
    for (const value of graph.values) this.#reserve(value)
    const copy = changed(proto, {
      node: graph.nodes.map((node) => this.#node(node)),
      input: proto.input.map((info, index) => this.#info(info, inputs[index] as Value)),
      output: proto.output.map((info, index) => this.#info(info, outputs[index] as Value)),
      valueInfo: proto.valueInfo.flatMap((info) => {
        const value = graph.value(info.name ?? '')
        return value === undefined ? [] : [this.#info(info, value)]
      }),
      initializer: graph.initializers.map((tensor) => {
        const name = this.#nameOf(graph.value(tensor.name) as Value)
        return tensor.copy(name, this.#target.context.external).proto
      }),
      quantizationAnnotation: proto.quantizationAnnotation.map(cloned),
    })
    for (const value of graph.values) renameAnnotations(copy, value.name, this.#nameOf(value))
    return copy
  }

  #info(info: ValueInfoProto, value: Value): ValueInfoProto {
    return changed(cloned(info), { name: this.#nameOf(value) })
  }

  #nameOf(value: Value): string {
    if (this.#call?.missing.has(value)) return ''
    const known = this.#names.get(value) ?? this.#values.get(value)?.name
    if (known !== undefined) return known
    if (this.#target.sees(value)) return value.name
    const { initializer } = value
    if (initializer === undefined) {
      throw new TrtError('INVALID_ARGUMENT', `the nodes to be copied read "${value.name}", of which there is no copy`)
    }
    const copy = this.#target.addInitializer(initializer, this.#target.uniqueName(value.name))
    this.#values.set(value, copy)
    return copy.name
  }

  #reserve(value: Value): void {
    const { names } = this.#target.context
    const name = this.#freeName(value.name, names, value.graph.context.names)
    names.add(name)
    this.#names.set(value, name)
  }

  #freeName(name: string, names: Names, sources: Names): string {
    const isOwn = this.#isLeaving && names === sources && names.count(name) === 1
    return isOwn ? name : names.unique(name)
  }
}
