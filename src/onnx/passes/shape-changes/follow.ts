/**
 * Inputs that have a size in common with another value, which has another one now: a class token that was expanded to the
 * batch, zeros that an LSTM begins with. What they hold for one of the batch they hold for all, or else nothing is done.
 */
import { elementCount } from '../../../tensor.js'
import type { ElementType } from '../../data-types.js'
import type { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import { isSame } from '../../shapes/dim-algebra.js'
import type { OpContext } from '../../shapes/op-context.js'
import { type Dims, tensor } from '../../shapes/value-kinds.js'
import type { Dim } from '../../value-type.js'
import { int64s } from '../constants.js'

/** A size that is wanted, and a value that has it along one of its axes. */
export interface Wanted {
  readonly size: Dim
  readonly value: Value
  readonly axis: number
}

/** Makes an input as long as is wanted along an axis. @returns whether something was done */
export function follow(op: OpContext, index: number, axis: number, wanted: Wanted): boolean {
  const size = op.dims(index)?.[axis] ?? null
  if (size === null || isSame(size, wanted.size)) return false
  if (size !== 1 && !takeFirst(op, index, axis)) return false
  if (wanted.size !== 1) repeat(op, index, axis, wanted)
  return true
}

/** Leaves one of what an input holds along an axis, where all are the same. @returns whether something was done */
export function takeFirst(op: OpContext, index: number, axis: number): boolean {
  const { node, scope } = op
  const [value, dims] = [node.inputs[index], op.dims(index)]
  if (value === undefined || dims === undefined || dims[axis] === 1 || !isSameAlong(op, index, axis)) return false
  const { graph } = node
  // Gather, as Slice was another one before operator set 10.
  const [first] = graph.addNode({
    opType: 'Gather',
    inputs: [value, graph.addInitializer(int64s([0]))],
    attributes: { axis: ['int', axis] },
  }).outputs as [Value]
  scope.kinds.set(first, tensor(op.elem(index) as ElementType, dims.with(axis, 1)))
  node.setInput(index, first)
  return true
}

/** Whether an input is known to hold the same again and again along an axis. */
function isSameAlong(op: OpContext, index: number, axis: number): boolean {
  const constant = op.constant(index)
  if (constant !== undefined) return repeatsAlong(constant, axis)
  const value = op.node.inputs[index] as Value
  const { producer } = value
  if (producer === undefined || producer.domain !== '') return false
  if (producer.opType === 'ConstantOfShape') return true
  if (producer.opType !== 'Expand' && producer.opType !== 'Tile') return false
  const kind = producer.inputs[0] && op.scope.kinds.get(producer.inputs[0])
  if (kind?.kind !== 'tensor' || kind.dims === undefined) return false
  const rank = op.dims(index)?.length ?? 0
  return (kind.dims[axis - rank + kind.dims.length] ?? 1) === 1
}

function repeatsAlong(content: ModelTensor, axis: number): boolean {
  const { type, dims } = content
  if (type === 'string') return false
  const bytes = content.bytes()
  const size = dims[axis] as number
  const outer = elementCount(dims.slice(0, axis))
  const row = bytes.length / outer / size
  // Types of less than a byte have rows that end within one.
  if (!Number.isInteger(row)) return false
  for (let at = 0; at < bytes.length; at += row * size) {
    const first = bytes.subarray(at, at + row)
    for (let next = 1; next < size; next++) {
      if (Buffer.compare(first, bytes.subarray(at + next * row, at + (next + 1) * row)) !== 0) return false
    }
  }
  return true
}

/** Puts an Expand in front of an input, along an axis that it is 1 along. */
function repeat(op: OpContext, index: number, axis: number, { size, value: like, axis: place }: Wanted): void {
  const { node, scope } = op
  const { graph } = node
  const dims = op.dims(index) as Dims
  const ones = (count: number) => new Array<number>(count).fill(1)
  let shape: Value
  if (typeof size === 'number') {
    const name = graph.uniqueName(`${node.inputs[index]?.name}_shape`)
    shape = graph.addInitializer(int64s(ones(dims.length).with(axis, size)), name)
  } else {
    const int64 = (values: readonly number[]) => graph.addInitializer(int64s(values))
    const sizes = graph.addNode({ opType: 'Shape', inputs: [like] }).outputs[0]
    const [one] = graph.addNode({
      opType: 'Gather',
      inputs: [sizes, int64([place])],
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
