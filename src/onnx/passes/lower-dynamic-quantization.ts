/**
 * Models that quantise their activations while they run (onnxruntime's `quantize_dynamic`) multiply integers, for which
 * TensorRT has no layer. The same products come out of floats: a quantised number less its zero point is an integer of 9
 * bits, which float32 and TF32 hold as it is, and sums of such products are exact up to 2^24.
 *
 * Rejected: leaving the quantisation out, x · (w - zero point) · scale, which is quicker and nearer to the network before
 * it was quantised, but another model.
 */
import { elementTypeNumber } from '../data-types.js'
import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { Constants, floatTensor } from './constants.js'
import { isRemoved, sweepValues } from './matching/sweep.js'
import { attributesOf, NodeBuilder } from './node-builder.js'
import { definePass, type PassContext } from './pass.js'
import { alongAxis, dequantized, numbersOf } from './quantization/quantized.js'

/**
 * Puts MatMul and Conv of floats in the place of MatMulInteger and ConvInteger, and arithmetic in the place of
 * DynamicQuantizeLinear. What was rounded is rounded as before, so that the outputs stay the same; a sum above 2^24 may be
 * off by its last bit. Weights become four times as big.
 *
 * Where int8 products saturate on the machine that compares (x64 without VNNI), onnxruntime needs
 * `session.x64quantprecision=1` to say what the model means.
 *
 * @example onnx.lowerDynamicQuantization()
 */
export const lowerDynamicQuantization = definePass<Record<never, never>>({
  name: 'lower-dynamic-quantization',
  summary: 'Computes in float32 what DynamicQuantizeLinear, MatMulInteger and ConvInteger compute in integers',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    for (const graph of model.graphs()) new Lowering(model, graph, context).run()
  },
})

/** A quantised value, and what it is less its zero point, as floats. */
interface Centred {
  readonly zeroPoint: Value | undefined
  readonly value: Value
}

class Lowering {
  readonly #graph: Graph
  readonly #context: PassContext
  readonly #constants: Constants
  readonly #builder: NodeBuilder
  readonly #centred = new Map<Value, Centred[]>()

  constructor(model: Model, graph: Graph, context: PassContext) {
    this.#graph = graph
    this.#context = context
    this.#constants = new Constants(model)
    this.#builder = new NodeBuilder(graph)
  }

  run(): void {
    const left: (Value | undefined)[] = []
    for (const node of [...this.#graph.nodes]) {
      const lower = node.domain === '' ? this.#lowerings[node.opType] : undefined
      if (lower === undefined) continue
      left.push(...node.inputs, ...node.outputs)
      const where = String(node)
      this.#builder.for(node)
      this.#context.change(where, lower(node))
    }
    // Weights that are floats now, and what DynamicQuantizeLinear gave to nodes that are gone.
    sweepValues(left.filter((value) => value !== undefined && !isRemoved(value)))
  }

  readonly #lowerings: Readonly<Record<string, (node: Node) => string>> = {
    DynamicQuantizeLinear: (node) => this.#quantize(node),
    MatMulInteger: (node) => this.#multiply(node, 'MatMul', -2, -1),
    ConvInteger: (node) => this.#multiply(node, 'Conv', 1, 0),
  }

  /** Of onnx/defs/quantization/defs.cc, DynamicQuantizeLinear; where all is 0, the scale is 1 as in onnxruntime. */
  #quantize(node: Node): string {
    const builder = this.#builder
    const [x] = node.inputs as readonly [Value]
    const [quantized, scaleOutput, zeroOutput] = node.outputs
    const [zero, one, top] = [builder.scalar(0), builder.scalar(1), builder.scalar(255)]
    const all = { keepdims: ['int', 0] } as const
    const most = builder.add('Max', [builder.add('ReduceMax', [x], all), zero])
    const least = builder.add('Min', [builder.add('ReduceMin', [x], all), zero])
    const range = builder.add('Sub', [most, least])
    const isFlat = builder.add('Equal', [range, zero])
    const step = builder.add('Div', [range, top])
    const scale = builder.add('Where', [isFlat, one, step], {}, scaleOutput)
    const start = builder.add('Neg', [builder.add('Div', [least, scale])])
    const zeroPoint = builder.add('Round', [builder.add('Max', [builder.add('Min', [start, top]), zero])])
    const rounded = builder.add('Round', [builder.add('Div', [x, scale])])
    const capped = builder.add('Min', [rounded, builder.add('Sub', [top, zeroPoint])])
    const value = builder.add('Max', [capped, builder.add('Neg', [zeroPoint])])
    // For who reads the integers themselves; swept where nobody does.
    if (quantized !== undefined) {
      builder.cast(builder.add('Add', [value, zeroPoint]), 'uint8', quantized)
      this.#centred.set(quantized, [{ zeroPoint: zeroOutput, value }])
    }
    if (zeroOutput !== undefined) builder.cast(zeroPoint, 'uint8', zeroOutput)
    return 'made arithmetic in float32'
  }

  /** @param axes along which the zero points of the two inputs are, where there is more than one; from the end if negative */
  #multiply(node: Node, opType: string, ...axes: readonly [number, number]): string {
    const [a, b, aZero, bZero] = node.inputs as readonly [Value, Value, Value?, Value?]
    const inputs = [this.#centre(a, aZero, axes[0]), this.#centre(b, bZero, axes[1])]
    const product = this.#builder.add(opType, inputs, attributesOf(node))
    const [output] = node.outputs as readonly [Value]
    const casts = output.consumers.filter(isCastToFloat)
    for (const cast of casts) {
      cast.outputs[0]?.replaceUsesWith(product)
      cast.remove()
    }
    if (output.isUnused) node.remove()
    else this.#builder.cast(product, 'int32', output)
    return `made ${opType} in float32`
  }

  /** A quantised value less its zero point, as floats. */
  #centre(value: Value, zeroPoint: Value | undefined, axis: number): Value {
    const known = this.#centred.get(value) ?? []
    const found = known.find((centred) => centred.zeroPoint === zeroPoint)
    if (found !== undefined) return found.value
    const made = this.#fold(value, zeroPoint, axis) ?? this.#subtract(value, zeroPoint, axis)
    this.#centred.set(value, [...known, { zeroPoint, value: made }])
    return made
  }

  #fold(value: Value, zero: Value | undefined, axis: number): Value | undefined {
    const tensor = this.#constants.of(value)
    const integers = numbersOf(tensor)
    const zeroPoint = zero === undefined ? [0] : numbersOf(this.#constants.of(zero))
    if (tensor === undefined || integers === undefined || zeroPoint === undefined) return undefined
    // More than one axis has zero points of its own where matrices are stacked.
    if (zero !== undefined && zeroPoint.length > 1 && this.#constants.dims(zero)?.length !== 1) return undefined
    const { dims } = tensor
    const content = dequantized(integers, dims, { zeroPoint, axis: axis < 0 ? axis + dims.length : axis })
    this.#context.count('constants made float32')
    return addConstant(this.#graph, floatTensor('float32', content, dims), `${value.name}_float`)
  }

  #subtract(value: Value, zeroPoint: Value | undefined, axis: number): Value {
    const builder = this.#builder
    const floats = builder.cast(value, 'float32')
    if (zeroPoint === undefined) return floats
    // Counted from the end, so that the rank need not be known: of matrices the last two, of images the first.
    const rank = axis < 0 ? 0 : (this.#constants.dims(value)?.length ?? 0)
    const shaped = alongAxis(zeroPoint, this.#constants, { rank, axis }, builder)
    return builder.add('Sub', [floats, builder.cast(shaped, 'float32')])
  }
}

function isCastToFloat(node: Node): boolean {
  return node.opType === 'Cast' && node.domain === '' && node.getInt('to') === elementTypeNumber('float32')
}
