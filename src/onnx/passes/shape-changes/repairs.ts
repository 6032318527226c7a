/** What is put right in a node whose inputs have other shapes now, by op. Rules: onnx/docs/Operators.md. */
import type { ElementType } from '../../data-types.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { floorDivide, isSame, multiply } from '../../shapes/dim-algebra.js'
import type { OpContext } from '../../shapes/op-context.js'
import { type Dims, tensor } from '../../shapes/value-kinds.js'
import type { Dim } from '../../value-type.js'
import { int64s } from '../constants.js'
import { isSameShape } from '../simplify/facts.js'
import { reshapeTarget } from '../simplify/reshape-target.js'
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
    const model = node.inputs.findIndex(
      (value, index) => !isSame(before.dims(value)?.[axis] ?? null, shapes[index]?.[axis] ?? null),
    )
    const size = shapes[model]?.[axis] ?? null
    if (axis === along || size === null) continue
    for (const [index, value] of node.inputs.entries()) {
      if (value === undefined || shapes[index]?.[axis] !== 1 || isSame(size, 1)) continue
      repeat(op, index, axis, size, node.inputs[model] as Value)
      what = `given inputs that are as long along axis ${axis}`
    }
  }
  return what
}

/** Puts an Expand in front of an input, along one axis, to a size that another value has along it. */
function repeat(op: OpContext, index: number, axis: number, size: Dim, like: Value): void {
  const { node, scope } = op
  const { graph } = node
  const dims = op.dims(index) as Dims
  const ones = (count: number) => new Array<number>(count).fill(1)
  let shape: Value
  if (typeof size === 'number') {
    shape = graph.addInitializer(
      int64s(ones(dims.length).with(axis, size)),
      graph.uniqueName(`${node.inputs[index]?.name}_shape`),
    )
  } else {
    const int64 = (values: readonly number[]) => graph.addInitializer(int64s(values))
    const sizes = graph.addNode({ opType: 'Shape', inputs: [like] }).outputs[0]
    const [one] = graph.addNode({
      opType: 'Gather',
      inputs: [sizes, int64([axis])],
      attributes: { axis: ['int', 0] },
    }).outputs
    const parts = [int64(ones(axis)), one, int64(ones(dims.length - axis - 1))].filter((part) => part?.dims?.[0] !== 0)
    shape = graph.addNode({ opType: 'Concat', inputs: parts, attributes: { axis: ['int', 0] } }).outputs[0] as Value
    // Inference goes on behind these nodes.
    scope.kinds.set(shape, tensor('int64', [dims.length]))
  }
  const value = node.inputs[index] as Value
  const expanded = graph.addNode({ opType: 'Expand', inputs: [value, shape] }).outputs[0] as Value
  scope.kinds.set(expanded, tensor(op.elem(index) as ElementType, dims.with(axis, size)))
  node.setInput(index, expanded)
}

function setConstant(node: Node, index: number, values: readonly (number | bigint)[]): void {
  const name = `${node.inputs[index]?.name ?? node.name}_resized`
  node.setInput(index, node.graph.addInitializer(int64s(values), node.graph.uniqueName(name)))
}

function isNumbers(dims: Dims | undefined): dims is readonly number[] {
  return dims?.every((dim) => typeof dim === 'number') ?? false
}

const REPAIRS: Readonly<Record<string, Repair>> = {
  Concat: concat,
  Expand: expand,
  Reshape: reshape,
  Resize: resize,
  Slice: slice,
}
