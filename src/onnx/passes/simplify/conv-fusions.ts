/**
 * What stands behind a convolution, or in front of it, taken into it: factors and summands by channel, and padding.
 *
 * In float32 only: 16-bit weights would be rounded a second time, and quantised ones are none to compute with.
 */
import type { Node } from '../../model/node.js'
import { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import type { Facts } from './facts.js'
import { onlyProducer, type Rewrite } from './rewrite.js'

const CONVOLUTIONS = ['Conv', 'ConvTranspose'] as const

/** By channel: `factor` · x + `summand`. */
interface Affine {
  readonly factor: Float64Array | undefined
  readonly summand: Float64Array | undefined
}

/** BatchNormalization in inference: (x − mean) / √(variance + epsilon) · scale + bias (onnx/docs/Operators.md). */
const batchNormalization: Rewrite = (node, facts) => {
  const isTraining = node.getInt('training_mode', 0) !== 0 || (facts.opset < 7 && node.getInt('is_test', 0) === 0)
  if (isTraining || node.outputs.slice(1).some((value) => value !== undefined && !value.isUnused)) return undefined
  const conv = onlyProducer(node.inputs[0], ...CONVOLUTIONS)
  const channels = conv && channelsOf(conv)
  if (conv === undefined || channels === undefined) return undefined
  const [scale, bias, mean, variance] = node.inputs.slice(1, 5).map((value) => floatsOf(value, facts))
  if (scale === undefined || bias === undefined || mean === undefined || variance === undefined) return undefined
  if ([scale, bias, mean, variance].some(({ length }) => length !== channels)) return undefined
  const epsilon = node.get('epsilon', 'float', Math.fround(1e-5))
  const factor = Float64Array.from(scale, (x, i) => x / Math.sqrt((variance[i] as number) + epsilon))
  const summand = Float64Array.from(bias, (x, i) => x - (mean[i] as number) * (factor[i] as number))
  return takeIn(conv, node, { factor, summand }, facts)
}

const factor: Rewrite = (node, facts) => byChannel(node, facts, (values) => ({ factor: values, summand: undefined }))
const summand: Rewrite = (node, facts) => byChannel(node, facts, (values) => ({ factor: undefined, summand: values }))

function byChannel(node: Node, facts: Facts, affine: (values: Float64Array) => Affine): string | undefined {
  for (const side of [0, 1]) {
    const [value, constant] = [node.inputs[side], node.inputs[1 - side]]
    const conv = onlyProducer(value, ...CONVOLUTIONS)
    const channels = conv && channelsOf(conv)
    const tensor = facts.constants.of(constant)
    if (conv === undefined || channels === undefined || tensor === undefined) continue
    const rank = conv.outputs[0]?.dims?.length ?? facts.constants.of(conv.inputs[1])?.dims.length ?? 0
    if (!isByChannel(tensor.dims, channels, rank)) continue
    const values = floatsOf(constant, facts)
    if (values === undefined) continue
    const all = values.length === 1 ? new Float64Array(channels).fill(values[0] as number) : Float64Array.from(values)
    return takeIn(conv, node, affine(all), facts)
  }
  return undefined
}

/** Whether a constant is broadcast along all axes but that of the channels, axis 1. */
function isByChannel(dims: readonly number[], channels: number, rank: number): boolean {
  if (dims.length > rank) return false
  return dims.every((dim, index) => dim === 1 || (dim === channels && dims.length - index === rank - 1))
}

function takeIn(conv: Node, node: Node, { factor, summand }: Affine, facts: Facts): string | undefined {
  const [, weight, bias] = conv.inputs
  const weights = facts.constants.of(weight)
  const old = bias === undefined ? undefined : floatsOf(bias, facts)
  const output = node.outputs[0]
  // Weights that others read too would be there twice.
  if (weights?.type !== 'float32' || (bias !== undefined && old === undefined) || output === undefined) return undefined
  if (weight?.consumers.length !== 1 && factor !== undefined) return undefined
  const { graph } = conv
  const inputs = [...conv.inputs]
  const channels = channelsOf(conv) as number
  if (factor !== undefined) {
    const { dims } = weights
    const size = dims.slice(axisOf(conv) + 1).reduce((product, dim) => product * dim, 1)
    const data = (weights.toTensor().data as Float32Array).map(
      (x, i) => x * (factor[Math.floor(i / size) % channels] as number),
    )
    inputs[1] = graph.addInitializer(ModelTensor.from({ type: 'float32', dims, data }), nameFor(weight))
  }
  if (summand !== undefined || old !== undefined) {
    const data = Float32Array.from(
      { length: channels },
      (_, i) => (old?.[i] ?? 0) * (factor?.[i] ?? 1) + (summand?.[i] ?? 0),
    )
    const name = bias === undefined ? graph.uniqueName(`${weight?.name}_bias`) : nameFor(bias)
    inputs[2] = graph.addInitializer(ModelTensor.from({ type: 'float32', dims: [channels], data }), name)
  }
  conv.inputs = inputs
  const result = conv.outputs[0] as Value
  const { name } = output
  output.replaceUsesWith(result)
  node.remove()
  // A name goes on to mean the value that it meant: comparisons match layers by name.
  if (result.name !== name) result.rename(name)
  return `taken into ${conv}`
}

function nameFor(value: Value | undefined): string {
  return value?.graph.uniqueName(`${value.name}_fused`) ?? ''
}

/** Output channels of a convolution whose weight has a known shape. */
function channelsOf(conv: Node): number | undefined {
  // With groups, the channels of a transposed convolution lie along two axes.
  if (conv.opType === 'ConvTranspose' && conv.getInt('group', 1) !== 1) return undefined
  const channels = conv.inputs[1]?.dims?.[axisOf(conv)]
  return typeof channels === 'number' && channels > 0 ? channels : undefined
}

/** Where a convolution's weight has the output channels. */
function axisOf({ opType }: Node): 0 | 1 {
  return opType === 'Conv' ? 0 : 1
}

function floatsOf(value: Value | undefined, { constants }: Facts): Float32Array | undefined {
  const tensor = constants.of(value)
  return tensor?.type === 'float32' ? (tensor.toTensor().data as Float32Array) : undefined
}

/** Zeros around the image in front of a convolution are its own padding. */
const padding: Rewrite = (node, { opset, constants }) => {
  const pad = onlyProducer(node.inputs[0], 'Pad')
  const source = pad?.inputs[0]
  if (pad === undefined || source === undefined || node.get('auto_pad', 'string', 'NOTSET') !== 'NOTSET')
    return undefined
  if (pad.get('mode', 'string', 'constant') !== 'constant' || pad.inputs[3] !== undefined) return undefined
  const value = opset < 11 ? pad.get('value', 'float', 0) : pad.inputs[2] ? constants.of(pad.inputs[2]) : 0
  const isZero =
    typeof value === 'number' ? value === 0 : value?.size === 1 && value.bytes().every((byte) => byte === 0)
  const counts = opset < 11 ? pad.getInts('pads') : constants.ints(pad.inputs[1])
  if (!isZero || counts === undefined || counts.some((count) => count < 0)) return undefined
  const rank = counts.length / 2
  const [before, after] = [counts.slice(0, rank), counts.slice(rank)]
  if ([before[0], before[1], after[0], after[1]].some((count) => count !== 0)) return undefined
  const added = [...before.slice(2), ...after.slice(2)]
  const own = node.getInts('pads') ?? added.map(() => 0)
  node.set(
    'pads',
    'ints',
    own.map((count, index) => count + (added[index] as number)),
  )
  node.setInput(0, source)
  return `given the padding of ${pad}`
}

/** A product of matrices and a bias by column is a Gemm. */
const bias: Rewrite = (node, facts) => {
  for (const side of [0, 1]) {
    const product = onlyProducer(node.inputs[side], 'MatMul')
    const [a, b] = product?.inputs ?? []
    const c = node.inputs[1 - side]
    const output = node.outputs[0]
    if (a?.dims?.length !== 2 || b?.dims?.length !== 2 || c === undefined || output === undefined) continue
    const [columns, shape] = [b.dims[1], c.dims]
    const isBias = shape !== undefined && shape.at(-1) === columns && shape.slice(0, -1).every((dim) => dim === 1)
    if (!isBias || shape.length > 2 || facts.opset < 7 || facts.constants.of(c) === undefined) continue
    if (!['float32', 'float16'].includes(a.type)) continue
    node.graph.addNode({ opType: 'Gemm', name: node.name, inputs: [a, b, c], outputs: [output] })
    return `made a Gemm with ${product}`
  }
  return undefined
}

export const FUSIONS: Readonly<Record<string, readonly Rewrite[]>> = {
  Add: [summand, bias],
  BatchNormalization: [batchNormalization],
  Conv: [padding],
  Mul: [factor],
}
