/**
 * TensorRT quantises to int8 around 0. Its parser refuses zero points (TensorRT-RTX 1.7), int32, and constants of int8 that
 * are not right before their DequantizeLinear. Pairs of uint8 without a zero point it takes; it has no uint8 but for inputs
 * and outputs, so what they are computed in only a GPU shows, and they are lowered too.
 *
 * Rejected: moving a uint8 range by 128, which leaves the zero points of most activations other than 0.
 */
import { type ElementType, elementTypeName, elementTypeNumber } from '../data-types.js'
import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import type { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { Constants, floatTensor } from './constants.js'
import { inferFirst } from './infer-first.js'
import { isGone, sweepValues } from './matching/sweep.js'
import { attributesOf, NodeBuilder } from './node-builder.js'
import { definePass, type PassContext } from './pass.js'
import { isMovedTable, originOf } from './quantization/moved-table.js'
import { alongAxis, dequantized, numbersOf, RANGES } from './quantization/quantized.js'
import { upgradeTo } from './upgrade-opset.js'

/** The version of ONNX's operator set that brought Round. */
const ROUND_OPSET = 11

/**
 * Computes in floats what TensorRT cannot quantise: pairs of QuantizeLinear and DequantizeLinear with zero points, or of
 * other types than int8, become a division, a rounding, bounds and a product; constants with zero points and biases in
 * int32 become the floats that they stand for; a DequantizeLinear behind the Gather, Transpose or the like of a table goes
 * in front of it. What TensorRT takes stays quantised; integers that are an output stay integers, of the same type.
 *
 * What was rounded is rounded as before, so that the outputs stay the same to the last bit. Constants that become floats
 * are four times as big.
 *
 * @example onnx.lowerAsymmetricQuantization()
 */
export const lowerAsymmetricQuantization = definePass<Record<never, never>>({
  name: 'lower-asymmetric-quantization',
  summary: 'Computes in floats what is quantised with a zero point, to uint8, or to int32',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    const isMeant = (node: Node) => isQuantizing(node) && needsLowering(node, constants)
    if ([...model.graphs()].some(({ nodes }) => nodes.some((node) => isMeant(node) && needsRank(node, constants)))) {
      inferFirst(model, 'shapes inferred, which say where axes are', context)
    }
    for (const graph of model.graphs()) {
      const nodes = graph.nodes.filter(isMeant)
      if (nodes.length === 0) continue
      upgradeTo(model, ROUND_OPSET, context)
      const lowering = new Lowering(model, graph, context)
      for (const node of nodes) if (node.opType === 'DequantizeLinear') lowering.lower(node)
      // Those whose integers somebody reads still.
      for (const node of nodes) if (node.opType === 'QuantizeLinear' && !isGone(node)) lowering.lower(node)
    }
  },
})

/** onnxruntime's own are ONNX's, in models of an operator set that had not their types. */
function isQuantizing({ opType, domain }: Node): boolean {
  return (opType === 'QuantizeLinear' || opType === 'DequantizeLinear') && (domain === '' || domain === 'com.microsoft')
}

/** The type of the integers; undefined where the model does not say. */
function quantizedType(node: Node, constants: Constants): string | undefined {
  const [first, , zeroPoint] = node.inputs as readonly [Value, Value, Value?]
  if (zeroPoint !== undefined) return constants.type(zeroPoint)
  if (node.opType === 'QuantizeLinear') return elementTypeName(node.getInt('output_dtype') || UINT8)
  const type = constants.type(originOf(first))
  const { producer } = originOf(first)
  if (type === 'undefined' && producer?.opType === 'QuantizeLinear') return quantizedType(producer, constants)
  return type
}

const UINT8 = elementTypeNumber('uint8')

function needsLowering(node: Node, constants: Constants): boolean {
  const type = quantizedType(node, constants)
  // 4-bit and float8 types are TensorRT's own matter, and have no zero points there.
  if (type === undefined || !(type in RANGES)) return false
  return type !== 'int8' || !isSymmetric(node, constants) || isMovedTable(node, constants)
}

function isSymmetric({ inputs }: Node, constants: Constants): boolean {
  if (inputs[2] === undefined) return true
  const zeroPoint = numbersOf(constants.of(inputs[2]))
  return zeroPoint !== undefined && Array.from(zeroPoint).every((zero) => zero === 0)
}

/** Whether it is quantised along an axis of a shape that is not known. */
function needsRank({ inputs }: Node, constants: Constants): boolean {
  const [integers, scale] = inputs as readonly [Value, Value]
  return !isForAll(scale, constants) && constants.dims(integers) === undefined
}

/** Whether one number is for all elements. */
function isForAll(parameter: Value, constants: Constants): boolean {
  const dims = constants.dims(parameter)
  return dims?.length === 0 || (dims?.length === 1 && dims[0] === 1)
}

const COMPUTED = 'made arithmetic in floats'

class Lowering {
  readonly #graph: Graph
  readonly #constants: Constants
  readonly #context: PassContext
  readonly #builder: NodeBuilder
  /** Floats by what they come from, so that many readers share them. */
  readonly #floats = new Map<string, Value>()

  constructor(model: Model, graph: Graph, context: PassContext) {
    this.#graph = graph
    this.#constants = new Constants(model)
    this.#context = context
    this.#builder = new NodeBuilder(graph)
  }

  lower(node: Node): void {
    const reason = this.#reasonToLeave(node)
    if (reason !== undefined) {
      this.#context.note(`${node} was left alone: ${reason}`)
      return
    }
    const where = String(node)
    const { inputs } = node
    this.#builder.for(node)
    const what = node.opType === 'DequantizeLinear' ? this.#dequantize(node) : this.#quantize(node)
    sweepValues(inputs)
    this.#context.change(where, what)
  }

  /** Puts floats in the place of what a DequantizeLinear gives. */
  #dequantize(node: Node): string {
    const [integers] = node.inputs as readonly [Value]
    const [output] = node.outputs as readonly [Value]
    const origin = originOf(integers)
    const what =
      this.#constants.of(origin) !== undefined
        ? integers === origin
          ? 'folded into a constant'
          : `moved in front of what moves "${origin.name}"`
        : COMPUTED
    output.replaceUsesWith(this.#floatsOf(integers, node))
    if (output.isUnused) node.remove()
    return what
  }

  /** For who reads the integers: an output, or another operator. */
  #quantize(node: Node): string {
    const [x, , zeroPoint] = node.inputs as readonly [Value, Value, Value?]
    const [output] = node.outputs as readonly [Value]
    const type = quantizedType(node, this.#constants) as ElementType
    const centred = this.#round(node, type)
    const [scale, zero] = this.#parameters(node, x)
    const moved =
      zeroPoint && this.#builder.add('Add', [centred, this.#builder.cast(zero as Value, this.#floatType(scale))])
    this.#builder.cast(moved ?? centred, type, output)
    return COMPUTED
  }

  #reasonToLeave(node: Node): string | undefined {
    const [integers, scale] = node.inputs as readonly [Value, Value]
    if (node.getInt('block_size', 0) !== 0 || (this.#constants.dims(scale)?.length ?? 0) > 1)
      return 'it is quantised in blocks'
    if (isForAll(scale, this.#constants)) return undefined
    if (originOf(integers) !== integers) return 'its elements are moved, and quantised along an axis'
    return needsRank(node, this.#constants) ? `the rank of "${integers.name}" is not known` : undefined
  }

  /** The floats that integers stand for; `node` is the DequantizeLinear that says how. */
  #floatsOf(integers: Value, node: Node): Value {
    const key = [integers, ...node.inputs.slice(1)].map((value) => value?.name ?? '').join('\n')
    const known = this.#floats.get(key)
    if (known !== undefined && this.#graph.sees(known)) return known
    const made = this.#make(integers, node)
    this.#floats.set(key, made)
    return made
  }

  #make(integers: Value, node: Node): Value {
    const tensor = this.#constants.of(integers)
    if (tensor !== undefined) return this.#constant(tensor, integers, node)
    const { producer } = integers
    if (producer !== undefined && originOf(integers) !== integers) {
      const [data, ...others] = producer.inputs as readonly [Value, ...(Value | undefined)[]]
      return this.#builder.add(producer.opType, [this.#floatsOf(data, node), ...others], attributesOf(producer))
    }
    if (producer?.opType === 'QuantizeLinear' && isQuantizing(producer) && this.#isPair(producer, node)) {
      const [factor] = this.#parameters(node, producer.inputs[0] as Value)
      const centred = this.#round(producer, quantizedType(node, this.#constants) as string)
      return this.#builder.add('Mul', [centred, factor])
    }
    return this.#compute(integers, node)
  }

  #constant(tensor: ModelTensor, value: Value, node: Node): Value {
    const { inputs } = node
    if (tensor.type === 'int8' && isSymmetric(node, this.#constants)) {
      // TensorRT keeps it as it is, right before its DequantizeLinear.
      return this.#builder.add('DequantizeLinear', [value, ...inputs.slice(1)])
    }
    const [scale, zeroPoint] = inputs.slice(1).map((input) => input && numbersOf(this.#constants.of(input)))
    const integers = numbersOf(tensor)
    const isKnown = scale !== undefined && (inputs[2] === undefined || zeroPoint !== undefined)
    if (integers === undefined || !isKnown) return this.#compute(value, node)
    const axis = axisOf(node, tensor.dims.length)
    const content = dequantized(integers, tensor.dims, { scale, axis, ...(zeroPoint && { zeroPoint }) })
    return addConstant(this.#graph, floatTensor('float32', content, tensor.dims), `${value.name}_float`)
  }

  /** Of integers that come from elsewhere, such as an input. */
  #compute(integers: Value, node: Node): Value {
    const [scale, zeroPoint] = this.#parameters(node, integers)
    const type = this.#floatType(scale)
    const floats = this.#builder.cast(integers, type)
    const centred = zeroPoint && this.#builder.add('Sub', [floats, this.#builder.cast(zeroPoint, type)])
    return this.#builder.add('Mul', [centred ?? floats, scale])
  }

  /** Whether integers are read with the zero point that they were written with. */
  #isPair(quantize: Node, dequantize: Node): boolean {
    const [, , written] = quantize.inputs
    const [, , read] = dequantize.inputs
    if (written === read) return true
    const [a, b] = [written, read].map((value) => (value === undefined ? [0] : numbersOf(this.#constants.of(value))))
    return a !== undefined && b !== undefined && `${Array.from(a)}` === `${Array.from(b)}`
  }

  /** What the integers of a QuantizeLinear are, less their zero point, as floats. */
  #round(node: Node, integerType: string): Value {
    const builder = this.#builder
    const [x] = node.inputs as readonly [Value]
    const [scale, zeroPoint] = this.#parameters(node, x)
    const type = this.#floatType(scale)
    const rounded = builder.add('Round', [builder.add('Div', [x, scale])])
    const bounds = RANGES[integerType] as readonly [number, number]
    const zeros = zeroPoint === undefined ? [0] : numbersOf(this.#constants.of(zeroPoint))
    const [only] = zeros?.length === 1 ? [zeros[0] as number] : []
    if (only !== undefined) {
      const [least, greatest] = bounds.map((bound) => builder.scalar(bound - only, type))
      return builder.add('Clip', [rounded, least, greatest])
    }
    const zero = builder.cast(zeroPoint as Value, type)
    const [least, greatest] = bounds.map((bound) => builder.add('Sub', [builder.scalar(bound, type), zero]))
    return builder.add('Max', [builder.add('Min', [rounded, greatest]), least])
  }

  #floatType(scale: Value): ElementType {
    const type = this.#constants.type(scale)
    // Older models do not say; only the newest operator sets have other types.
    return (type === 'undefined' ? 'float32' : type) as ElementType
  }

  /** Scale and zero point of a node, in shapes that broadcast to its data. */
  #parameters(node: Node, data: Value): readonly [scale: Value, zeroPoint: Value | undefined] {
    const [, scale, zeroPoint] = node.inputs as readonly [Value, Value, Value?]
    const rank = this.#constants.dims(data)?.length ?? 0
    const place = { rank, axis: axisOf(node, rank) }
    const shaped = (value: Value) => alongAxis(value, this.#constants, place, this.#builder)
    return [shaped(scale), zeroPoint && shaped(zeroPoint)]
  }
}

/** ONNX's default is 1. */
function axisOf(node: Node, rank: number): number {
  const axis = node.getInt('axis', 1)
  return axis < 0 ? axis + rank : axis
}
