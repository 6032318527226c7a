import type { OpContext, Rule } from '../op-context.js'
import { tensor } from '../value-kinds.js'

/** By op: from which opset on the axes are an input. */
const AXES_AS_INPUT: Readonly<Record<string, number>> = {
  ReduceSum: 13,
  ReduceL1: 18,
  ReduceL2: 18,
  ReduceLogSum: 18,
  ReduceLogSumExp: 18,
  ReduceMax: 18,
  ReduceMean: 18,
  ReduceMin: 18,
  ReduceProd: 18,
  ReduceSumSquare: 18,
}

/** `axes` are those that are reduced, undefined where they are not known. */
function giveReduced(op: OpContext, axes: readonly number[] | undefined, keepsRank: boolean): void {
  const dims = op.dims(0)
  if (dims === undefined) return
  if (axes === undefined) {
    op.give(0, keepsRank ? dims.map(() => null) : undefined)
    return
  }
  const gone = new Set(axes.map((axis) => op.axis(axis, dims.length)))
  const reduced = dims.map((dim, axis) => (gone.has(axis) ? 1 : dim))
  op.give(0, keepsRank ? reduced : dims.filter((_, axis) => !gone.has(axis)))
}

function reduction(isInputFrom: number): Rule {
  return (op) => {
    const isInput = op.opset >= isInputFrom
    const named = isInput ? op.numbers(1) : op.ints('axes')
    const all = op.dims(0)?.map((_, axis) => axis)
    const keepsRank = op.int('keepdims', 1) === 1
    // No axes, or an empty list of them, means all, unless the node says that it then means none.
    const isKnown = !isInput || !op.hasInput(1) || named !== undefined || op.dims(1)?.[0] === 0
    const axes = named?.length ? named : op.int('noop_with_empty_axes', 0) === 1 ? [] : all
    giveReduced(op, isKnown ? axes : undefined, keepsRank)
  }
}

function giveIndexOfExtreme(op: OpContext): void {
  op.giveKind(0, tensor('int64'))
  giveReduced(op, [op.int('axis', 0)], op.int('keepdims', 1) === 1)
}

export const REDUCING: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(Object.entries(AXES_AS_INPUT).map(([name, from]) => [name, reduction(from)])),
  ArgMax: giveIndexOfExtreme,
  ArgMin: giveIndexOfExtreme,
}
