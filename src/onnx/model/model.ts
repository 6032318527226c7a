import { type CompleteModelProto, decodeModel } from '../io/decode-model.js'
import { encode } from '../io/encode.js'
import { ExternalData } from '../io/external-data.js'
import { moveData, type WriteOptions } from '../io/move-data.js'
import { openSource } from '../io/source.js'
import { writeFiles } from '../io/write-files.js'
import type { Graph } from './graph.js'
import { Metadata } from './metadata.js'
import { ModelFunction } from './model-function.js'
import { checkVersion, opsetsOf, setOpsetOf } from './opset-imports.js'
import { listModel } from './print.js'
import { rootGraph, withNested } from './root-graph.js'

/**
 * An ONNX model, to be looked at, changed and written.
 *
 * What is not changed is written as it was read, byte for byte, unknown fields included; weights stay in their file
 * until somebody asks for them. The graphs of `training_info` are kept as they are.
 *
 * @example
 * const model = await onnx.read('model.onnx')
 * for (const node of model.graph.find({ opType: 'Clip' })) console.log(node.name, node.inputs[0]?.dims)
 * model.graph.value('input')?.rename('images')
 * await model.write('renamed.onnx')
 */
export class Model {
  /** The main graph. */
  readonly graph: Graph
  /** The path that it was read from; undefined for bytes. */
  readonly path: string | undefined
  /** @internal */
  readonly proto: CompleteModelProto
  readonly #external: ExternalData
  readonly #functions: ModelFunction[]

  /** @internal use {@link read} */
  constructor(proto: CompleteModelProto, path: string | undefined) {
    this.proto = proto
    this.path = path
    this.#external = new ExternalData(path)
    this.graph = rootGraph(proto.graph, this.#external, this.irVersion)
    this.#functions = proto.functions.map((fn) => new ModelFunction(fn, this.#external, this.irVersion))
  }

  /** Ops that the model defines itself. */
  get functions(): readonly ModelFunction[] {
    return this.#functions
  }

  get irVersion(): number {
    return Number(this.proto.irVersion)
  }

  set irVersion(version: number) {
    checkVersion('irVersion', version)
    this.proto.irVersion = version
    this.proto.$touched = true
  }

  /** The exporter's name. */
  get producerName(): string {
    return this.proto.producerName ?? ''
  }

  /** The exporter's version. */
  get producerVersion(): string {
    return this.proto.producerVersion ?? ''
  }

  /** Versions of the operator sets by domain; ONNX's own is `''`. */
  get opsets(): ReadonlyMap<string, number> {
    return opsetsOf(this.proto)
  }

  /** Sets the version of an operator set, or adds it. Nodes stay as they are. */
  setOpset(domain: string, version: number): void {
    setOpsetOf(this.proto, domain, version)
  }

  /** Texts that the exporter or the user attached, such as class labels. */
  get metadata(): Metadata {
    return new Metadata(this.proto)
  }

  /** @internal takes a copy of another model's function in */
  addFunction(fn: ModelFunction): void {
    const copy = fn.copy(this.#external, this.irVersion)
    this.#functions.push(copy)
    this.proto.functions = [...this.proto.functions, copy.proto]
    this.proto.$touched = true
  }

  /** @internal takes all functions away, once nobody calls them */
  removeFunctions(): void {
    this.#functions.length = 0
    this.proto.functions = []
    this.proto.$touched = true
  }

  /** Every graph: the main one, functions' bodies, and those inside nodes; outer before inner. */
  *graphs(): Generator<Graph> {
    for (const root of [this.graph, ...this.functions.map(({ graph }) => graph)]) yield* withNested(root)
  }

  /**
   * Takes out all nodes and initializers whose results nobody uses, in every graph.
   *
   * @returns how many went
   */
  prune(): { readonly nodes: number; readonly initializers: number } {
    const results = [this.graph, ...this.functions.map(({ graph }) => graph)].map((graph) => graph.prune())
    return {
      nodes: results.reduce((sum, { nodes }) => sum + nodes.length, 0),
      initializers: results.reduce((sum, { initializers }) => sum + initializers.length, 0),
    }
  }

  /** A readable listing: graphs, values with types and shapes, nodes with attributes; big constants by their shape. */
  print(): string {
    return listModel(this)
  }

  /**
   * The model as bytes. External data stays where it is, so the bytes need the files beside them.
   *
   * @throws {TrtError} `UNSUPPORTED` where it is longer than an array can be; `INVALID_MODEL` where an edit made a cycle
   */
  toBytes(): Uint8Array {
    this.#flush()
    return encode(this.proto).toBytes()
  }

  /**
   * A copy that changes do not reach. External data stays where it is.
   *
   * @throws {TrtError} as {@link toBytes}
   */
  copy(): Model {
    return new Model(decodeModel(openSource({ bytes: this.toBytes() })), this.path)
  }

  /**
   * Writes the model: `path` holds all of it or what it held before, also when it is the file that was read.
   *
   * @throws {TrtError} `IO_ERROR`, `EXTERNAL_DATA`; `INVALID_MODEL` where an edit made a cycle; nothing is left behind
   */
  async write(path: string, options: WriteOptions = {}): Promise<void> {
    this.#flush()
    const { replacements, files } = moveData(this.proto, this.#external, this.path, path, options)
    await writeFiles([...files, { path, content: encode(this.proto, replacements) }])
  }

  #flush(): void {
    this.graph.flush()
    for (const { graph } of this.functions) graph.flush()
  }
}
