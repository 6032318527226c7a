import { isBoolean, isNumberFrom, isOneOf, isRanges, isTexts } from '../../check.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { withNested } from '../model/root-graph.js'
import { inferTypes } from '../shapes/infer-types.js'
import { Constants } from './constants.js'
import { inlineCalls } from './inline-functions.js'
import { groupNodes, noteFloat32 } from './node-groups.js'
import { definePass, type PassContext } from './pass.js'
import { applyPlan } from './precision/apply-plan.js'
import { keptInFull } from './precision/keep-full.js'
import { planPrecision } from './precision/plan.js'
import { type Ports, portsOf } from './precision/ports.js'
import { LIMITS, type LowType } from './precision/weights.js'
import { nodeSelector } from './select-nodes.js'
import { upgradeTo } from './upgrade-opset.js'

/** Options of {@link convertPrecision}. */
export interface ConvertPrecisionOptions {
  /** The smaller type. */
  readonly to: LowType
  /** Whether inputs and outputs stay float32, with a Cast behind and before them; else they get the smaller type. */
  readonly keepIoTypes: boolean
  /** Op types that stay in float32, with the domain where it is not ONNX's own. */
  readonly keepOps: readonly string[]
  /** Names of nodes that stay in float32, where `*` stands for any text. */
  readonly keepNodes: readonly string[]
  /** float16: nodes with a weight of a greater magnitude stay in float32. Beyond 65504, weights are set to ±65504. */
  readonly maxWeight: number
  /** Greatest magnitudes of values by name, as seen on inputs of yours: `onnx.measureRanges` measures them. */
  readonly ranges: Readonly<Record<string, number>>
  /** float16: nodes that read or give a value whose range is greater stay in float32. */
  readonly maxRange: number
  /** Sums and means of more values than that, or of nobody knows how many, stay in float32. */
  readonly maxReduction: number
  /**
   * Leaves every type float32, and rounds values and weights that would have the smaller type there and back. A CPU
   * computes float16 in float32 and so hides what overflows; of an emulation it shows it.
   */
  readonly emulate: boolean
}

/**
 * Gives a float32 model the types of mixed precision, for TensorRT 11 and TensorRT-RTX, which take every type from the
 * model: weights and most nodes become float16 or bfloat16, and what needs float32 keeps it, with as few Casts as possible.
 *
 * Float32 stays: where ONNX has no such op in the smaller type; statistics (squares under a root, the inner sums of
 * LayerNormalization); long sums; weights or measured values that float16 does not hold; sizes, indices and angles computed
 * from integers; quantised layers with tiny scales; what goes into and comes out of If, Loop and Scan, whose graphs are
 * converted inside. The notes say which nodes stayed, and why. A model that carries float16 or bfloat16 already is left
 * alone: whoever made it decided. Functions of the model are put in the place of their calls first, as `inline-functions`
 * does.
 *
 * Infinite weights, and those of ±1e9 and beyond, become the greatest finite number, so that masks mask; weights too small
 * become 0 or the smallest number, with their sign. The figures count both. Where needed, the model is carried over to operator
 * set 13 (float16), 19 (float16 with QuantizeLinear), or 22 (bfloat16).
 *
 * Rules: NVIDIA's AutoCast (TensorRT Model Optimizer) and onnxconverter-common's float16 converter, as far as they hold up.
 *
 * @example
 * const ranges = await onnx.measureRanges(model, samples)
 * const [report] = await onnx.transform(model, [onnx.convertPrecision({ to: 'float16', ranges, keepNodes: ['/head/*'] })])
 * console.log(report.figures, report.notes)
 */
export const convertPrecision = definePass<ConvertPrecisionOptions>({
  name: 'convert-precision',
  summary: 'Converts a float32 model to mixed precision, as TensorRT 11 and TensorRT-RTX want it for fp16 and bf16',
  keepsMeaning: false,
  options: {
    to: { kind: 'text', doc: 'float16 or bfloat16', check: isOneOf('float16', 'bfloat16') },
    keepIoTypes: { kind: 'boolean', doc: 'whether inputs and outputs stay float32', check: isBoolean },
    keepOps: { kind: 'texts', doc: 'op types that stay in float32', check: isTexts() },
    keepNodes: { kind: 'texts', doc: 'names of nodes that stay in float32; * stands for any text', check: isTexts() },
    maxWeight: {
      kind: 'number',
      doc: 'float16: nodes with greater weights stay in float32',
      check: isNumberFrom(0, Number.MAX_VALUE),
    },
    ranges: { kind: 'json', doc: 'greatest magnitudes of values by name, as measured', check: isRanges },
    maxRange: {
      kind: 'number',
      doc: 'float16: nodes with values of a greater range stay in float32',
      check: isNumberFrom(0, Number.MAX_VALUE),
    },
    maxReduction: {
      kind: 'number',
      doc: 'sums of more values stay in float32',
      check: isNumberFrom(1, Number.MAX_VALUE),
    },
    emulate: {
      kind: 'boolean',
      doc: 'leaves all float32, and rounds what would be converted there and back, to see its error on a CPU',
      check: isBoolean,
    },
  },
  defaults: {
    to: 'float16',
    keepIoTypes: true,
    keepOps: [],
    keepNodes: [],
    maxWeight: LIMITS.float16.greatest,
    ranges: {},
    maxRange: 512,
    maxReduction: 1024,
    emulate: false,
  },
  async apply(model, options, context) {
    const carried = carriedType(model)
    if (carried !== undefined) {
      context.note(`left alone: the model carries ${carried} already`)
      return
    }
    const { to } = options
    const { nodes, constants, kept, plan } = planConversion(model, options, context)
    const figures = await applyPlan(plan, to, options.emulate, constants, context)
    context.count(`nodes in ${to}`, plan.low.size)
    const isFloat = ({ inputs, outputs }: Ports): boolean => [...inputs, ...outputs].includes('full')
    const stayed = [...kept].filter(
      ([node]) => isFloat(nodes.get(node) as Ports) || nodes.get(node)?.obstacle === undefined,
    )
    context.count('nodes kept in float32', stayed.length)
    context.count('weights converted', figures.weights)
    context.count(`weights beyond ±${LIMITS[to].greatest.toPrecision(5)}, set to it`, figures.overflows)
    context.count('infinite weights, set to the greatest number', figures.masks)
    context.count(`weights below ${LIMITS[to].least.toPrecision(3)}, rounded to it or to 0`, figures.underflows)
    noteFloat32(groupNodes(stayed), context)
  },
})

/**
 * The nodes that the pass would give the smaller type. Changes the model as the pass does first: calls of its own functions
 * are inlined, and it is carried over to the operator set that the pass needs.
 */
export function nodesToConvert(model: Model, options: Partial<ConvertPrecisionOptions>): Node[] {
  const defaults = convertPrecision.defaults as unknown as ConvertPrecisionOptions
  const nobody = () => {}
  const silent = { change: nobody, note: nobody, count: nobody, progress: nobody, signal: undefined }
  return [...planConversion(model, { ...defaults, ...options }, silent).plan.low]
}

function planConversion(model: Model, options: ConvertPrecisionOptions, context: PassContext) {
  const { to, keepIoTypes, emulate } = options
  inlineCalls(model, context)
  upgradeTo(model, neededOpset(model, to), context)
  const { contradictions } = inferTypes(model, { onContradiction: 'report' })
  for (const { message } of contradictions) context.note(message)
  const opset = model.opsets.get('') ?? 1
  const nodes = new Map<Node, Ports>()
  for (const node of innerFirst(model.graph.nodes)) {
    const version = node.domain === '' ? opset : (model.opsets.get(node.domain) ?? 1)
    nodes.set(node, portsOf(node, version, to))
  }
  const constants = new Constants(model)
  const kept = keptInFull(nodes, constants, { ...options, isKept: keptByCaller(options) })
  const plan = planPrecision(model.graph, nodes, constants, kept, keepIoTypes || emulate)
  return { nodes, constants, kept, plan }
}

/** Nodes of graphs inside a node come before it, as it gives out what they compute. */
function* innerFirst(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    for (const graph of node.subgraphs) yield* innerFirst(graph.nodes)
    yield node
  }
}

function keptByCaller({ keepOps, keepNodes }: ConvertPrecisionOptions): (node: Node) => boolean {
  const hasOp = nodeSelector({ ops: keepOps })
  const hasName = nodeSelector({ nodes: keepNodes })
  return (node) => hasOp(node) || hasName(node)
}

/** The smaller type that a model has somewhere already: in inputs, weights, or Casts. */
export function carriedType(model: Model): LowType | undefined {
  const found = (type: string): LowType | undefined => LOW_TYPES.find((low) => low === type)
  for (const graph of [...model.graphs()]) {
    for (const { type } of [...graph.inputs, ...graph.initializers]) {
      if (found(type) !== undefined) return found(type)
    }
    for (const node of graph.nodes) {
      for (const { name, type, value } of node.attributes) {
        if (type === 'tensor' && found((value as { type: string }).type)) return found((value as { type: string }).type)
        if (name === 'to' && Number(value) === 10) return 'float16'
        if (name === 'to' && Number(value) === 16) return 'bfloat16'
      }
    }
  }
  return undefined
}

const LOW_TYPES: readonly LowType[] = ['float16', 'bfloat16']

/** The operator set from which on ONNX has the ops in the type. */
function neededOpset(model: Model, to: LowType): number {
  if (to === 'bfloat16') return 22
  for (const graph of withNested(model.graph)) {
    for (const { opType } of graph.nodes) if (opType === 'QuantizeLinear' || opType === 'DequantizeLinear') return 19
  }
  return 13
}
