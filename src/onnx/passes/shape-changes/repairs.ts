/** What is put right in a node whose inputs have other shapes now, by op. Rules: onnx/docs/Operators.md. */
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { floorDivide, isSame, multiply } from '../../shapes/dim-algebra.js'
import type { OpContext } from '../../shapes/op-context.js'
import type { Dims } from '../../shapes/value-kinds.js'
import type { Dim } from '../../value-type.js'
import { int64s } from '../constants.js'
import { isSameShape } from '../simplify/facts.js'
import { reshapeTarget } from '../simplify/reshape-target.js'
import { follow, takeFirst } from './follow.js'
import { regroup } from './regroup.js'

/** What was before. */
export interface Before {
  /** The shape that a value had. */
  dims(value: Value | undefined): Dims | undefined
  /** The sizes that the axes that change had in the inputs. */
  readonly changed: readonly Dim[]
}

type Repair = (op: OpContext, before: Before) => string | undefined

/** As exporters write "to the end". */
const TO_THE_END = 2n ** 63n - 1n

/** @returns what was done to the node, in the past tense; undefined where nothing was to be done */
export function repair(op: OpContext, before: Before): string | undefined {
  return op.node.domain === '' ? REPAIRS[op.node.opType]?.(op, before) : undefined
}

const reshape: Repair = (op, before) => {
  const [data, shape] = op.node.inputs
  const [from, to, now] = [before.dims(data), before.dims(op.node.outputs[0]), op.dims(0)]
  if (from === undefined || to === undefined || now === undefined || shape === undefined) return undefined
  if (isSameShape(from, now)) return undefined
  const wanted = regroup(from, to, now, before.changed)
  const elements = op.elements(1)
  if (wanted === undefined || (elements && isSameShape(resolved(elements, now), wanted))) return undefined
  const target = reshapeTarget(wanted, now)
  if (target === undefined) return undefined
  setConstant(op.node, 1, target)
  return `given the shape [${target}]`
}

/** The shape that a Reshape to these elements gives. */
function resolved(elements: Dims, now: Dims): Dims {
  const sizes = elements.map((element, axis) => (element === 0 ? (now[axis] ?? null) : element))
  if (!sizes.includes(-1)) return sizes
  const rest = floorDivide(multiply(...now), multiply(...sizes.filter((size) => size !== -1)))
  return sizes.map((size) => (size === -1 ? rest : size))
}

/** An axis that it only repeats to the size that it has already follows the input: 1 leaves any size as it is. */
const expand: Repair = (op, before) => {
  const [data] = op.node.inputs
  const [from, now, elements] = [before.dims(data), op.dims(0), op.numbers(1)]
  if (from === undefined || now === undefined || elements === undefined) return undefined
  const offset = elements.length - from.length
  const target = elements.map((size, index) => {
    const axis = index - offset
    const hasChanged = axis >= 0 && !isSame(from[axis] as Dim, now[axis] as Dim)
    return hasChanged && from[axis] === size ? 1 : size
  })
  if (isSameShape(target, elements)) return undefined
  setConstant(op.node, 1, target)
  return `given the shape [${target}]`
}

/** Sizes become factors, where an axis with a changed size has one; sizes that are not resized follow. */
const resize: Repair = (op, before) => {
  const { node } = op
  const [from, to, now] = [before.dims(node.inputs[0]), before.dims(node.outputs[0]), op.dims(0)]
  if (op.opset < 11 || op.numbers(3) === undefined || !isNumbers(from) || !isNumbers(to) || now === undefined)
    return undefined
  if (isSameShape(from, now) || node.attribute('axes') !== undefined) return undefined
  const sizes = now.map((dim, axis) => resized(from[axis] as number, to[axis] as number, dim))
  if (isNumbers(sizes)) {
    setConstant(node, 3, sizes)
    return `given the sizes [${sizes}]`
  }
  const factors = Float32Array.from(to, (size, axis) => size / (from[axis] as number))
  const scales = node.graph.addInitializer(
    { type: 'float32', dims: [factors.length], data: factors },
    node.graph.uniqueName(`${node.outputs[0]?.name}_scales`),
  )
  node.inputs = [node.inputs[0], node.inputs[1], scales]
  return `given the scales [${factors}] for its sizes`
}

function resized(from: number, to: number, now: Dim): Dim {
  if (from === to) return now
  return typeof now === 'number' ? Math.round((now * to) / from) : null
}

/** What took all of an axis takes all of it still. */
const slice: Repair = (op, before) => {
  const { node } = op
  const [from, to, now] = [before.dims(node.inputs[0]), before.dims(node.outputs[0]), op.dims(0)]
  const [starts, ends] = [op.numbers(1), op.numbers(2)]
  if (op.opset < 10 || starts === undefined || ends === undefined || from === undefined || now === undefined)
    return undefined
  const axes = node.inputs[3] === undefined ? ends.map((_, index) => index) : op.numbers(3)
  const steps = node.inputs[4] === undefined ? ends.map(() => 1) : op.numbers(4)
  if (axes === undefined || steps === undefined || to === undefined) return undefined
  let hasChanged = false
  const target = ends.map((end, index) => {
    const axis = op.axis(axes[index] as number, from.length)
    const isWhole =
      starts[index] === 0 && steps[index] === 1 && end === from[axis] && isSame(from[axis] as Dim, to[axis] as Dim)
    if (!isWhole || isSame(from[axis] as Dim, now[axis] as Dim)) return BigInt(end)
    hasChanged = true
    return TO_THE_END
  })
  if (!hasChanged) return undefined
  setConstant(node, 2, target)
  return 'made to take all of the axes that it took all of'
}

/** A part that was as long as the others, such as a class token that is put in front, is repeated to be so again. */
const concat: Repair = (op, before) => {
  const { node } = op
  const shapes = node.inputs.map((_, index) => op.dims(index))
  const rank = shapes[0]?.length
  if (rank === undefined || !shapes.every((dims) => dims?.length === rank)) return undefined
  const along = op.axis(op.int('axis', 1), rank)
  let what: string | undefined
  for (let axis = 0; axis < rank; axis++) {
    const model = node.inputs.findIndex((_, index) => hasChanged(op, before, index, axis))
    const size = shapes[model]?.[axis] ?? null
    if (axis === along || size === null) continue
    for (const index of node.inputs.keys()) {
      if (!follow(op, index, axis, { size, value: node.inputs[model] as Value, axis })) continue
      what = `given inputs that are as long along axis ${axis}`
    }
  }
  return what
}

/** What was as long as another input is so no more, yet was the same all along: once, it goes with every size. */
const broadcast: Repair = (op, before) => {
  const { inputs, opType } = op.node
  const rank = Math.max(...inputs.map((_, index) => op.dims(index)?.length ?? 0))
  let what: string | undefined
  for (let back = opType === 'MatMul' ? 3 : 1; back <= rank; back++) {
    const axisOf = (index: number) => (op.dims(index)?.length ?? 0) - back
    const model = inputs.findIndex((_, index) => hasChanged(op, before, index, axisOf(index)))
    const old = before.dims(inputs[model])?.at(-back)
    if (model < 0 || old === 1 || old === undefined) continue
    for (const index of inputs.keys()) {
      const isAlike = !hasChanged(op, before, index, axisOf(index)) && isSame(op.dims(index)?.at(-back) ?? null, old)
      if (isAlike && takeFirst(op, index, axisOf(index)))
        what = `given an input that goes with every size ${back} from the end`
    }
  }
  return what
}

/** What it begins with, and the lengths of sequences, are there for each of the batch. */
const recurrent: Repair = (op, before) => {
  const [data] = op.node.inputs
  const axis = op.int('layout', 0) === 1 ? 0 : 1
  const [old, size] = [before.dims(data)?.[axis] ?? null, op.dims(0)?.[axis] ?? null]
  if (data === undefined || old === null || size === null || isSame(old, size)) return undefined
  const [lengths, hidden, cell] = [4, 5, 6]
  let what: string | undefined
  for (const [index, own] of [
    [lengths, 0],
    [hidden, axis],
    [cell, axis],
  ] as const) {
    if (!isSame(op.dims(index)?.[own] ?? null, old)) continue
    if (follow(op, index, own, { size, value: data, axis })) what = 'given what it begins with for each of the batch'
  }
  return what
}

function hasChanged(op: OpContext, before: Before, index: number, axis: number): boolean {
  const now = op.dims(index)
  const old = before.dims(op.node.inputs[index])
  // An axis that the input does not have has no size.
  return now?.[axis] !== undefined && !isSame(old?.[axis] ?? null, now[axis] ?? null)
}

function setConstant(node: Node, index: number, values: readonly (number | bigint)[]): void {
  const name = `${node.inputs[index]?.name ?? node.name}_resized`
  node.setInput(index, node.graph.addInitializer(int64s(values), node.graph.uniqueName(name)))
}

function isNumbers(dims: Dims | undefined): dims is readonly number[] {
  return dims?.every((dim) => typeof dim === 'number') ?? false
}

const BROADCASTING = 'Add And Div Equal Greater Less MatMul Max Min Mod Mul Or PRelu Pow Sub Sum Where Xor'.split(' ')

const REPAIRS: Readonly<Record<string, Repair>> = {
  ...Object.fromEntries(BROADCASTING.map((op) => [op, broadcast])),
  Concat: concat,
  Expand: expand,
  GRU: recurrent,
  LSTM: recurrent,
  RNN: recurrent,
  Reshape: reshape,
  Resize: resize,
  Slice: slice,
}
