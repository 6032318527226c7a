/** Nodes that give their input as it is. Rules: onnx/docs/Operators.md and Changelog.md, at each op. */
import type { Node } from '../../model/node.js'
import type { ModelTensor } from '../../model/tensor.js'
import { isSameShape } from './facts.js'
import { bypass, type Rewrite } from './rewrite.js'

const always = (node: Node): string | undefined => (bypass(node) ? 'taken out' : undefined)

/** Ops that move elements to other places only where the shape changes. */
const ofSameShape: Rewrite = (node) => {
  if (!isSameShape(node.inputs[0]?.dims, node.outputs[0]?.dims) || !bypass(node)) return undefined
  return 'taken out, as it changes nothing'
}

const ofOneInput: Rewrite = (node) => (node.inputs.length === 1 && bypass(node) ? 'taken out, of one input' : undefined)

/** In inference it gives its input. Before operator set 7 that depends on an attribute. */
const dropout: Rewrite = (node, { opset, constants }) => {
  const isTraining =
    opset < 7 ? node.getInt('is_test', 0) === 0 : node.inputs[2] && constants.ints(node.inputs[2])?.[0] !== 0
  return !isTraining && bypass(node) ? 'taken out, as it does nothing in inference' : undefined
}

const cast: Rewrite = (node) => {
  const [input, output] = [node.inputs[0], node.outputs[0]]
  if (input === undefined || input.type === 'undefined' || input.type !== output?.type) return undefined
  return bypass(node) ? `taken out, as it casts ${input.type} to itself` : undefined
}

/** A cast to a type that holds every value of the one before, and on to another one, is a cast to that. */
const castOfCast: Rewrite = (node) => {
  const first = node.inputs[0]?.producer
  const source = first?.opType === 'Cast' && first.domain === '' ? first.inputs[0] : undefined
  const between = node.inputs[0]?.type
  if (source === undefined || !WIDER[source.type]?.includes(between ?? '')) return undefined
  node.setInput(0, source)
  return `made to read ${source.type} right away, without the Cast to ${between}`
}

/** By type, those that hold all its values. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  bool: ['uint8', 'int8', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64'],
  uint8: ['int32', 'int64', 'float16', 'float32', 'float64'],
  int8: ['int32', 'int64', 'float16', 'float32', 'float64'],
  int32: ['int64', 'float64'],
  float16: ['float32', 'float64'],
  bfloat16: ['float32', 'float64'],
  float32: ['float64'],
}

const transpose: Rewrite = (node) => {
  const rank = node.inputs[0]?.dims?.length
  const perm = node.getInts('perm')
  const isSame = perm === undefined ? rank !== undefined && rank < 2 : perm.every((axis, index) => axis === index)
  return isSame && bypass(node) ? 'taken out, as it moves no axis' : undefined
}

const pad: Rewrite = (node, { opset, constants }) => {
  const pads = opset < 11 ? (node.getInts('pads') ?? node.getInts('paddings')) : constants.ints(node.inputs[1])
  return pads?.every((count) => count === 0) && bypass(node) ? 'taken out, as it adds nothing' : undefined
}

/** Of the same shape and with steps of 1 it takes everything. */
const slice: Rewrite = (node, facts) => {
  const [, , , , steps] = node.inputs
  const isForward = steps === undefined || facts.constants.ints(steps)?.every((step) => step === 1)
  return isForward ? ofSameShape(node, facts) : undefined
}

const split: Rewrite = (node) => (node.outputs.length === 1 && bypass(node) ? 'taken out, of one output' : undefined)

/** Adding 0, multiplying by 1 and the like, where the constant does not widen the shape. */
function withUnit(unit: number, sides: readonly (0 | 1)[]): Rewrite {
  return (node, { constants }) => {
    for (const side of sides) {
      const [constant, other] = [constants.of(node.inputs[side]), node.inputs[1 - side]]
      if (constant === undefined || other === undefined || !isSameShape(other.dims, node.outputs[0]?.dims)) continue
      if (isFilledWith(constant, unit) && bypass(node, other)) return `taken out, as it is with ${unit}`
    }
    return undefined
  }
}

/** Units are single elements, or as many as there are channels. */
const MAX_UNITS = 4096

function isFilledWith(tensor: ModelTensor, unit: number): boolean {
  if (tensor.size === 0 || tensor.size > MAX_UNITS || !UNIT_TYPES.has(tensor.type)) return false
  return Array.prototype.every.call(tensor.toTensor().data, (element) => Number(element) === unit)
}

const UNIT_TYPES: ReadonlySet<string> = new Set(['float32', 'float64', 'int32', 'int64', 'bool'])

/** Twice is as good as once. */
const idempotent: Rewrite = (node) => {
  const before = node.inputs[0]?.producer
  return before?.opType === node.opType && before.domain === '' && bypass(node)
    ? `taken out, as ${before} does the same before`
    : undefined
}

export const NO_OPS: Readonly<Record<string, readonly Rewrite[]>> = {
  Add: [withUnit(0, [0, 1])],
  Abs: [idempotent],
  And: [withUnit(1, [0, 1])],
  Cast: [cast, castOfCast],
  Ceil: [idempotent],
  Concat: [ofOneInput],
  Div: [withUnit(1, [1])],
  Dropout: [dropout],
  Expand: [ofSameShape],
  Flatten: [ofSameShape],
  Floor: [idempotent],
  Identity: [always],
  Max: [ofOneInput],
  Mean: [ofOneInput],
  Min: [ofOneInput],
  Mul: [withUnit(1, [0, 1])],
  Or: [withUnit(0, [0, 1])],
  Pad: [pad],
  Pow: [withUnit(1, [1])],
  Relu: [idempotent],
  Reshape: [ofSameShape],
  Round: [idempotent],
  Slice: [slice],
  Split: [split],
  Squeeze: [ofSameShape],
  Sub: [withUnit(0, [1])],
  Sum: [ofOneInput],
  Tile: [ofSameShape],
  Transpose: [transpose],
  Unsqueeze: [ofSameShape],
}
