/**
 * Where QuantizeLinear and DequantizeLinear go, by TensorRT's recommendations (NVIDIA TensorRT documentation, "Working with
 * Quantized Types", section "Q/DQ Layer-Placement Recommendations"):
 *
 * - on all inputs of convolutions, transposed convolutions and matrix products with weights: the activation and the weights,
 *   and not the bias, which TensorRT adds before it rounds;
 * - not behind their outputs, where a pair would keep what follows (bias, activation function, addition) from being fused;
 * - on the other input of an addition that follows a convolution, a residual: the convolution, the addition and what
 *   follows become one kernel, which wants the residual in 8 bits too.
 *
 * A value that several of them read gets one pair for all of them; its other readers go on reading float32.
 *
 * Left in float32, as NVIDIA's Model Optimizer does by default: layers of few channels, which 8-bit kernels are no faster
 * for, and which err the most. Products of two activations have no weights, and stay too: softmax in steps of 1/127 is what
 * attention suffers from most.
 */
import type { Graph } from '../../model/graph.js'
import type { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import { Constants } from '../constants.js'
import { groupNodes, type NodeGroups } from '../node-groups.js'
import { nodeSelector } from '../select-nodes.js'

/** What is quantised, and what is not. */
export interface QuantizationSelection {
  /** Op types to quantise, out of {@link QUANTIZABLE}; `Add` stands for residuals. Default: all. */
  readonly ops: readonly string[]
  /** Names of nodes to quantise, where `*` stands for any text. Default: all. */
  readonly nodes: readonly string[]
  /** Op types that stay in float32. */
  readonly keepOps: readonly string[]
  /** Names of nodes that stay in float32, where `*` stands for any text. */
  readonly keepNodes: readonly string[]
  /** Layers that read or give fewer channels stay in float32. */
  readonly minChannels: number
}

/** Ops that can be quantised. */
export const QUANTIZABLE = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Add'] as const

/** The selection that is taken where nothing else is said. */
export const SELECTION_DEFAULTS: QuantizationSelection = {
  ops: QUANTIZABLE,
  nodes: ['*'],
  keepOps: [],
  keepNodes: [],
  minChannels: 16,
}

/** A node with an activation to quantise, and weights unless it is a residual addition. */
export interface QuantizedNode {
  readonly node: Node
  /** Which input the activation is. */
  readonly index: number
  readonly activation: Value
  readonly weights: Weights | undefined
}

/** Constant weights of a node. */
export interface Weights {
  readonly index: number
  readonly tensor: ModelTensor
  /** The axis of the output channels; undefined where one scale is for all. */
  readonly axis: number | undefined
  /** Of the input and the output. */
  readonly channels: readonly [number, number]
}

/** What is quantised, in topological order, and by reason what was selected and stays. */
export interface QuantizationPlan {
  readonly nodes: readonly QuantizedNode[]
  readonly left: NodeGroups
}

/** Finds what is to be quantised. Values keep their names from one operator set to the next, so that may be done before. */
export function planQuantization(model: Model, selection: QuantizationSelection): QuantizationPlan {
  const { minChannels } = selection
  const isSelected = selector(selection)
  const constants = new Constants(model)
  const nodes: QuantizedNode[] = []
  const convolutions = new Map<Node, number>()
  const left: [Node, reason: string][] = []
  for (const [order, node] of model.graph.nodes.entries()) {
    if (!isSelected(node)) continue
    if (node.opType === 'Add') {
      const index = residualOf(node, convolutions, constants)
      const activation = index === undefined ? undefined : node.inputs[index]
      if (activation !== undefined) nodes.push({ node, index: index as number, activation, weights: undefined })
      continue
    }
    const weights = weightsOf(node, constants)
    const index = node.opType === 'MatMul' && weights?.index === 0 ? 1 : 0
    const activation = node.inputs[index]
    if (weights === undefined || activation === undefined) left.push([node, 'it has no constant float32 weights'])
    else if (constants.of(activation) !== undefined) left.push([node, 'all that it reads is constant'])
    else if (Math.min(...weights.channels) < minChannels) left.push([node, `it has fewer than ${minChannels} channels`])
    else {
      nodes.push({ node, index, activation, weights })
      if (node.opType !== 'Gemm' && node.opType !== 'MatMul') convolutions.set(node, order)
    }
  }
  for (const graph of innerGraphs(model)) {
    for (const node of graph.nodes.filter(isSelected)) {
      if (node.opType !== 'Add') left.push([node, 'values inside functions and the graphs of nodes are not calibrated'])
    }
  }
  return { nodes, left: groupNodes(left) }
}

function selector({ ops, nodes, keepOps, keepNodes }: QuantizationSelection): (node: Node) => boolean {
  const known = nodeSelector({ ops: QUANTIZABLE })
  const isIn = nodeSelector({ ops, nodes })
  const isKept = [nodeSelector({ ops: keepOps }), nodeSelector({ nodes: keepNodes })]
  return (node) => known(node) && isIn(node) && !isKept.some((keeps) => keeps(node))
}

function* innerGraphs(model: Model): Generator<Graph> {
  for (const graph of model.graphs()) if (graph !== model.graph) yield graph
}

function weightsOf(node: Node, constants: Constants): Weights | undefined {
  for (const index of node.opType === 'MatMul' ? [1, 0] : [1]) {
    const tensor = constants.of(node.inputs[index])
    if (tensor?.type !== 'float32' || tensor.dims.length < 2) continue
    const { dims } = tensor
    const [first, second] = dims as [number, number]
    const group = node.getInt('group', 1)
    switch (node.opType) {
      case 'Conv':
        return { index, tensor, axis: 0, channels: [second * group, first] }
      case 'ConvTranspose':
        // Of a group, axis 1 has the channels of one group only.
        return { index, tensor, axis: group === 1 ? 1 : undefined, channels: [first, second * group] }
      case 'Gemm': {
        const transposed = node.getInt('transB', 0) === 1
        return { index, tensor, axis: transposed ? 0 : 1, channels: [first, second] }
      }
      default: {
        const [rows, columns] = dims.slice(-2) as [number, number]
        return { index, tensor, axis: index === 1 && dims.length === 2 ? 1 : undefined, channels: [rows, columns] }
      }
    }
  }
  return undefined
}

/**
 * Which input of an addition is the residual, where the other one comes from a quantised convolution that nobody else reads;
 * where both do, the one whose convolution comes first, as the later one is fused with the addition.
 */
function residualOf(node: Node, convolutions: ReadonlyMap<Node, number>, constants: Constants): number | undefined {
  const [a, b] = node.inputs
  if (a === undefined || b === undefined || a === b) return undefined
  if (constants.of(a) !== undefined || constants.of(b) !== undefined) return undefined
  // An addition with broadcasting is fused with nothing.
  if (a.dims !== undefined && b.dims !== undefined && a.dims.length !== b.dims.length) return undefined
  const [orderA, orderB] = [a, b].map((value) => convolutionBehind(value, convolutions, constants)) as [number, number]
  if (orderA < 0 && orderB < 0) return undefined
  return orderA > orderB ? 1 : 0
}

/** The place of the convolution that gives a value through what TensorRT fuses with it (bias, scale); -1 where none does. */
function convolutionBehind(value: Value, convolutions: ReadonlyMap<Node, number>, constants: Constants): number {
  for (let current: Value | undefined = value; current !== undefined; ) {
    const { producer } = current
    if (producer === undefined || current.isOutput || current.consumers.length !== 1) return -1
    const order = convolutions.get(producer)
    if (order !== undefined) return order
    current = fusedInput(producer, constants)
  }
  return -1
}

function fusedInput({ opType, domain, inputs }: Node, constants: Constants): Value | undefined {
  if (domain !== '') return undefined
  if (opType === 'Identity' || opType === 'BatchNormalization') return inputs[0]
  if (opType !== 'Add' && opType !== 'Mul') return undefined
  if (constants.of(inputs[1]) !== undefined) return inputs[0]
  return constants.of(inputs[0]) === undefined ? undefined : inputs[1]
}
