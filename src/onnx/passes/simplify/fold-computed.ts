/**
 * Constant folding by onnxruntime: the nodes of which everything is constant are copied into a model of their own, which
 * is run once, and what the rest of the model reads of them becomes constant.
 *
 * Where onnxruntime refuses that model or fails to run it, the half of the nodes that comes first is tried alone, then the
 * other half, and so on, so that one bad node among n costs about log n runs, and is left alone with a note.
 *
 * Rejected: onnxruntime's own folding (`optimizedModelFilePath`), which drops the declared types, adds operator sets, and
 * folds into constants of any size; and an evaluator of one's own, for operators that inference does not compute already
 * and that do more than move elements (fold-moves.ts).
 */
import { messageOf, TrtError, throwIfAborted } from '../../../errors.js'
import { isDataType, type Tensor } from '../../../tensor.js'
import { byteLength, type ElementType } from '../../data-types.js'
import { newMessage } from '../../io/proto.js'
import { copyNodes } from '../../model/copy-nodes.js'
import type { Graph } from '../../model/graph.js'
import { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { run } from '../../run/runner.js'
import { isPure } from '../deterministic.js'
import type { PassContext } from '../pass.js'
import type { Facts } from './facts.js'
import { makeConstant } from './make-constant.js'

/** The IR version of models of constants: initializers are no inputs, and every onnxruntime of today takes it. */
const IR_VERSION = 8

/** Ops whose results may be far bigger than what they are made of; the size of others follows from their inputs. */
const GROWING: ReadonlySet<string> = new Set([
  'CenterCropPad',
  'ConstantOfShape',
  'Expand',
  'EyeLike',
  'OneHot',
  'Pad',
  'Range',
  'Resize',
  'Tile',
  'Upsample',
])

/** Nodes to be left alone, as onnxruntime cannot run them; kept over the rounds of one simplification. */
export type Refused = Set<Node>

/**
 * Folds what is constant in the graphs.
 *
 * @param maxBytes how much bigger the results of a node may be than its inputs
 * @throws {TrtError} `ONNXRUNTIME_NOT_FOUND`; `ABORTED`
 */
export async function foldComputed(
  graphs: readonly Graph[],
  facts: Facts,
  maxBytes: number,
  refused: Refused,
  context: PassContext,
): Promise<void> {
  const nodes = constantNodes(graphs, facts, maxBytes, refused)
  if (nodes.length > 0) await foldAll(nodes, facts, maxBytes, refused, context)
}

/** In topological order. Constant nodes that are graphs' outputs are among them, for what reads them. */
function constantNodes(graphs: readonly Graph[], facts: Facts, maxBytes: number, refused: Refused): Node[] {
  const found: Node[] = []
  const constant = new Set<Value>()
  for (const graph of graphs) {
    for (const node of graph.nodes) {
      if (refused.has(node) || !isPure(node, facts.opsets) || !isFoldable(node, facts, constant)) continue
      if (node.opType !== 'Constant' && !isSmallEnough(node, maxBytes)) continue
      found.push(node)
      for (const value of node.outputs) if (value !== undefined) constant.add(value)
    }
  }
  return found.some(({ opType }) => opType !== 'Constant') ? found : []
}

function isFoldable(node: Node, { constants }: Facts, known: ReadonlySet<Value>): boolean {
  const { opType, inputs, outputs } = node
  const isConstant = (value: Value) => known.has(value) || constants.of(value) !== undefined
  if (!inputs.every((value) => value === undefined || isConstant(value))) return false
  // Quantised weights are to stay so; a bias in int32, which no runtime computes with as such, is not.
  if (opType === 'QuantizeLinear' || (opType === 'DequantizeLinear' && inputs[0]?.type !== 'int32')) return false
  return [...inputs, ...outputs].every((value) => value === undefined || isCarried(value.type))
}

/** bfloat16 is refused by onnxruntime-node; types without a typed array are no {@link Tensor}. */
function isCarried(type: string): boolean {
  return isDataType(type) && type !== 'bfloat16'
}

function isSmallEnough({ opType, inputs, outputs }: Node, maxBytes: number): boolean {
  const sizes = (values: readonly (Value | undefined)[]) =>
    values.reduce((sum, value) => sum + (value === undefined ? 0 : sizeOf(value)), 0)
  const size = sizes(outputs)
  // NaN where it is not known.
  return Number.isNaN(size) ? !GROWING.has(opType) : size <= sizes(inputs) + maxBytes
}

function sizeOf({ type, dims }: Value): number {
  const count = dims?.reduce((size: number, dim) => size * (typeof dim === 'number' ? dim : Number.NaN), 1)
  return byteLength(type as ElementType, count ?? Number.NaN)
}

async function foldAll(
  nodes: readonly Node[],
  facts: Facts,
  maxBytes: number,
  refused: Refused,
  context: PassContext,
): Promise<void> {
  throwIfAborted('fold-constants', context.signal)
  const wanted = frontierOf(nodes)
  if (wanted.length === 0) return
  let results: readonly Tensor[]
  try {
    results = await compute(nodes, wanted, facts, context.signal)
  } catch (error) {
    if (error instanceof TrtError && (error.code === 'ONNXRUNTIME_NOT_FOUND' || error.code === 'ABORTED')) throw error
    await foldHalves(nodes, facts, maxBytes, refused, context, error)
    return
  }
  for (const [index, value] of wanted.entries()) {
    const { type, dims } = results[index] as Tensor
    context.change(value.producer as Node, `folded into the constant "${value.name}" ${type}[${dims}]`)
    makeConstant(value, results[index] as Tensor)
  }
}

async function foldHalves(
  nodes: readonly Node[],
  facts: Facts,
  maxBytes: number,
  refused: Refused,
  context: PassContext,
  error: unknown,
): Promise<void> {
  const [first] = nodes
  if (first !== undefined && nodes.length === 1) {
    refused.add(first)
    context.note(`${first} is constant, and was left alone: ${messageOf(error)}`)
    return
  }
  const middle = Math.ceil(nodes.length / 2)
  await foldAll(nodes.slice(0, middle), facts, maxBytes, refused, context)
  // Those that read what the first half could not give are constant no more.
  const known = new Set<Value>()
  const rest = nodes.slice(middle).filter((node) => {
    const isLeft = isFoldable(node, facts, known)
    if (isLeft) for (const value of node.outputs) if (value !== undefined) known.add(value)
    return isLeft
  })
  await foldAll(rest, facts, maxBytes, refused, context)
}

/** What others than these nodes read of them, or graphs give out. */
function frontierOf(nodes: readonly Node[]): Value[] {
  const inside = new Set(nodes)
  return nodes.flatMap(({ opType, outputs }) =>
    outputs.filter((value): value is Value => {
      if (value === undefined || opType === 'Constant') return false
      return value.isOutput || value.consumers.some((consumer) => !inside.has(consumer))
    }),
  )
}

async function compute(
  nodes: readonly Node[],
  wanted: readonly Value[],
  { opsets }: Facts,
  signal: AbortSignal | undefined,
): Promise<Tensor[]> {
  const opsetImport = [...opsets].map(([domain, version]) => newMessage('OperatorSetIdProto', { domain, version }))
  const graph = newMessage('GraphProto', { name: 'constants' })
  const model = new Model(
    Object.assign(newMessage('ModelProto', { irVersion: IR_VERSION, opsetImport }), { graph }),
    undefined,
  )
  const copies = new Map<Value, Value>()
  copyNodes(nodes, model.graph, copies)
  const outputs = wanted.map((value) => copies.get(value)?.name as string)
  const results = await run(model, {}, { outputs, optimization: 'disabled', ...(signal && { signal }) })
  return outputs.map((name) => results[name] as Tensor)
}
