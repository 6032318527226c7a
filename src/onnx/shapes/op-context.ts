import type { ElementType } from '../data-types.js'
import type { Attribute, AttributeType, AttributeValues } from '../model/attribute.js'
import type { Graph } from '../model/graph.js'
import type { Node } from '../model/node.js'
import type { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import type { OpSchema } from '../ops/schema.js'
import type { Dim } from '../value-type.js'
import { type Elements, elementsOf } from './elements.js'
import { type Dims, tensor, UNKNOWN, type ValueKind } from './value-kinds.js'

/** What a rule knows of one node, and where it says what it concludes. */
export type Rule = (op: OpContext) => void

/** What is known of the values that can be seen from a graph. */
export interface Scope {
  readonly kinds: Map<Value, ValueKind>
  readonly elements: Map<Value, Elements>
  /** What Constant nodes give. */
  readonly constants: Map<Value, ModelTensor>
  /** In the body of a function: what the call gives for its attributes. */
  readonly attributes: ReadonlyMap<string, Attribute> | undefined
  /** What callers can feed: an initializer among them is a default only. */
  readonly inputs: ReadonlySet<Value>
  opset(domain: string): number
  /** Infers a graph inside a node, for inputs of these kinds. @returns what is known of its outputs */
  inferGraph(graph: Graph, inputs: readonly ValueKind[], elements?: readonly (Elements | undefined)[]): ValueKind[]
  /** Whether a graph may be gone through once more than needed, to know it better. */
  mayRepeat(): boolean
}

/** A node that cannot be: its inputs, attributes and declarations contradict each other. */
export class Contradiction extends Error {}

/** One node, in the course of inference. */
export class OpContext {
  readonly node: Node
  /** Undefined for ops outside ONNX's own domains. */
  readonly schema: OpSchema | undefined
  /** Version of the operator set. */
  readonly opset: number
  readonly scope: Scope
  readonly outputs: ValueKind[]

  constructor(node: Node, schema: OpSchema | undefined, opset: number, scope: Scope) {
    this.node = node
    this.schema = schema
    this.opset = opset
    this.scope = scope
    this.outputs = node.outputs.map(() => UNKNOWN)
  }

  /** Number of inputs, those left out at the end excepted. */
  get inputCount(): number {
    return this.node.inputs.length
  }

  get outputCount(): number {
    return this.node.outputs.length
  }

  hasInput(index: number): boolean {
    return this.node.inputs[index] !== undefined
  }

  kind(index: number): ValueKind {
    const value = this.node.inputs[index]
    return (value && this.scope.kinds.get(value)) ?? UNKNOWN
  }

  elem(index: number): ElementType {
    const kind = this.kind(index)
    return kind.kind === 'tensor' ? kind.elem : 'undefined'
  }

  /** Undefined where the rank is not known, or the input is left out. */
  dims(index: number): Dims | undefined {
    const kind = this.kind(index)
    return kind.kind === 'tensor' ? kind.dims : undefined
  }

  /** The dims of an input whose rank is prescribed: unknown sizes where the rank is unknown. */
  dimsOfRank(index: number, rank: number): Dims {
    const dims = this.dims(index)
    if (dims === undefined) return new Array(rank).fill(null)
    if (dims.length !== rank) this.fail(`input ${index} has rank ${dims.length}, expected ${rank}`)
    return dims
  }

  /** The elements of a small tensor, where something is known of them. */
  elements(index: number): Elements | undefined {
    const value = this.node.inputs[index]
    if (value === undefined) return undefined
    const known = this.scope.elements.get(value)
    if (known !== undefined) return known
    const constant = this.constant(index)
    const elements = constant && elementsOf(constant)
    if (elements !== undefined) this.scope.elements.set(value, elements)
    return elements
  }

  /** The elements, where all of them are numbers. */
  numbers(index: number): readonly number[] | undefined {
    const elements = this.elements(index)
    return elements?.every((element) => typeof element === 'number') ? elements : undefined
  }

  /** The only element of a tensor. */
  element(index: number): Dim {
    const elements = this.elements(index)
    return elements?.length === 1 ? (elements[0] as Dim) : null
  }

  /** The constant that an input is: an initializer that no caller can replace, or what a Constant node gives. */
  constant(index: number): ModelTensor | undefined {
    const value = this.node.inputs[index]
    return value && (this.scope.constants.get(value) ?? (this.scope.inputs.has(value) ? undefined : value.initializer))
  }

  attribute(name: string): Attribute | undefined {
    const attribute = this.node.attribute(name)
    return attribute?.refName === undefined ? attribute : this.scope.attributes?.get(attribute.refName)
  }

  value<T extends AttributeType>(name: string, type: T): AttributeValues[T] | undefined {
    const attribute = this.attribute(name)
    return attribute?.type === type ? (attribute.value as AttributeValues[T] | undefined) : undefined
  }

  /** An attribute, or its default: by the schema where `otherwise` is left out. */
  int(name: string): number | undefined
  int(name: string, otherwise: number): number
  int(name: string, otherwise?: number): number | undefined {
    const value = this.value(name, 'int')
    if (value !== undefined) return Number(value)
    const standard = this.schema?.attributes.get(name)?.default
    return typeof standard === 'number' ? standard : otherwise
  }

  ints(name: string): number[] | undefined {
    const value = this.value(name, 'ints')
    if (value !== undefined) return value.map(Number)
    const standard = this.schema?.attributes.get(name)?.default
    return Array.isArray(standard) ? standard.map(Number) : undefined
  }

  text(name: string, otherwise = ''): string {
    const standard = this.schema?.attributes.get(name)?.default
    return this.value(name, 'string') ?? (typeof standard === 'string' ? standard : otherwise)
  }

  graph(name: string): Graph | undefined {
    return this.value(name, 'graph')
  }

  /** An axis attribute of an input's rank, counted from the front. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis
    if (!(counted >= 0 && counted < rank)) this.fail(`axis ${axis} is outside rank ${rank}`)
    return counted
  }

  /**
   * Says what is known of an output's shape, and its type where the schema does not say it. Without a schema it is that
   * of the first input.
   */
  give(index: number, dims: Dims | undefined, elem?: ElementType): void {
    const known = this.outputs[index]
    if (known === undefined) return
    const byDefault = this.schema === undefined ? this.elem(0) : known.kind === 'tensor' ? known.elem : 'undefined'
    this.outputs[index] = tensor(elem ?? byDefault, dims)
  }

  giveKind(index: number, kind: ValueKind): void {
    if (index < this.outputs.length) this.outputs[index] = kind
  }

  giveElements(index: number, elements: Elements): void {
    const value = this.node.outputs[index]
    if (value !== undefined) this.scope.elements.set(value, elements)
  }

  fail(why: string): never {
    throw new Contradiction(why)
  }
}
