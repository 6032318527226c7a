/**
 * Which nodes stay in float32, and why. Each rule is a function; the first that applies is the reason that is told.
 *
 * The rules are those of NVIDIA's AutoCast and of onnxconverter-common's float16 converter as far as they hold up, plus what
 * goes wrong with both: angles and sizes computed from integers, squares before a root, scales of quantised layers.
 */
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import type { Constants } from '../constants.js'
import { isCast, isFloat, type Ports } from './ports.js'
import { LIMITS, type LowType, type WeightRange, weightRange } from './weights.js'

/** What the rules go by. */
export interface KeepOptions {
  readonly to: LowType
  /** Whether the caller wants a node to stay. */
  readonly isKept: (node: Node) => boolean
  readonly maxWeight: number
  /** By name of a value: the greatest magnitude that it was seen to have. */
  readonly ranges: Readonly<Record<string, number>>
  readonly maxRange: number
  readonly maxReduction: number
}

/** A node with what its schema allows; nodes in topological order, those of graphs inside a node before it. */
export type PortedNodes = ReadonlyMap<Node, Ports>

/** Nodes that stay in float32, with the reason. */
export function keptInFull(nodes: PortedNodes, constants: Constants, options: KeepOptions): Map<Node, string> {
  const kept = new Map<Node, string>()
  const keep = (node: Node, reason: string): void => {
    if (nodes.has(node) && !kept.has(node)) kept.set(node, reason)
  }
  const weights = new WeightRanges(constants)
  for (const [node, ports] of nodes) {
    const reason = ports.obstacle ?? ownReason(node, ports, constants, weights, options)
    if (reason !== undefined) keep(node, reason)
  }
  for (const node of squares(nodes.keys(), constants)) keep(node, 'squares leave the range and the digits of 16 bits')
  for (const node of countedFromIntegers(nodes, kept)) keep(node, 'it computes sizes, indices or angles from integers')
  for (const node of quantized(nodes, kept)) keep(node, 'the scale of its quantised input needs float32')
  return kept
}

/** Ops that TensorRT takes in float32 only, or that lose their meaning in 16 bits. */
const FULL_OPS: ReadonlySet<string> = new Set([
  'Celu',
  'CumSum',
  'LpNormalization',
  'MeanVarianceNormalization',
  'NonMaxSuppression',
  'ReduceL2',
  'ReduceLogSumExp',
  'ReduceProd',
  'ReduceSumSquare',
  'Upsample',
])

const SUMS: ReadonlySet<string> = new Set(['ReduceL1', 'ReduceLogSum', 'ReduceMean', 'ReduceSum'])

function ownReason(
  node: Node,
  ports: Ports,
  constants: Constants,
  weights: WeightRanges,
  { to, isKept, maxWeight, ranges, maxRange, maxReduction }: KeepOptions,
): string | undefined {
  const { opType, inputs, outputs } = node
  if (isKept(node)) return 'it was asked for'
  if (opType === 'ConvTranspose' && to === 'bfloat16') return 'TensorRT-RTX (1.7) builds no ConvTranspose of bfloat16'
  if (FULL_OPS.has(opType)) return `${opType} needs float32`
  const isOpaque = inputs.some((value, index) => ports.inputs[index] === 'node' && isSparse(value))
  if (isOpaque) return 'it reads a sparse constant'
  // A value that graphs inside read and give out cannot change its type.
  if (outputs.some((value) => value?.state.outputOf.some((graph) => graph !== value.graph)))
    return 'a graph inside another node gives out what it computes'
  const { least, leastNormal } = LIMITS[to]
  for (const [index, value] of inputs.entries()) {
    const range = ports.inputs[index] === 'node' ? weights.of(value) : undefined
    if (range === undefined) continue
    if (range.greatest > maxWeight && to === 'float16') return `it has weights beyond ±${maxWeight}`
    if (range.least < leastNormal && isScale(node, index)) return `its scales are less than ${to} has digits for`
    const isDivisor = node.opType === 'Div' && index === 1
    if (range.least < least && (isDivisor || constants.of(value)?.size === 1))
      return `it has a constant below ${least.toPrecision(3)}`
  }
  if (to === 'float16') {
    const loud = [...inputs, ...outputs].find((value) => isFloat(value) && (ranges[value?.name ?? ''] ?? 0) > maxRange)
    if (loud !== undefined) return `values reach more than ${maxRange}`
  }
  if (SUMS.has(opType) && reductionLength(node, constants) > maxReduction)
    return `it adds up more than ${maxReduction} values, or nobody knows how many`
  return undefined
}

function isSparse(value: Value | undefined): boolean {
  if (value === undefined || value.producer !== undefined || value.initializer !== undefined) return false
  return value.graph.constants.includes(value)
}

function isScale({ opType }: Node, index: number): boolean {
  return index === 1 && (opType === 'QuantizeLinear' || opType === 'DequantizeLinear')
}

/** How many values each result is made of; infinity where that is not known. */
function reductionLength(node: Node, constants: Constants): number {
  const dims = node.inputs[0]?.dims
  if (dims === undefined) return Number.POSITIVE_INFINITY
  const second = node.inputs[1]
  const given = second === undefined ? node.getInts('axes') : constants.ints(second)
  if (second !== undefined && given === undefined) return Number.POSITIVE_INFINITY
  const noAxes = given === undefined || given.length === 0
  if (noAxes && node.getInt('noop_with_empty_axes', 0) !== 0) return 1
  const axes = noAxes ? dims.keys() : given.map((axis) => (axis < 0 ? axis + dims.length : axis))
  let length = 1
  for (const axis of axes) {
    const dim = dims[axis]
    length *= typeof dim === 'number' ? dim : Number.POSITIVE_INFINITY
  }
  return length
}

/** Scans each constant once. */
class WeightRanges {
  readonly #constants: Constants
  readonly #ranges = new Map<Value, WeightRange>()

  constructor(constants: Constants) {
    this.#constants = constants
  }

  of(value: Value | undefined): WeightRange | undefined {
    const tensor = this.#constants.of(value)
    if (value === undefined || tensor?.type !== 'float32') return undefined
    let range = this.#ranges.get(value)
    if (range === undefined) {
      range = weightRange(tensor)
      this.#ranges.set(value, range)
    }
    return range
  }
}

const REDUCTIONS: ReadonlySet<string> = new Set(['GlobalAveragePool', 'ReduceMean', 'ReduceSum'])

/** What may lie between a sum of squares and its root: the division by their number, the mean's square, an epsilon. */
const BEFORE_ROOT: ReadonlySet<string> = new Set(
  'Add Clip Div Expand Identity Max Mul Reshape Squeeze Sub Transpose Unsqueeze'.split(' '),
)

/** Nodes that are looked at behind each square, so that residuals do not lead through the whole network. */
const FOLLOWED = 24

/**
 * Squares that are summed or whose root is taken, with all up to the division by that root: of an x beyond 255.9 the square
 * overflows float16, of an x below 0.008 it has lost digits, and a sum is larger still.
 */
function squares(nodes: Iterable<Node>, constants: Constants): Set<Node> {
  const found = new Set<Node>()
  for (const square of nodes) {
    if (!isPower(square, constants, 2)) continue
    /** By node: the one before it, and whether it is behind a sum. */
    const path = new Map<Node, { readonly before: Node | undefined; readonly isSummed: boolean }>()
    path.set(square, { before: undefined, isSummed: false })
    const markUpTo = (node: Node | undefined): void => {
      for (let on = node; on !== undefined; on = path.get(on)?.before) found.add(on)
    }
    for (const [node, { isSummed }] of path) {
      for (const next of node.outputs[0]?.consumers ?? []) {
        if (next.opType === 'Sqrt' || isPower(next, constants, 0.5, -0.5)) {
          markUpTo(node)
          for (const user of withDivisions(next)) found.add(user)
        }
        const isSum = REDUCTIONS.has(next.opType)
        const leads = isSum || (isSummed ? BEFORE_ROOT.has(next.opType) : next.opType === 'Add')
        if (!leads || path.has(next) || path.size >= FOLLOWED) continue
        path.set(next, { before: node, isSummed: isSum || isSummed })
        const isScaled = REDUCTIONS.has(node.opType) && ['Mul', 'Div'].includes(next.opType)
        if (isSum || isScaled) markUpTo(next)
      }
    }
  }
  return found
}

/** A root, with the divisions by it. */
function* withDivisions(root: Node): Generator<Node> {
  yield root
  for (const user of root.outputs[0]?.consumers ?? []) {
    if (user.opType === 'Div' && user.inputs[1] === root.outputs[0]) yield user
    if (user.opType !== 'Reciprocal') continue
    yield user
    for (const product of user.outputs[0]?.consumers ?? []) if (product.opType === 'Mul') yield product
  }
}

function isPower(node: Node, constants: Constants, ...exponents: number[]): boolean {
  const { opType, inputs } = node
  if (opType === 'Mul') return exponents.includes(2) && inputs[0] === inputs[1]
  if (opType !== 'Pow') return false
  const exponent = constants.of(inputs[1])
  if (exponent?.size !== 1 || exponent.type === 'string') return false
  return exponents.includes(Number(exponent.toTensor().data[0]))
}

/**
 * Arithmetic that begins with integers (a Cast of a shape or of positions) and ends in integers, in sizes, or in the sine of
 * an angle: float16 counts to 2048 only.
 */
function countedFromIntegers(nodes: PortedNodes, kept: ReadonlyMap<Node, string>): Set<Node> {
  const counted = new Set<Node>()
  const isCounted = (value: Value): boolean => value.producer !== undefined && counted.has(value.producer)
  for (const node of nodes.keys()) {
    const floats = node.inputs.filter((value) => value !== undefined && isFloat(value) && !isConstant(value)) as Value[]
    const begins = isCast(node) && /int/.test(node.inputs[0]?.type ?? '')
    if (begins || (floats.length > 0 && floats.every(isCounted))) counted.add(node)
  }
  const ending = new Set<Node>()
  const ends = (value: Value, user: Node): boolean => {
    if (ending.has(user)) return true
    if (isCast(user)) return /int/.test(user.outputs[0]?.type ?? '')
    const ports = nodes.get(user)
    if (ports === undefined) return false
    const isKept = kept.has(user) && ports.obstacle !== undefined && user.subgraphs.length === 0
    return isKept || ports.inputs[user.inputs.indexOf(value)] === 'full'
  }
  for (const node of [...nodes.keys()].reverse()) {
    if (!counted.has(node)) continue
    const isAngle = ['Sin', 'Cos', 'Tan'].includes(node.opType)
    const users = node.outputs.flatMap((value) =>
      (value?.consumers ?? []).map((user) => [value as Value, user] as const),
    )
    if (isAngle || users.some(([value, user]) => ends(value, user))) ending.add(node)
  }
  return ending
}

function isConstant({ producer, initializer }: Value): boolean {
  return initializer !== undefined || producer?.opType === 'Constant'
}

/** Readers of what a DequantizeLinear gives in float32: a Cast between would keep TensorRT from computing in int8. */
function quantized(nodes: PortedNodes, kept: ReadonlyMap<Node, string>): Set<Node> {
  const found = new Set<Node>()
  for (const node of nodes.keys()) {
    if (node.opType !== 'DequantizeLinear' || !kept.has(node)) continue
    for (const user of node.outputs[0]?.consumers ?? []) found.add(user)
  }
  return found
}
