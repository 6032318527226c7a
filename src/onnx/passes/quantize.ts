import { isBoolean, isInteger, isOneOf, isRanges, isTexts } from '../../check.js'
import { TrtError } from '../../errors.js'
import { elementCount, type TensorLike } from '../../tensor.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { ModelTensor, type RawTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import { sweepValues } from './matching/sweep.js'
import { groupNodes, noteFloat32 } from './node-groups.js'
import { definePass, type OptionSpec, type PassContext } from './pass.js'
import { checkQuantization, quantizationNodes } from './quantization/check.js'
import {
  planQuantization,
  QUANTIZABLE,
  type QuantizationSelection,
  type QuantizedNode,
  SELECTION_DEFAULTS,
  type Weights,
} from './quantization/plan.js'
import { type QuantizedType, quantizeWeights, scaleOf } from './quantization/weights.js'
import { upgradeTo } from './upgrade-opset.js'

/** Options of {@link quantize}. */
export interface QuantizeOptions extends QuantizationSelection {
  /** `int8`, or `float8e4m3fn` (fp8), which needs GPUs of compute capability 8.9 and later. */
  readonly to: QuantizedType
  /** The greatest magnitude that each activation is to hold, by name: `onnx.calibrate` finds them. */
  readonly ranges: Readonly<Record<string, number>>
  /** Whether scales are powers of two, the next that holds the range. */
  readonly powerOfTwo: boolean
}

/** For the `options` of the pass. */
const SELECTION_OPTIONS: { readonly [Name in keyof QuantizationSelection]-?: OptionSpec } = {
  ops: {
    kind: 'texts',
    doc: `op types to quantise, out of ${QUANTIZABLE.join(', ')} (Add: residuals of convolutions)`,
    check: isTexts(1),
  },
  nodes: { kind: 'texts', doc: 'names of nodes to quantise; * stands for any text', check: isTexts(1) },
  keepOps: { kind: 'texts', doc: 'op types that stay in float32', check: isTexts() },
  keepNodes: { kind: 'texts', doc: 'names of nodes that stay in float32; * stands for any text', check: isTexts() },
  minChannels: {
    kind: 'number',
    doc: 'layers that read or give fewer channels stay in float32',
    check: isInteger(1, 2 ** 31 - 1),
  },
}

/**
 * Quantises a float32 model to int8 or fp8 by QuantizeLinear and DequantizeLinear nodes, which every TensorRT from 8 to 11 and
 * TensorRT-RTX take, where 11 and RTX take nothing else: symmetric, with one scale for each activation, and one for each
 * output channel of the weights. Weights are stored in 8 bits, with a DequantizeLinear behind them.
 *
 * The places are those that TensorRT's fusions want: inputs and weights of Conv, ConvTranspose, Gemm and MatMul, and residuals
 * that are added to a convolution; not outputs, biases, and products of two activations. Layers of fewer than 16 channels
 * stay in float32. Nodes whose activation has no range stay too, and the notes say which. The model is carried over to
 * operator set 13 (int8) or 19 (fp8) where it is older.
 *
 * Apply `simplify` first: a BatchNormalization that is folded into its convolution costs nothing, one that is not keeps
 * TensorRT from fusing. Apply `convert-precision` afterwards for what stays. A model that carries QuantizeLinear or
 * DequantizeLinear already is left alone: whoever trained or quantised it decided; the notes say what of it TensorRT refuses.
 *
 * Rules: NVIDIA TensorRT documentation, "Working with Quantized Types".
 *
 * @example
 * const ranges = await onnx.calibrate(model, samples)
 * await onnx.transform(model, [onnx.quantize({ ranges, keepNodes: ['/head/*'] })])
 */
export const quantize = definePass<QuantizeOptions>({
  name: 'quantize',
  summary:
    'Quantises a float32 model to int8 or fp8 by QuantizeLinear and DequantizeLinear nodes, as TensorRT wants them',
  keepsMeaning: false,
  options: {
    to: { kind: 'text', doc: 'int8 or float8e4m3fn', check: isOneOf('int8', 'float8e4m3fn') },
    ranges: { kind: 'json', doc: 'greatest magnitudes of activations by name, as calibrated', check: isRanges },
    powerOfTwo: { kind: 'boolean', doc: 'whether scales are powers of two', check: isBoolean },
    ...SELECTION_OPTIONS,
  },
  defaults: { to: 'int8', ranges: {}, powerOfTwo: false, ...SELECTION_DEFAULTS },
  apply(model, options, context) {
    const present = quantizationNodes(model)
    if (present.length > 0) {
      context.note(
        `left alone: the model carries ${present.length} nodes of QuantizeLinear and DequantizeLinear already`,
      )
      for (const problem of checkQuantization(model)) context.note(problem)
      return
    }
    const { to, ranges } = options
    const { nodes, left } = planQuantization(model, options)
    const able = nodes.filter(({ activation }) => isUsable(ranges[activation.name]))
    const unable = nodes.filter((node) => !able.includes(node))
    if (able.length === 0 && nodes.length > 0) {
      throw new TrtError(
        'INVALID_ARGUMENT',
        `quantize: none of the ${nodes.length} activations to quantise has a range`,
        {
          hint: 'onnx.quantize({ ranges: await onnx.calibrate(model, samples) })',
        },
      )
    }
    if (able.length > 0) {
      upgradeTo(model, to === 'int8' ? 13 : 19, context)
      new Quantizer(model, options, context).insert(able)
    }
    noteFloat32(left, context)
    noteFloat32(groupNodes(unable.map(({ node }) => [node, 'the activation has no finite range'])), context)
    noteBatchNormalizations(able, context)
  },
})

/** Puts the nodes in. */
class Quantizer {
  readonly #model: Model
  readonly #options: QuantizeOptions
  readonly #context: PassContext
  /** By activation, what its readers read instead. */
  readonly #activations = new Map<Value, Value>()
  /** By constant and axis, the same for weights, as several nodes may share them. */
  readonly #weights = new Map<string, Value>()
  /** The zero point of all activations. */
  #zeroPoint: Value | undefined

  constructor(model: Model, options: QuantizeOptions, context: PassContext) {
    this.#model = model
    this.#options = options
    this.#context = context
  }

  insert(nodes: readonly QuantizedNode[]): void {
    const replaced = new Set<Value>()
    for (const [done, { node, index, activation, weights }] of nodes.entries()) {
      this.#context.signal?.throwIfAborted()
      this.#context.progress(done, nodes.length)
      node.setInput(index, this.#activation(activation))
      if (weights === undefined) continue
      replaced.add(node.inputs[weights.index] as Value)
      node.setInput(weights.index, this.#weight(node, weights))
    }
    sweepValues(replaced)
    this.#context.count('nodes quantised', nodes.length)
    this.#context.count('activations quantised', this.#activations.size)
    this.#context.count('weights quantised', this.#weights.size)
  }

  #activation(value: Value): Value {
    const known = this.#activations.get(value)
    if (known !== undefined) return known
    const { to, ranges, powerOfTwo } = this.#options
    const range = ranges[value.name] as number
    const scale = this.#constant(`${value.name}_scale`, {
      type: 'float32',
      dims: [],
      data: Float32Array.of(scaleOf(range, to, powerOfTwo)),
    })
    const quantized = this.#add('QuantizeLinear', [value, scale, this.#zero()], `${value.name}_quantized`)
    const back = this.#add('DequantizeLinear', [quantized, scale, this.#zero()], `${value.name}_dequantized`)
    quantized.setType(to, value.dims)
    back.setType('float32', value.dims)
    this.#activations.set(value, back)
    this.#context.change(value, `quantised to ${to} for ±${range.toPrecision(4)}`)
    return back
  }

  #weight(node: Node, { index, tensor, axis }: Weights): Value {
    const source = node.inputs[index] as Value
    const key = `${axis ?? ''}:${source.name}`
    const known = this.#weights.get(key)
    if (known !== undefined) return known
    const { to, powerOfTwo } = this.#options
    const { data, scales } = quantizeWeights(tensor, axis, to, powerOfTwo)
    const dims = axis === undefined ? [] : [scales.length]
    const inputs = [
      this.#constant(`${source.name}_${to}`, data),
      this.#constant(`${source.name}_scale`, { type: 'float32', dims, data: scales }),
      // Not shared: onnxruntime 1.30 turns them into uint8 each by its name, and fails at the second time.
      this.#constant(`${source.name}_zero_point`, zeros(to, dims)),
    ]
    const back = this.#add('DequantizeLinear', inputs, `${source.name}_dequantized`, axis)
    back.setType('float32', tensor.dims)
    this.#weights.set(key, back)
    this.#context.change(source, `quantised to ${to} ${axis === undefined ? 'as a whole' : `along axis ${axis}`}`)
    return back
  }

  #add(opType: string, inputs: readonly Value[], output: string, axis?: number): Value {
    const name = this.#model.graph.uniqueName(output)
    const node = this.#model.graph.addNode({ opType, name, inputs, outputs: [name] })
    if (axis !== undefined) node.set('axis', 'int', axis)
    return node.outputs[0] as Value
  }

  #constant(name: string, content: Parameters<typeof ModelTensor.from>[0]): Value {
    const { graph } = this.#model
    return graph.addInitializer(ModelTensor.from(content), graph.uniqueName(name))
  }

  #zero(): Value {
    this.#zeroPoint ??= this.#constant('zero_point', zeros(this.#options.to, []))
    return this.#zeroPoint
  }
}

function zeros(to: QuantizedType, dims: readonly number[]): TensorLike | RawTensor {
  const count = elementCount(dims)
  if (to === 'int8') return { type: to, dims, data: new Int8Array(count) }
  return { type: to, dims, data: new Uint8Array(count) }
}

function isUsable(range: number | undefined): boolean {
  return range !== undefined && Number.isFinite(range)
}

/** Folded into the weights it costs nothing, and the scales of the channels are those of what is really multiplied. */
function noteBatchNormalizations(nodes: readonly QuantizedNode[], context: PassContext): void {
  const followed = nodes.filter(({ node, weights }) => {
    const [reader, ...others] = node.outputs[0]?.consumers ?? []
    return weights !== undefined && others.length === 0 && reader?.opType === 'BatchNormalization'
  })
  if (followed.length === 0) return
  context.note(`${followed.length} nodes are followed by BatchNormalization: simplify first folds it into the weights`)
}
