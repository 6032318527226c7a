import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import type { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import { Constants } from '../passes/constants.js'
import type { Elements } from '../shapes/elements.js'
import { type KnownTypes, knownTypes } from '../shapes/infer-types.js'
import { kindName } from '../shapes/value-kinds.js'
import type { Dim } from '../value-type.js'
import { type InputValues, likelyValues } from './likely-values.js'
import type { LintOptions, LintTarget } from './lint.js'

/** What rules know of a model. Nothing is written into it. */
export class LintFacts {
  readonly model: Model
  readonly target: LintTarget
  /** Whether the model is built in float16. */
  readonly fp16: boolean
  /** By input, what it is always fed with, as far as that is known or likely. */
  readonly values: InputValues
  /** Shapes of inputs that are decided. */
  readonly shapes: NonNullable<LintOptions['shapes']>
  /** Ops that plugin libraries bring. */
  readonly pluginOps: ReadonlySet<string>
  readonly constants: Constants
  /** The nodes of all graphs, those of functions and of graphs inside nodes included. */
  readonly nodes: readonly Node[]
  readonly contradictions: KnownTypes['contradictions']
  readonly #known: KnownTypes
  readonly #functions: ReadonlySet<string>

  constructor(model: Model, { target = 'tensorrt-rtx', fp16 = false, pluginOps = [], values, shapes }: LintOptions) {
    this.model = model
    this.target = target
    this.fp16 = fp16
    this.pluginOps = new Set(pluginOps)
    this.values = { ...likelyValues(model), ...values }
    this.shapes = shapes ?? {}
    this.constants = new Constants(model)
    this.nodes = [...model.graphs()].flatMap(({ nodes }) => nodes)
    this.#known = knownTypes(model)
    this.contradictions = this.#known.contradictions
    this.#functions = new Set(model.functions.map(({ domain, name }) => `${domain}:${name}`))
  }

  /** Version of an operator set. */
  opset(domain = ''): number {
    return this.model.opsets.get(domain) ?? 1
  }

  /** Whether the model itself says what the op does. */
  hasFunction({ domain, opType }: Node): boolean {
    return this.#functions.has(`${domain}:${opType}`)
  }

  /** As {@link Value.type}, inferred where the model does not say. */
  type(value: Value | undefined): string {
    if (value === undefined) return 'undefined'
    const kind = this.#known.kinds.get(value)
    return kind === undefined ? value.type : kindName(kind)
  }

  /** As {@link Value.dims}, inferred where the model does not say. */
  dims(value: Value | undefined): readonly Dim[] | undefined {
    if (value === undefined) return undefined
    const kind = this.#known.kinds.get(value)
    return kind?.kind === 'tensor' ? kind.dims : kind === undefined ? value.dims : undefined
  }

  rank(value: Value | undefined): number | undefined {
    return this.dims(value)?.length
  }

  constant(value: Value | undefined): ModelTensor | undefined {
    return this.constants.of(value)
  }

  /** What a small tensor holds, as far as it follows from constants and shapes. */
  elements(value: Value | undefined): Elements | undefined {
    return value && this.#known.elements.get(value)
  }

  /** Whether a graph is inside a node of one of these ops. */
  isInside(graph: Graph, ops: ReadonlySet<string>): boolean {
    for (let owner = graph.owner; owner !== undefined; owner = owner.graph.owner) if (ops.has(owner.opType)) return true
    return false
  }
}
