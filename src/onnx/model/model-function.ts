import { encode } from '../io/encode.js'
import type { ExternalData } from '../io/external-data.js'
import { changed, cloned, type FunctionProto } from '../io/proto.js'
import { Attribute } from './attribute.js'
import { copyNodes } from './copy-nodes.js'
import type { Graph } from './graph.js'
import { opsetsOf, setOpsetOf } from './opset-imports.js'
import { rootGraph } from './root-graph.js'
import type { Value } from './value.js'

/** An op that the model defines itself, by a graph of others. */
export class ModelFunction {
  /** Its body. Inputs and outputs have names only. */
  readonly graph: Graph
  /** @internal */
  readonly proto: FunctionProto

  /** @internal */
  constructor(proto: FunctionProto, external: ExternalData, irVersion: number) {
    this.proto = proto
    this.graph = rootGraph(proto, external, irVersion)
  }

  /** The op type by which nodes call it. */
  get name(): string {
    return this.proto.name ?? ''
  }

  get domain(): string {
    return this.proto.domain ?? ''
  }

  /** Tells functions of one name apart. */
  get overload(): string {
    return this.proto.overload ?? ''
  }

  /** Versions of the operator sets by domain that its body is written for; ONNX's own is `''`. */
  get opsets(): ReadonlyMap<string, number> {
    return opsetsOf(this.proto)
  }

  /** Sets the version of an operator set, or adds it. Nodes stay as they are. */
  setOpset(domain: string, version: number): void {
    setOpsetOf(this.proto, domain, version)
  }

  /** The attributes that a call may set: those without a default, then those with one. */
  get attributeNames(): readonly string[] {
    return [...this.proto.attribute, ...this.proto.attributeProto.map(({ name }) => name ?? '')]
  }

  /** What holds for an attribute that a call does not set; undefined where the function has no default for it. */
  defaultOf(name: string): Attribute | undefined {
    const found = this.proto.attributeProto.find((attribute) => attribute.name === name)
    return found && new Attribute(found, this.graph.context.external, [])
  }

  /** @internal a copy for another model, which resolves external data by `external` */
  copy(external: ExternalData, irVersion: number): ModelFunction {
    const { inputs, nodes, outputs } = this.graph
    const proto = changed(cloned(this.proto), { node: [], output: [], valueInfo: [] })
    const copy = new ModelFunction(proto, external, irVersion)
    const values = new Map(inputs.map((value) => [value, copy.graph.value(value.name) as Value]))
    copyNodes(nodes, copy.graph, values)
    for (const value of outputs) copy.graph.addOutput(values.get(value) as Value)
    copy.graph.flush()
    return copy
  }

  /** @internal whether the other one is the same to the last byte */
  isSame(other: ModelFunction): boolean {
    for (const { graph } of [this, other]) graph.flush()
    return Buffer.compare(encode(this.proto).toBytes(), encode(other.proto).toBytes()) === 0
  }
}
