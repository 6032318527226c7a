import { elementCount } from '../../tensor.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import type { Dim } from '../value-type.js'
import { addConstant } from './add-constant.js'
import { Constants } from './constants.js'
import { findMatches, type Match } from './matching/match.js'
import { parsePattern } from './matching/pattern.js'
import { sweep } from './matching/sweep.js'
import { definePass, type PassContext } from './pass.js'
import { upgradeTo } from './upgrade-opset.js'

/** The version of ONNX's operator set that brought LayerNormalization. */
const OPSET = 17

// Patterns are parsed when the pass runs: done at import, it would make every start of a process longer.

/** As PyTorch, Paddle and Keras write it: the mean taken off, once or twice over, divided by the root of its mean square. */
const ROOTS = ['Div(c, Sqrt(s))', 'Mul(c, Reciprocal(Sqrt(s)))', 'Mul(c, Pow(s, -0.5))', 'Div(c, Pow(s, 0.5))']
const SQUARES = ['Pow(b, 2)', 'Mul(b, b)']
const TAILS = ['y = Add(Mul(n, scale), bias)', 'y = Mul(n, scale)', '']

const EXPORTED: readonly string[] = TAILS.flatMap((tail) =>
  SQUARES.flatMap((square) =>
    ROOTS.map(
      (root) => `
        m = ReduceMean(x, ...)
        c = Sub(x, m)
        k = ReduceMean(x, ...)
        b = Sub(x, k)
        v = ReduceMean(${square}, ...)
        s = Add(v, $epsilon)
        ${tail === '' ? 'y' : 'n'} = ${root}
        ${tail}`,
    ),
  ),
)

/** As ONNX itself takes the operator apart: the body of the function LayerNormalization in onnx/defs/nn/defs.cc. */
const EXPANDED: readonly string[] = [
  'Add(Mul(n, Flatten(scale) {axis: 0}), Flatten(bias) {axis: 0})',
  'Mul(n, Flatten(scale) {axis: 0})',
].map(
  (tail) => `
      rows = Flatten(x)
      r = Cast(rows) {to: 1}
      m = ReduceMean(r, ...)
      v = ReduceMean(Mul(r, r), ...)
      d = Sqrt(Add(Sub(v, Mul(m, m)), $epsilon))
      n = Cast(Div(Sub(r, m), d))
      y = Reshape(${tail}, Shape(x))`,
)

/**
 * Puts LayerNormalization in the place of the nodes that exporters make of it: ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt,
 * Div, Mul and Add, with axes as attributes or as inputs; and the body that ONNX itself defines, with its Mean and
 * InvStdDev. TensorRT has one layer for it, whose sums stay in fp32 where the network runs in fp16; taken apart, squares
 * overflow in fp16 beyond 255.
 *
 * The model is carried over to version 17 of ONNX's operator set, where LayerNormalization is from, if it is older and has
 * such nodes. Scale and bias have to be of the shape that is normalized over; without a scale, that shape has to be known.
 * Outputs change by rounding only.
 *
 * @example onnx.transform(model, [onnx.inferShapes(), onnx.fuseLayerNorm()])
 */
export const fuseLayerNorm = definePass<Record<never, never>>({
  name: 'fuse-layer-norm',
  summary: 'Puts LayerNormalization in the place of the nodes that exporters make of it',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    for (const pattern of EXPANDED) {
      for (const match of findMatches(model, parsePattern(pattern))) fuseExpanded(model, match, constants, context)
    }
    for (const pattern of EXPORTED) {
      for (const match of findMatches(model, parsePattern(pattern))) fuseExported(model, match, constants, context)
    }
  },
})

function fuseExported(model: Model, match: Match, constants: Constants, context: PassContext): void {
  const x = match.value('x')
  const rank = x.dims?.length
  const all = ['m', 'k', 'v'].map((name) => axesOf(match.value(name).producer as Node, rank, constants))
  const [first] = all
  if (first === 'unknown rank') {
    context.note(`what normalizes "${x.name}" was left alone: its rank is not known; run infer-shapes first`)
    return
  }
  const axis = typeof first === 'number' && all.every((other) => other === first) ? first : undefined
  const epsilon = match.number('$epsilon')
  if (axis === undefined || epsilon === undefined) return
  const shape = x.dims?.slice(axis)
  const scale = match.has('scale')
    ? weightOf(match.value('scale'), -axis, shape, constants)
    : onesOf(x, shape, match, context)
  const bias = match.has('bias') ? weightOf(match.value('bias'), -axis, shape, constants) : 'none'
  if (scale === undefined || bias === undefined) return
  put(model, match, { x, scale, bias: bias === 'none' ? undefined : bias, axis, epsilon }, ['y'], context)
}

function fuseExpanded(model: Model, match: Match, constants: Constants, context: PassContext): void {
  const x = match.value('x')
  const axis = (match.value('rows').producer as Node).getInt('axis', 1)
  const epsilon = match.number('$epsilon')
  const reduced = ['m', 'v'].map((name) => axesOf(match.value(name).producer as Node, 2, constants))
  const shape = x.dims?.slice(axis)
  const [scale, bias] = ['scale', 'bias'].map((name) => (match.has(name) ? match.value(name) : undefined))
  const fits = [scale, bias].every((weight) => weight === undefined || isSameShape(weight.dims, shape))
  if (epsilon === undefined || reduced.some((value) => value !== -1) || !fits) return
  const others = ['m', 'd'].map((name) => {
    const value = match.value(name)
    return value.isOutput || value.consumers.some((node) => !match.nodes.has(node)) ? value : undefined
  })
  const count = others.findLastIndex((value) => value !== undefined) + 1
  const outputs = ['y', 'mean', 'inverse'].slice(0, count + 1)
  const norm = put(model, match, { x, scale: scale as Value, bias, axis, epsilon }, outputs, context)
  const { graph } = match
  const rowsOf = (value: Value): Value =>
    graph.addNode({ opType: 'Flatten', inputs: [value], attributes: { axis: ['int', axis] } }).outputs[0] as Value
  const [mean, deviation] = others
  const [, meanOutput, inverse] = norm.outputs
  if (mean !== undefined) mean.replaceUsesWith(rowsOf(meanOutput as Value))
  if (deviation !== undefined) {
    const node = graph.addNode({ opType: 'Reciprocal', inputs: [rowsOf(inverse as Value)] })
    deviation.replaceUsesWith(node.outputs[0] as Value)
  }
  sweep(match.nodes)
}

interface Norm {
  readonly x: Value
  readonly scale: Value
  readonly bias: Value | undefined
  readonly axis: number
  readonly epsilon: number
}

function put(
  model: Model,
  match: Match,
  { x, scale, bias, axis, epsilon }: Norm,
  outputs: readonly string[],
  context: PassContext,
): Node {
  upgradeTo(model, OPSET, context)
  const { graph, root } = match
  const where = String(root)
  const [y] = root.outputs as readonly [Value]
  const rest = outputs.slice(1).map((name) => graph.uniqueName(`${y.name}_${name}`))
  const node = graph.addNode({
    opType: 'LayerNormalization',
    name: root.name,
    inputs: [x, scale, bias],
    outputs: [y, ...rest],
    attributes: { axis: ['int', axis], epsilon: ['float', Math.fround(epsilon)] },
  })
  sweep(match.nodes)
  context.change(where, `${match.nodes.size} nodes replaced by LayerNormalization {axis: ${axis}}`)
  return node
}

/**
 * The first of the axes that a ReduceMean takes, counted from the end, where they are the last ones and stay as 1; by name
 * why it cannot be told, undefined where they are other ones.
 */
function axesOf(node: Node, rank: number | undefined, constants: Constants): number | 'unknown rank' | undefined {
  const given = node.attribute('axes') === undefined ? constants.ints(node.inputs[1]) : node.getInts('axes')
  if (given === undefined || given.length === 0 || node.getInt('keepdims', 1) !== 1) return undefined
  if (node.attribute('keepdims')?.refName !== undefined) return undefined
  if (rank === undefined && given.some((axis) => axis >= 0)) return 'unknown rank'
  const axes = given.map((axis) => (axis < 0 ? axis : axis - (rank as number))).toSorted((a, b) => a - b)
  return axes.every((axis, index) => axis === index - axes.length) ? -axes.length : undefined
}

/** A scale or bias as LayerNormalization takes it: of the shape that is normalized over, without ones in front. */
function weightOf(
  value: Value,
  rank: number,
  shape: readonly Dim[] | undefined,
  constants: Constants,
): Value | undefined {
  const { dims } = value
  if (dims === undefined) return undefined
  const ones = dims.length - rank
  const own = dims.slice(Math.max(ones, 0))
  // A shape that is not known may be that of the weights; one that is not known to be 1 would be broadcast otherwise.
  const fits = ones >= 0 && own.every((size, axis) => typeof size === 'number' && size === (shape?.[axis] ?? size))
  if (!fits || (shape === undefined && own.includes(1))) return undefined
  if (ones === 0) return value
  const tensor = constants.of(value)
  if (tensor === undefined || dims.slice(0, ones).some((size) => size !== 1)) return undefined
  const content = { type: tensor.type, dims: own as number[], data: tensor.bytes() }
  return addConstant(value.graph, content, `${value.name}_last`)
}

function onesOf(x: Value, shape: readonly Dim[] | undefined, match: Match, context: PassContext): Value | undefined {
  const isKnown = shape?.every((size) => typeof size === 'number') ?? false
  if (!isKnown || x.type !== 'float32') {
    context.note(`what normalizes "${x.name}" was left alone: there is no scale, nor a known shape to make one of`)
    return undefined
  }
  const dims = shape as readonly number[]
  return addConstant(match.graph, { type: 'float32', dims, data: new Float32Array(elementCount(dims)).fill(1) }, 'ones')
}

function isSameShape(one: readonly Dim[] | undefined, other: readonly Dim[] | undefined): boolean {
  return (
    one !== undefined &&
    one.length === other?.length &&
    one.every((size, axis) => size !== null && size === other[axis])
  )
}
