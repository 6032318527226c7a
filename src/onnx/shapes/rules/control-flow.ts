/** Ops that run graphs: branches and loops. */
import type { Graph } from '../../model/graph.js'
import type { Dim } from '../../value-type.js'
import { isSame } from '../dim-algebra.js'
import { isEqual, widen } from '../merge-kinds.js'
import type { OpContext, Rule } from '../op-context.js'
import { tensor, UNKNOWN, type ValueKind, withoutShape } from '../value-kinds.js'

export const CONTROL_FLOW: Readonly<Record<string, Rule>> = {
  If: (op) => {
    const branches = ['then_branch', 'else_branch'].map((name) => {
      const graph = op.graph(name)
      return graph === undefined ? op.fail(`it has no ${name}`) : op.scope.inferGraph(graph, [])
    })
    const [yes, no] = branches as [ValueKind[], ValueKind[]]
    const condition = op.element(0)
    for (let index = 0; index < op.outputCount; index++) {
      const [a, b] = [yes[index] ?? UNKNOWN, no[index] ?? UNKNOWN]
      op.giveKind(index, condition === null ? either(op, a, b) : condition === 0 ? b : a)
    }
  },

  Loop: (op) => {
    const body = bodyOf(op)
    const count = body.inputs.length - 2
    const initial = op.node.inputs.slice(2).map((_, index) => op.kind(index + 2))
    if (initial.length !== count) op.fail(`its body carries ${count} values, it is given ${initial.length}`)
    // Iteration and condition are scalars; some exporters make them of shape [1].
    const fixed = [tensor('int64', body.inputs[0]?.dims ?? []), tensor('bool', body.inputs[1]?.dims ?? [])]
    const { states, results } = settle(op, initial, (carried) => {
      const outputs = op.scope.inferGraph(body, [...fixed, ...carried])
      return { states: outputs.slice(1, 1 + count), results: outputs.slice(1 + count) }
    })
    for (const [index, state] of states.entries()) op.giveKind(index, state)
    const most = isCounted(op, body) ? op.element(0) : null
    const rounds = typeof most === 'number' ? Math.max(0, most) : most
    for (const [index, result] of results.entries()) op.giveKind(count + index, stacked(result, 0, rounds))
  },

  Scan: (op) => (op.opset < 9 ? batchedScan(op) : scan(op)),

  SequenceMap: (op) => {
    const inputs = op.node.inputs.map((_, index) => {
      const kind = op.kind(index)
      return kind.kind === 'sequence' ? kind.of : kind
    })
    const outputs = op.scope.inferGraph(bodyOf(op), inputs)
    for (const [index, of] of outputs.entries()) op.giveKind(index, { kind: 'sequence', of })
  },
}

function bodyOf(op: OpContext): Graph {
  return op.graph('body') ?? op.fail('it has no body')
}

function either(op: OpContext, a: ValueKind, b: ValueKind): ValueKind {
  return widen(a, b) ?? op.fail('its branches give values of different types')
}

interface Round {
  readonly states: readonly ValueKind[]
  readonly results: readonly ValueKind[]
}

/**
 * Runs a loop's body until what is known of the values that it carries holds for every round: first with the shapes that
 * it begins with, then with what is common to those and what comes out, at last without shapes. A value may even change
 * its type, from an optional sequence to a sequence.
 */
function settle(op: OpContext, initial: readonly ValueKind[], run: (carried: readonly ValueKind[]) => Round): Round {
  let carried = initial
  for (const attempt of [0, 1]) {
    if (!op.scope.mayRepeat()) break
    const { states, results } = run(carried)
    const common = carried.map((kind, index) => {
      const next = states[index] ?? UNKNOWN
      return widen(kind, next) ?? withoutShape(next)
    })
    if (common.every((kind, index) => isEqual(kind, carried[index] as ValueKind))) return { states: common, results }
    carried = attempt === 0 ? common : common.map(withoutShape)
  }
  const { results } = run(carried.map(withoutShape))
  return { states: carried.map(withoutShape), results }
}

/** Whether a Loop ends by its count alone: its condition is true at first, and handed on as it is. */
function isCounted(op: OpContext, body: Graph): boolean {
  if (op.hasInput(1) && op.element(1) !== 1) return false
  let value = body.outputs[0]
  while (value?.producer?.opType === 'Identity') value = value.producer.inputs[0]
  return value !== undefined && (value === body.inputs[1] || op.scope.elements.get(value)?.[0] === 1)
}

/** A result of each round, put together along a new axis. */
function stacked(kind: ValueKind, axis: number, rounds: Dim): ValueKind {
  if (kind.kind !== 'tensor' || kind.dims === undefined) return kind
  return tensor(kind.elem, kind.dims.toSpliced(axis < 0 ? axis + kind.dims.length + 1 : axis, 0, rounds))
}

/** One slice of an input, without the axis; and how many there are. */
function sliced(op: OpContext, index: number, given: number): { kind: ValueKind; count: Dim } {
  const kind = op.kind(index)
  if (kind.kind !== 'tensor' || kind.dims === undefined) return { kind, count: null }
  const axis = op.axis(given, kind.dims.length)
  return { kind: tensor(kind.elem, kind.dims.toSpliced(axis, 1)), count: kind.dims[axis] ?? null }
}

function scan(op: OpContext): void {
  const body = bodyOf(op)
  const scanned = op.int('num_scan_inputs', 0)
  const count = op.inputCount - scanned
  const inputAxes = op.ints('scan_input_axes')
  const outputAxes = op.ints('scan_output_axes')
  const slices = Array.from({ length: scanned }, (_, i) => sliced(op, count + i, inputAxes?.[i] ?? 0))
  const rounds = sameCount(slices.map((slice) => slice.count))
  const initial = Array.from({ length: count }, (_, index) => op.kind(index))
  const { states, results } = settle(op, initial, (carried) => {
    const outputs = op.scope.inferGraph(body, [...carried, ...slices.map(({ kind }) => kind)])
    return { states: outputs.slice(0, count), results: outputs.slice(count) }
  })
  for (const [index, state] of states.entries()) op.giveKind(index, state)
  for (const [index, result] of results.entries()) {
    op.giveKind(count + index, stacked(result, outputAxes?.[index] ?? 0, rounds))
  }
}

/** Scan of opset 8: behind the lengths come states and sequences, each with the batch in front. */
function batchedScan(op: OpContext): void {
  const scanned = op.int('num_scan_inputs', 0)
  const count = op.inputCount - 1 - scanned
  const states = Array.from({ length: count }, (_, index) => sliced(op, 1 + index, 0))
  const sequences = Array.from({ length: scanned }, (_, index) => sliced(op, 1 + count + index, 0))
  const batch = sameCount([...states, ...sequences].map((slice) => slice.count))
  const lengths = sequences.map(({ kind }) => (kind.kind === 'tensor' ? (kind.dims?.[0] ?? null) : null))
  const elements = sequences.map(({ kind }) => (kind.kind === 'tensor' ? tensor(kind.elem, kind.dims?.slice(1)) : kind))
  const outputs = op.scope.inferGraph(bodyOf(op), [...states.map(({ kind }) => kind), ...elements])
  for (const [index, kind] of outputs.entries()) {
    const sequence = index < count ? kind : stacked(kind, 0, sameCount(lengths))
    op.giveKind(index, stacked(sequence, 0, batch))
  }
}

/** The size that all have: known where one is known. */
function sameCount(counts: readonly Dim[]): Dim {
  const number = counts.find((count) => typeof count === 'number')
  const [first = null] = counts
  return number ?? (counts.every((count) => isSame(count, first)) ? first : null)
}
