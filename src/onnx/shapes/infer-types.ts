/**
 * Type and shape inference over a whole model. One pass in topological order: the schema of an op gives the types that
 * follow from its inputs, a rule (rules/) the shapes, and elements.ts what small integer tensors hold, so that a Reshape
 * knows the shape that other nodes computed for it. Every value is looked at once, the bodies of loops up to three times.
 *
 * Rejected: inference by onnxruntime (its optimizer infers, but writes no shapes into the models that it saves), and by a
 * WASM build of onnx's C++ (which knows symbols only as far as they stay whole, and cannot say where a model is wrong).
 */
import { TrtError } from '../../errors.js'
import type { Attribute } from '../model/attribute.js'
import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { ModelFunction } from '../model/model-function.js'
import type { Node } from '../model/node.js'
import type { ModelTensor } from '../model/tensor.js'
import { topologicalOrder } from '../model/topological-order.js'
import type { Value } from '../model/value.js'
import { schemaOf } from '../ops/schema.js'
import { DistinctNames } from './distinct-names.js'
import type { Elements } from './elements.js'
import { isEqual, refine } from './merge-kinds.js'
import { Contradiction, OpContext, type Scope } from './op-context.js'
import { propagateElements } from './propagate-elements.js'
import { ruleOf } from './rules/index.js'
import { kindsFromSchema } from './schema-kinds.js'
import { describe, isTyped, kindOf, protoOf, tensor, UNKNOWN, type ValueKind } from './value-kinds.js'

/** Options of {@link inferTypes}. */
export interface InferTypesOptions {
  /**
   * What to do where the model contradicts itself, e.g. declares another shape than its nodes compute:
   * - `throw`: throw `INVALID_MODEL`
   * - `report`: list it in {@link InferredTypes.contradictions}, and leave the declaration as it is
   * - `replace`: list it, and declare what the nodes compute. For models whose inputs were changed on purpose.
   *
   * Default `throw`.
   */
  readonly onContradiction?: 'throw' | 'report' | 'replace'
}

/** Something in a model that cannot be. */
export interface TypeContradiction {
  /** The node that gives the value. */
  readonly node: Node
  /** The value; undefined where the node's own inputs and attributes do not go together. */
  readonly value: Value | undefined
  readonly message: string
}

/** What {@link inferTypes} found. */
export interface InferredTypes {
  /** Values whose declaration is new or more precise now. */
  readonly changed: readonly Value[]
  /** Values that nodes give. */
  readonly values: number
  /** Those of them whose type is not known. */
  readonly untyped: readonly Value[]
  /** Those whose rank is not known; values that are no tensors are not counted. */
  readonly unshaped: readonly Value[]
  /** Ops that are in no schema and no function of the model, as `domain:Op`: nothing is known of their results. */
  readonly unknownOps: readonly string[]
  readonly contradictions: readonly TypeContradiction[]
  /** @internal what small integer and boolean tensors hold, graphs inside nodes included */
  readonly elements: ReadonlyMap<Value, Elements>
}

/**
 * Finds the type and the shape of every value, and declares them in the model (`Value.type`, `Value.dims`), those of
 * graphs inside nodes too. Sizes may be names, and expressions in names: `2*batch`, `floor((height+31)/32)`. What
 * depends on data, such as the number of results of NonZero, is null.
 *
 * Rules: the op's documentation in onnx/docs/Operators.md; knows all ops of ONNX up to operator set 27, functions of the
 * model, this package's plugins, and the common ops of `com.microsoft`. Takes time in proportion to the number of nodes.
 * A name is taken to stand for a size that does not make slices end before they begin: `x[1:]` of `N` is `N-1`.
 *
 * @throws {TrtError} `INVALID_MODEL` where the model contradicts itself, naming node and value; `EXTERNAL_DATA` where the
 *   elements of a shape are in a file that is missing
 */
export function inferTypes(model: Model, options: InferTypesOptions = {}): InferredTypes {
  return new Inference(model, options.onContradiction ?? 'throw').run()
}

/** What {@link knownTypes} found. */
export interface KnownTypes {
  /** By value; those of functions' bodies differ from call to call, and are not here. */
  readonly kinds: ReadonlyMap<Value, ValueKind>
  readonly elements: ReadonlyMap<Value, Elements>
  readonly contradictions: readonly TypeContradiction[]
}

/** What {@link inferTypes} would declare, where inputs are of these shapes; the model stays as it is. */
export function knownTypes(model: Model, fed: FedShapes = {}): KnownTypes {
  return new Inference(model, 'report').look(fed)
}

/** Shapes by input; of others, what the model declares holds. */
type FedShapes = { readonly [input: string]: { readonly dims: readonly number[] } }

/** {@link inferTypes}, with `beforeNode` called when all is known of a node's inputs: it may give the node others. */
export function inferAndRepair(model: Model, beforeNode: (op: OpContext) => void): InferredTypes {
  return new Inference(model, 'replace', beforeNode).run()
}

/** Nodes inside functions and repeated loops that one inference looks at, for each node of the model, at most. */
const EFFORT = 20

class Inference {
  readonly #model: Model
  readonly #policy: NonNullable<InferTypesOptions['onContradiction']>
  readonly #beforeNode: ((op: OpContext) => void) | undefined
  readonly #functions: ReadonlyMap<string, ModelFunction>
  readonly #contradictions: TypeContradiction[] = []
  readonly #unknownOps = new Set<string>()
  readonly #calls: ModelFunction[] = []
  readonly #names: DistinctNames
  #effort: number

  constructor(
    model: Model,
    policy: NonNullable<InferTypesOptions['onContradiction']>,
    beforeNode?: (op: OpContext) => void,
  ) {
    this.#model = model
    this.#policy = policy
    this.#beforeNode = beforeNode
    this.#functions = new Map(model.functions.map((fn) => [`${fn.domain}:${fn.name}:${fn.overload}`, fn]))
    const inputNames = model.graph.inputs.flatMap(({ dims }) => dims?.filter((dim) => typeof dim === 'string') ?? [])
    this.#names = new DistinctNames(new Set(inputNames))
    const nodes = [...model.graphs()].reduce((sum, graph) => sum + graph.nodes.length, 0)
    this.#effort = 1000 + EFFORT * nodes
  }

  run(): InferredTypes {
    return this.#declare(this.#model.graph, this.#infer())
  }

  look(fed: FedShapes): KnownTypes {
    const { kinds, elements } = this.#infer(fed)
    return { kinds, elements, contradictions: this.#contradictions }
  }

  #infer(fed: FedShapes = {}): Scope {
    const { graph } = this.#model
    // Initializers that are listed among the inputs are only defaults, but in models before IR version 4.
    const { initializersAreInputs } = graph.context
    const inputs = graph.inputs.filter(({ initializer }) => initializer === undefined || !initializersAreInputs)
    const scope = this.#scope(this.#model.opsets, undefined, new Set(inputs))
    for (const input of graph.inputs) {
      const [kind, dims] = [declared(input), fed[input.name]?.dims]
      const isFed = dims !== undefined && kind.kind === 'tensor'
      scope.kinds.set(input, this.#names.of(isFed ? { ...kind, dims } : kind))
    }
    this.#inferNodes(graph, scope)
    return scope
  }

  #scope(
    opsets: ReadonlyMap<string, number>,
    attributes: ReadonlyMap<string, Attribute> | undefined,
    inputs: ReadonlySet<Value>,
  ): Scope {
    const scope: Scope = {
      kinds: new Map<Value, ValueKind>(),
      elements: new Map<Value, Elements>(),
      constants: new Map<Value, ModelTensor>(),
      attributes,
      inputs,
      opset: (domain) => opsets.get(domain) ?? this.#model.opsets.get(domain) ?? 1,
      inferGraph: (inner, kinds, elements) => this.#inferInner(inner, scope, kinds, elements),
      mayRepeat: () => this.#effort > 0,
    }
    return scope
  }

  #inferInner(
    graph: Graph,
    scope: Scope,
    inputs: readonly ValueKind[],
    elements: readonly (Elements | undefined)[] = [],
  ): ValueKind[] {
    for (const [index, value] of graph.inputs.entries()) {
      const given = inputs[index] ?? UNKNOWN
      scope.kinds.set(value, refine(given, this.#names.of(declared(value))) ?? given)
      const known = elements[index]
      if (known === undefined) scope.elements.delete(value)
      else scope.elements.set(value, known)
    }
    this.#inferNodes(graph, scope)
    return graph.outputs.map((value) => scope.kinds.get(value) ?? UNKNOWN)
  }

  #inferNodes(graph: Graph, scope: Scope): void {
    for (const value of graph.constants) if (!scope.kinds.has(value)) scope.kinds.set(value, constantKind(value))
    for (const node of topologicalOrder(graph, graph.nodes)) {
      this.#effort--
      this.#inferNode(node, scope)
    }
  }

  #inferNode(node: Node, scope: Scope): void {
    const { domain, opType } = node
    const opset = scope.opset(domain)
    const fn = this.#functions.get(`${domain}:${opType}:${node.proto.overload ?? ''}`)
    // What is known of their elements from the round before, in a loop's body, may hold no more.
    for (const value of node.outputs) if (value !== undefined) scope.elements.delete(value)
    const op = new OpContext(node, fn === undefined ? schemaOf(opType, domain, opset) : undefined, opset, scope)
    this.#beforeNode?.(op)
    try {
      if (fn !== undefined) this.#call(fn, op)
      else {
        kindsFromSchema(op)
        const rule = ruleOf(domain, opType)
        rule?.(op)
        if (rule === undefined && op.schema === undefined) this.#unknownOps.add(`${domain}:${opType}`)
      }
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error
      this.#contradict(node, undefined, error.message)
    }
    for (const [index, value] of node.outputs.entries()) {
      if (value !== undefined) this.#conclude(node, value, op.outputs[index] ?? UNKNOWN, scope)
    }
    propagateElements(op)
  }

  /** Sets what is known of a value: what the node says, and what the model declares. */
  #conclude(node: Node, value: Value, inferred: ValueKind, scope: Scope): void {
    const promised = this.#names.of(declared(value))
    const both = refine(inferred, promised)
    if (both === undefined) {
      const what = `gives "${value.name}" as ${describe(inferred)}, which the model declares as ${describe(promised)}`
      this.#contradict(node, value, what)
    }
    const isAnew = this.#policy === 'replace' && (inferred.kind !== 'tensor' || inferred.dims !== undefined)
    scope.kinds.set(value, isAnew ? withType(inferred, promised) : (both ?? promised))
  }

  /** A function's body is gone through for each call, as types and shapes in it follow from the call's inputs. */
  #call(fn: ModelFunction, op: OpContext): void {
    if (this.#calls.includes(fn)) op.fail(`the function ${fn.domain}:${fn.name} calls itself`)
    if (this.#effort <= 0 || this.#calls.length >= MAX_CALLS) return
    const attributes = new Map<string, Attribute>()
    for (const name of fn.attributeNames) {
      const attribute = op.attribute(name) ?? fn.defaultOf(name)
      if (attribute !== undefined) attributes.set(name, attribute)
    }
    const opsets = new Map(fn.proto.opsetImport.map(({ domain, version }) => [domain ?? '', Number(version)]))
    const scope = this.#scope(opsets, attributes, new Set())
    this.#calls.push(fn)
    const kinds = fn.graph.inputs.map((_, index) => op.kind(index))
    const elements = fn.graph.inputs.map((_, index) => op.elements(index))
    const outputs = this.#inferInner(fn.graph, scope, kinds, elements)
    this.#calls.pop()
    for (const [index, kind] of outputs.entries()) {
      op.giveKind(index, kind)
      const known = scope.elements.get(fn.graph.outputs[index] as Value)
      if (known !== undefined) op.giveElements(index, known)
    }
  }

  #contradict(node: Node, value: Value | undefined, what: string): void {
    const name = node.name === '' ? `${node} of "${node.outputs[0]?.name ?? ''}"` : `${node}`
    const message = `${name} ${value === undefined ? `cannot be: ${what}` : what}`
    if (this.#policy === 'throw') {
      throw new TrtError('INVALID_MODEL', `the model contradicts itself: ${message}`, {
        hint: "Where the model's inputs were changed on purpose, infer with onContradiction: 'replace'.",
      })
    }
    this.#contradictions.push({ node, value, message })
  }

  #declare(root: Graph, scope: Scope): InferredTypes {
    const changed: Value[] = []
    const untyped: Value[] = []
    const unshaped: Value[] = []
    let values = 0
    for (const graph of this.#model.graphs()) {
      for (const value of graph.values) {
        const kind = scope.kinds.get(value)
        if (kind === undefined || value.initializer !== undefined || scope.inputs.has(value)) continue
        if (value.producer !== undefined) {
          values++
          if (!isTyped(kind)) untyped.push(value)
          if (kind.kind === 'tensor' && kind.dims === undefined) unshaped.push(value)
        }
        if (isTyped(kind) && this.#write(value, kind, graph === root)) changed.push(value)
      }
    }
    const [unknownOps, contradictions] = [[...this.#unknownOps], this.#contradictions]
    return { changed, values, untyped, unshaped, unknownOps, contradictions, elements: scope.elements }
  }

  /** @returns whether something is declared now that was not */
  #write(value: Value, kind: ValueKind, isMain: boolean): boolean {
    const old = declared(value)
    const wanted = isMain && value.isOutput && this.#policy !== 'replace' ? withNames(kind, old) : kind
    if (isEqual(old, wanted)) return false
    if (wanted.kind === 'tensor') value.setType(wanted.elem, wanted.dims)
    else value.setTypeProto(() => protoOf(wanted))
    return true
  }
}

/** Functions that call functions that call … : more are not looked into. */
const MAX_CALLS = 100

/** A kind with the element type of another one, where its own is not known. */
function withType(kind: ValueKind, other: ValueKind): ValueKind {
  if (kind.kind !== 'tensor' || kind.elem !== 'undefined' || other.kind !== 'tensor') return kind
  return tensor(other.elem, kind.dims)
}

/** A kind with the names that an output is declared with: they are the model's interface, callers may know them. */
function withNames(kind: ValueKind, old: ValueKind): ValueKind {
  if (kind.kind !== 'tensor' || old.kind !== 'tensor') return kind
  return tensor(
    kind.elem,
    kind.dims?.map((dim, axis) => {
      const name = old.dims?.[axis]
      return typeof dim === 'string' && typeof name === 'string' ? name : dim
    }),
  )
}

/** What the model declares of a value, an initializer's own type included. */
function declared(value: Value): ValueKind {
  let kind: ValueKind = UNKNOWN
  for (const { type } of value.state.infos) kind = refine(kind, kindOf(type)) ?? kind
  return kind
}

function constantKind(value: Value): ValueKind {
  const { initializer } = value
  return initializer === undefined ? declared(value) : tensor(initializer.type, initializer.dims)
}
