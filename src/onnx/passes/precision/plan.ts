/**
 * Who computes in which type, so that few Casts are needed.
 *
 * A value that one type gives and the other one reads costs a Cast, whoever else reads it. Everything that may be of the
 * smaller type starts so. Then whole islands without a matrix product go back where only float32 is around them, and single
 * cheap nodes where that saves a Cast. An exact minimal cut would take longer than linear.
 */
import type { Graph } from '../../model/graph.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import type { Constants } from '../constants.js'
import type { PortedNodes } from './keep-full.js'
import type { Port } from './ports.js'

/** A type that a value is wanted in. */
export type Wanted = 'low' | 'full'

/** How a value of float32 is given and read. */
export class ValueUse {
  /** Constants are given in whatever type they are wanted in, and cost nothing. */
  readonly isConstant: boolean
  produced: Wanted
  /** How many read it in each type. */
  low = 0
  full = 0

  constructor(isConstant: boolean, produced: Wanted) {
    this.isConstant = isConstant
    this.produced = produced
  }

  /** The Casts that it needs. */
  get casts(): number {
    if (this.isConstant) return 0
    return (this.produced === 'low' ? this.full : this.low) > 0 ? 1 : 0
  }

  read(type: Wanted, times = 1): void {
    if (type === 'low') this.low += times
    else this.full += times
  }
}

/** What the nodes of a model compute in. */
export interface Plan {
  /** The nodes of the smaller type. */
  readonly low: ReadonlySet<Node>
  /** Every value of float32. */
  readonly uses: ReadonlyMap<Value, ValueUse>
  /** The type that a reader wants an input in; undefined where it takes whatever there is. */
  wanted(node: Node, index: number): Wanted | undefined
  /** The type that a graph gives a value out in. */
  wantedBy(graph: Graph): Wanted
}

/** Matrix products and the like: what the smaller type is for. */
const HEAVY: ReadonlySet<string> = new Set([
  'Attention',
  'Conv',
  'ConvTranspose',
  'DeformConv',
  'Einsum',
  'GRU',
  'Gemm',
  'LSTM',
  'MatMul',
  'RNN',
])

/** @param kept nodes that stay in float32; those that go back to it are added */
export function planPrecision(
  main: Graph,
  nodes: PortedNodes,
  constants: Constants,
  kept: Map<Node, string>,
  keepIoTypes: boolean,
): Plan {
  const planner = new Planner(main, nodes, constants, kept, keepIoTypes)
  planner.dissolveIslands()
  planner.saveCasts()
  return planner
}

class Planner implements Plan {
  readonly low = new Set<Node>()
  readonly uses = new Map<Value, ValueUse>()
  readonly #main: Graph
  readonly #nodes: PortedNodes
  readonly #constants: Constants
  readonly #kept: Map<Node, string>
  readonly #outside: Wanted
  readonly #inputs: ReadonlySet<Value>

  constructor(main: Graph, nodes: PortedNodes, constants: Constants, kept: Map<Node, string>, keepIoTypes: boolean) {
    this.#main = main
    this.#nodes = nodes
    this.#constants = constants
    this.#kept = kept
    this.#outside = keepIoTypes ? 'full' : 'low'
    this.#inputs = new Set(main.fedInputs)
    for (const [node, { inputs, outputs }] of nodes) {
      if (!kept.has(node) && [...inputs, ...outputs].includes('node')) this.low.add(node)
    }
    this.#countUses()
  }

  wanted(node: Node, index: number): Wanted | undefined {
    const port = this.#nodes.get(node)?.inputs[index] ?? 'none'
    return port === 'none' || port === 'any' ? undefined : this.#typeOf(node, port)
  }

  wantedBy(graph: Graph): Wanted {
    return graph === this.#main ? this.#outside : 'full'
  }

  /** Takes the smaller type from regions that only cost Casts: no matrix product inside, float32 nodes all around. */
  dissolveIslands(): void {
    const seen = new Set<Node>()
    for (const start of this.low) {
      if (seen.has(start)) continue
      const region = this.#region(start)
      for (const node of region) seen.add(node)
      if (!this.#isIsland(region)) continue
      for (const node of region) this.#keep(node, 'only float32 is around it')
    }
  }

  /** Turns cheap nodes back to float32 where that leaves fewer Casts; each turn saves one, so this ends. */
  saveCasts(): void {
    const order = [...this.low].filter((node) => !HEAVY.has(node.opType))
    for (const candidates of [order, order.toReversed()]) {
      for (const node of candidates) {
        if (!this.low.has(node)) continue
        const before = this.#casts(node)
        this.#turn(node, 'full')
        if (this.#casts(node) < before) this.#kept.set(node, 'that saves a Cast')
        else this.#turn(node, 'low')
      }
    }
  }

  #typeOf(node: Node, port: Port): Wanted {
    return port === 'node' && this.low.has(node) ? 'low' : 'full'
  }

  #countUses(): void {
    for (const node of this.#nodes.keys()) {
      for (const [index, value] of node.inputs.entries()) {
        const wanted = this.wanted(node, index)
        if (value !== undefined && wanted !== undefined) this.#use(value).read(wanted)
      }
      for (const value of node.outputs) if (value?.type === 'float32') this.#use(value)
    }
    for (const value of this.#main.inputs) if (value.type === 'float32') this.#use(value)
    for (const [value, use] of this.uses) {
      for (const graph of value.state.outputOf) use.read(this.wantedBy(graph))
    }
  }

  #use(value: Value): ValueUse {
    let use = this.uses.get(value)
    if (use === undefined) {
      use = new ValueUse(this.#constants.of(value) !== undefined, this.#given(value))
      this.uses.set(value, use)
    }
    return use
  }

  #given(value: Value): Wanted {
    const { producer } = value
    // Initializers that callers may replace stay as they are, and so do sparse ones.
    if (producer === undefined) return this.#inputs.has(value) ? this.#outside : 'full'
    return this.#typeOf(producer, this.#portsOf(producer).outputs[producer.outputs.indexOf(value)] ?? 'none')
  }

  /** The nodes of the smaller type that are connected with one. */
  #region(start: Node): Set<Node> {
    const region = new Set([start])
    for (const node of region) {
      const { inputs, outputs } = this.#portsOf(node)
      for (const [index, value] of node.inputs.entries()) {
        const { producer } = value ?? {}
        if (inputs[index] === 'node' && producer !== undefined && this.low.has(producer)) region.add(producer)
      }
      for (const [index, value] of node.outputs.entries()) {
        if (outputs[index] !== 'node') continue
        for (const user of value?.consumers ?? []) if (this.low.has(user)) region.add(user)
      }
    }
    return region
  }

  #isIsland(region: ReadonlySet<Node>): boolean {
    let casts = 0
    for (const node of region) {
      if (HEAVY.has(node.opType)) return false
      for (const value of new Set([...node.inputs, ...node.outputs])) {
        const use = value && this.uses.get(value)
        if (use === undefined || use.isConstant) continue
        const isOfCaller = value?.graph === this.#main && (value.producer === undefined || value.isOutput)
        if (isOfCaller) return false
        casts += use.casts
      }
    }
    return casts > 0
  }

  #keep(node: Node, reason: string): void {
    this.#turn(node, 'full')
    this.#kept.set(node, reason)
  }

  #turn(node: Node, type: Wanted): void {
    const { inputs, outputs } = this.#portsOf(node)
    const other = type === 'low' ? 'full' : 'low'
    for (const [index, value] of node.inputs.entries()) {
      if (inputs[index] !== 'node' || value === undefined) continue
      this.#use(value).read(type)
      this.#use(value).read(other, -1)
    }
    for (const [index, value] of node.outputs.entries()) {
      if (outputs[index] === 'node' && value !== undefined) this.#use(value).produced = type
    }
    if (type === 'low') this.low.add(node)
    else this.low.delete(node)
  }

  #casts(node: Node): number {
    let casts = 0
    for (const value of new Set([...node.inputs, ...node.outputs])) {
      casts += (value && this.uses.get(value)?.casts) ?? 0
    }
    return casts
  }

  #portsOf(node: Node): { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] } {
    return this.#nodes.get(node) ?? { inputs: [], outputs: [] }
  }
}
