import type { DataType } from '../tensor.js'
import { type ElementType, elementTypeName } from './data-types.js'
import { allNodeLists } from './io/check-graph.js'
import { type CompleteModelProto, decodeModel } from './io/decode-model.js'
import { countElements, ExternalData, type ExternalFile, isExternal } from './io/external-data.js'
import type { AttributeProto, FunctionProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from './io/proto.js'
import { type ModelSource, openSource } from './io/source.js'
import { type Dim, dimsOf, typeNameOf } from './value-type.js'

/** An input or output of a model. */
export interface ValueInfo {
  readonly name: string
  /** A tensor's element type; or `string`, `float8e4m3fn`, … or another type, such as `sequence(float32)`. */
  readonly type: DataType | (string & {})
  /** Sizes, symbolic names, or null for unknown ones; undefined where not even the rank is known. */
  readonly dims: readonly Dim[] | undefined
}

/** What is in an ONNX model. Plain data. */
export interface ModelInfo {
  readonly irVersion: number
  /** The exporter and its version, e.g. `pytorch 2.1.0`; empty where the model does not say. */
  readonly producer: string
  /** Opset version by domain; ONNX's own domain is `''`. */
  readonly opsets: Readonly<Record<string, number>>
  readonly graphName: string
  /** What must be fed: `graph.input` without those that are initializers. */
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** Nodes, with those of subgraphs (If, Loop, Scan) and functions. */
  readonly nodeCount: number
  /** Nodes by op: `Conv`, and `domain:Op` outside ONNX's own domain. Most frequent first. */
  readonly ops: Readonly<Record<string, number>>
  /** Element types anywhere in the model: of values, weights, and what Casts make. `float16` tells an fp16 model. */
  readonly tensorTypes: readonly ElementType[]
  /** Elements of all weights: initializers and Constant nodes. */
  readonly parameters: number
  /** The weights outside the model file, one entry a tensor. All were found, and are long enough. */
  readonly externalFiles: readonly ExternalFile[]
  /** Bytes of the model file, without external ones. */
  readonly sizeBytes: number
}

/**
 * Says what is in a model: a file of any size or bytes, without reading the weights.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`; `IO_ERROR` for a directory or an unreadable file; `INVALID_MODEL` for anything
 *   that is no whole ONNX model; `EXTERNAL_DATA` where weights outside are missing, too short, or outside the folder
 */
export async function inspectModel(source: ModelSource): Promise<ModelInfo> {
  const opened = openSource(source)
  const model = decodeModel(opened)
  const { graph } = model
  const survey = new Survey(new ExternalData(opened.path))
  for (const list of allNodeLists(model)) survey.addGraph(list)
  const initializers = initializerNames(graph)
  return {
    irVersion: Number(model.irVersion ?? 0),
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    opsets: opsetsOf(model),
    graphName: graph.name ?? '',
    inputs: graph.input.filter(({ name }) => !initializers.has(name ?? '')).map(toValueInfo),
    outputs: graph.output.map(toValueInfo),
    nodeCount: survey.nodes,
    ops: Object.fromEntries([...survey.ops].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    tensorTypes: [...survey.types].sort(),
    parameters: survey.parameters,
    externalFiles: survey.externalFiles,
    sizeBytes: opened.size,
  }
}

/** Opset version by domain, `ai.onnx` under its other name `''`. */
function opsetsOf(model: CompleteModelProto): Record<string, number> {
  return Object.fromEntries(model.opsetImport.map(({ domain, version }) => [plainDomain(domain), Number(version ?? 0)]))
}

function initializerNames({ initializer, sparseInitializer }: GraphProto): Set<string> {
  const names = new Set(initializer.map(({ name }) => name ?? ''))
  for (const { values } of sparseInitializer) names.add(values?.name ?? '')
  return names
}

function toValueInfo({ name, type }: ValueInfoProto): ValueInfo {
  return { name: name ?? '', type: typeNameOf(type), dims: dimsOf(type) }
}

/** ONNX's own domain has two names. */
function plainDomain(domain: string | undefined): string {
  return domain === undefined || domain === 'ai.onnx' ? '' : domain
}

/** Adds up what the graphs of a model hold. */
class Survey {
  nodes = 0
  parameters = 0
  readonly ops = new Map<string, number>()
  readonly types = new Set<ElementType>()
  readonly externalFiles: ExternalFile[] = []
  readonly #external: ExternalData

  constructor(external: ExternalData) {
    this.#external = external
  }

  addGraph(graph: GraphProto | FunctionProto): void {
    for (const node of graph.node) this.#addNode(node)
    for (const value of graph.valueInfo) this.#addValue(value)
    if (!isGraph(graph)) return
    for (const value of [...graph.input, ...graph.output]) this.#addValue(value)
    for (const tensor of graph.initializer) this.#addWeights(tensor)
    for (const { values, indices } of graph.sparseInitializer) {
      if (values) this.#addWeights(values)
      if (indices) this.#addTensor(indices)
    }
  }

  #addNode(node: NodeProto): void {
    this.nodes++
    const domain = plainDomain(node.domain)
    const op = domain === '' ? (node.opType ?? '') : `${domain}:${node.opType}`
    this.ops.set(op, (this.ops.get(op) ?? 0) + 1)
    for (const attribute of node.attribute) this.#addAttribute(attribute, op)
  }

  #addAttribute({ name, i, t, tensors, sparseTensor }: AttributeProto, op: string): void {
    if (op === 'Cast' && name === 'to') this.#addType(elementTypeName(i))
    for (const tensor of [t, sparseTensor?.values, ...tensors]) {
      if (tensor === undefined) continue
      if (op === 'Constant') this.#addWeights(tensor)
      else this.#addTensor(tensor)
    }
  }

  #addWeights(tensor: TensorProto): void {
    this.parameters += countElements(tensor.dims)
    this.#addTensor(tensor)
  }

  #addTensor(tensor: TensorProto): void {
    this.#addType(elementTypeName(tensor.dataType))
    if (isExternal(tensor)) this.externalFiles.push(this.#external.resolve(tensor))
  }

  #addValue({ type }: ValueInfoProto): void {
    const tensor = type?.tensorType ?? type?.sparseTensorType
    if (tensor) this.#addType(elementTypeName(tensor.elemType))
  }

  #addType(type: ElementType): void {
    if (type !== 'undefined') this.types.add(type)
  }
}

function isGraph(graph: GraphProto | FunctionProto): graph is GraphProto {
  return graph.$type === 'GraphProto'
}
