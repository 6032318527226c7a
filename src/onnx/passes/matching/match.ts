/**
 * Finding patterns, from their last node backwards.
 *
 * Linear in nodes: what is tried at a node depends on the pattern alone. Of an op whose inputs may be swapped both orders
 * are tried, and a try that fails is forgotten. Identity nodes are seen through.
 */
import { TrtError } from '../../../errors.js'
import type { Graph } from '../../model/graph.js'
import type { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { Constants } from '../constants.js'
import type { Call, Pattern, Term, Written } from './pattern.js'
import { isNumber, type Scalar, scalarOf } from './scalar.js'
import { isGone } from './sweep.js'

/** Where a pattern was found. */
export class Match {
  /** The node of the pattern's last statement. */
  readonly root: Node
  /** All nodes of it, Identity nodes in between included. */
  readonly nodes: ReadonlySet<Node>
  readonly #values: ReadonlyMap<string, Value>
  readonly #constants: Constants

  /** @internal */
  constructor(root: Node, nodes: ReadonlySet<Node>, values: ReadonlyMap<string, Value>, constants: Constants) {
    this.root = root
    this.nodes = nodes
    this.#values = values
    this.#constants = constants
  }

  get graph(): Graph {
    return this.root.graph
  }

  /** Whether the pattern has a name. */
  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The value that a name of the pattern stands for. */
  value(name: string): Value {
    const value = this.#values.get(name)
    if (value !== undefined) return value
    throw new TrtError('INVALID_ARGUMENT', `the pattern has no ${JSON.stringify(name)}`, {
      hint: `it has ${[...this.#values.keys()].join(', ')}`,
    })
  }

  /** The number that a constant of the pattern is; undefined where it is none, or more than one. */
  number(name: string): number | undefined {
    return this.scalar(name)?.value
  }

  /** @internal */
  scalar(name: string): Scalar | undefined {
    return scalarOf(this.value(name), this.#constants)
  }
}

/** Which of a pattern's matches count. */
export interface MatchConditions {
  /**
   * Shapes by the pattern's names: a size, a text (the same one means the same size), or null for any size; the rank has to
   * be as given. A dimension that the model does not know fits null only, or the same symbol.
   */
  readonly shapes?: { readonly [name: string]: readonly (number | string | null)[] } | undefined
}

/** The matches of a pattern in a model, in the order of their last nodes. None holds the last node of another. */
export function* findMatches(
  model: Model,
  pattern: Pattern,
  { shapes = {} }: MatchConditions = {},
): Generator<Match, void> {
  const constants = new Constants(model)
  for (const graph of model.graphs()) {
    // The list as it is now: matches may be replaced while others are looked for.
    for (const root of [...graph.nodes]) {
      if (!isOp(root, pattern.root) || isGone(root)) continue
      const found = new Matcher(root, constants).match(pattern.root)
      if (found === undefined || !haveShapes(found.values, shapes)) continue
      yield new Match(root, found.visited, found.values, constants)
    }
  }
}

/** What was found out on the way. */
interface State {
  readonly nodes: Map<Call, Node>
  readonly values: Map<string, Value>
  readonly visited: Set<Node>
}

/** What is still to be found: an input, and then the others. */
interface Goal {
  readonly term: Term
  readonly value: Value | undefined
  readonly next: Goal | undefined
}

const COMMUTATIVE: ReadonlySet<string> = new Set([
  'Add',
  'Mul',
  'Max',
  'Min',
  'Sum',
  'Mean',
  'And',
  'Or',
  'Xor',
  'Equal',
])

class Matcher {
  readonly #root: Node
  readonly #constants: Constants

  constructor(root: Node, constants: Constants) {
    this.#root = root
    this.#constants = constants
  }

  match(call: Call): State | undefined {
    return this.#call(call, this.#root, undefined, { nodes: new Map(), values: new Map(), visited: new Set() })
  }

  /** Reaches all goals, one after the other; a state that fails is thrown away. */
  #reach(goal: Goal | undefined, state: State): State | undefined {
    if (goal === undefined) return state
    const { term, value, next } = goal
    switch (term.kind) {
      case 'any':
        return this.#reach(next, state)
      case 'number': {
        const scalar = scalarOf(value, this.#constants)
        return scalar !== undefined && isNumber(scalar, term.value) ? this.#reach(next, state) : undefined
      }
      case 'constant':
      case 'value': {
        if (value === undefined) return undefined
        const source = this.#source(value, state)
        const isConstant = this.#constants.of(source) !== undefined || scalarOf(source, this.#constants) !== undefined
        if (term.kind === 'constant' && !isConstant) return undefined
        const known = state.values.get(term.name)
        if (known !== undefined && known !== source && this.#source(known, state) !== source) return undefined
        if (known === undefined) state.values.set(term.name, value)
        return this.#reach(next, state)
      }
      case 'output': {
        if (value === undefined) return undefined
        const source = this.#source(value, state)
        const { producer } = source
        if (producer?.graph !== this.#root.graph || producer.outputs[term.index] !== source) return undefined
        const known = state.nodes.get(term.call)
        if (known !== undefined) return known === producer ? this.#reach(next, state) : undefined
        return this.#call(term.call, producer, next, state)
      }
    }
  }

  /** A node, its inputs, and then the goals that follow. */
  #call(call: Call, node: Node, next: Goal | undefined, state: State): State | undefined {
    if (!isOp(node, call) || !haveAttributes(node, call)) return undefined
    const terms = call.inputs
    const given = lastInput(node) + 1
    if (given > terms.length && !call.isOpen) return undefined
    state.nodes.set(call, node)
    state.visited.add(node)
    for (const [index, name] of call.outputs.entries()) {
      const value = node.outputs[index]
      if (name === undefined || value === undefined) continue
      state.values.set(name, value)
    }
    const goals = (inputs: readonly (Value | undefined)[]): Goal | undefined =>
      terms.reduceRight<Goal | undefined>((rest, term, index) => ({ term, value: inputs[index], next: rest }), next)
    const [first, second] = node.inputs
    const canSwap = given === 2 && terms.length === 2 && node.domain === '' && COMMUTATIVE.has(node.opType)
    if (!canSwap) return this.#reach(goals(node.inputs), state)
    return this.#reach(goals([first, second]), copied(state)) ?? this.#reach(goals([second, first]), state)
  }

  /** The value behind Identity nodes of this graph. */
  #source(value: Value, state: State): Value {
    let source = value
    for (;;) {
      const { producer } = source
      if (producer?.opType !== 'Identity' || producer.domain !== '' || producer.graph !== this.#root.graph)
        return source
      const [input] = producer.inputs
      if (input === undefined) return source
      state.visited.add(producer)
      source = input
    }
  }
}

function copied({ nodes, values, visited }: State): State {
  return { nodes: new Map(nodes), values: new Map(values), visited: new Set(visited) }
}

function isOp({ opType, domain }: Node, { ops }: Call): boolean {
  return ops.some((op) => op.opType === opType && op.domain === domain)
}

function lastInput({ inputs }: Node): number {
  return inputs.findLastIndex((input) => input !== undefined)
}

function haveAttributes(node: Node, { attributes }: Call): boolean {
  for (const [name, wanted] of attributes) {
    const attribute = node.attribute(name)
    if (attribute === undefined ? wanted !== null : !isWritten(attribute.value, wanted)) return false
  }
  return true
}

function isWritten(value: unknown, written: Written): boolean {
  if (typeof written === 'object' && written !== null && 'float' in written) return isWritten(value, written.float)
  if (Array.isArray(written)) {
    return (
      Array.isArray(value) &&
      value.length === written.length &&
      value.every((item, index) => isWritten(item, written[index] as Written))
    )
  }
  if (typeof written === 'number') {
    return (
      (typeof value === 'number' && Math.fround(value) === Math.fround(written)) ||
      value === BigInt(Math.trunc(written))
    )
  }
  return value === written
}

function haveShapes(values: ReadonlyMap<string, Value>, shapes: NonNullable<MatchConditions['shapes']>): boolean {
  const symbols = new Map<string, number | string>()
  return Object.entries(shapes).every(([name, wanted]) => {
    const dims = values.get(name)?.dims
    if (dims?.length !== wanted.length) return false
    return wanted.every((size, axis) => {
      const dim = dims[axis] ?? null
      if (size === null) return true
      if (dim === null) return false
      if (typeof size === 'number') return dim === size
      const known = symbols.get(size)
      if (known === undefined) symbols.set(size, dim)
      return known === undefined || known === dim
    })
  })
}
