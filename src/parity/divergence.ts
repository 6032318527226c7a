import type { Model, Node, TensorDifference } from '../onnx/index.js'
import type { Diverged } from './own-error.js'
import type { ValueReport } from './tolerance.js'

/**
 * What makes a value leave the tolerance. `'node'`: its node, which gives something else for the candidate's inputs too.
 * `'inputs'`: for these it gives the same, within the tolerance, and only makes greater what comes in.
 */
export type DivergenceCause = 'node' | 'inputs'

/** Where a candidate leaves the reference for the first time. */
export interface Divergence {
  /**
   * The value that is the first outside the tolerance, in topological order, by its node's fault; where no node is at fault,
   * the first.
   */
  readonly value: string
  readonly cause: DivergenceCause
  /** The node that gives it, as the reference has it. */
  readonly node: string
  readonly opType: string
  readonly attributes: Readonly<Record<string, string>>
  readonly inputs: readonly DivergenceInput[]
  /**
   * Nodes that may hold the fault: this one, and those before it back to values that were compared. More than one
   * where the candidate lacks the values between, as after fusions.
   */
  readonly suspects: readonly string[]
  /** What to try. */
  readonly advice: readonly string[]
}

/** An input of the node where it begins. */
export interface DivergenceInput {
  readonly name: string
  /** Least and greatest value in the reference; undefined where it was not compared. */
  readonly range: readonly [least: number, greatest: number] | undefined
}

/** Values within this much of fp16's greatest, 65504, overflow it in a sum of a few. */
const FP16_DANGER = 16_384

/** Ops whose result depends on an epsilon that fp16 may not hold. */
const NORMALIZATIONS = /Normalization$/

/**
 * The values outside the tolerance, in topological order.
 *
 * @param compared what was found, by the reference's value names
 */
export function divergedValues(model: Model, compared: ReadonlyMap<string, ValueReport>): Diverged[] {
  return model.graph.nodes.flatMap((node) =>
    node.outputs.flatMap((value) =>
      value !== undefined && compared.get(value.name)?.passed === false
        ? [{ value, node, ...originOf(node, compared) }]
        : [],
    ),
  )
}

/** What there is to say of a value outside the tolerance. */
export function describe(
  { value, node, nodes }: Diverged,
  cause: DivergenceCause,
  compared: ReadonlyMap<string, TensorDifference>,
): Divergence {
  const attributes = node.attributes
    .filter(({ graphs }) => graphs.length === 0)
    .map(({ name, value }) => [name, String(value)] as const)
  const inputs = node.inputs.flatMap((input) =>
    input === undefined ? [] : [{ name: input.name, range: compared.get(input.name)?.range }],
  )
  return {
    value: value.name,
    cause,
    node: node.label,
    opType: node.opType,
    attributes: Object.fromEntries(attributes),
    inputs,
    suspects: nodes.map(({ label }) => label),
    advice: adviceFor(node, cause, compared.get(value.name) as TensorDifference, inputs),
  }
}

/** The nodes back to what was compared. */
function originOf(node: Node, compared: ReadonlyMap<string, unknown>): Pick<Diverged, 'nodes' | 'from'> {
  const nodes = new Set([node])
  const from = new Set<string>()
  // A set gives what is added to it meanwhile too.
  for (const { reads, graph } of nodes) {
    for (const { name, producer } of reads) {
      if (compared.has(name)) from.add(name)
      // A weight in a Constant node is part of the node that reads it.
      else if (producer?.graph === graph && producer.opType !== 'Constant') nodes.add(producer)
    }
  }
  return { nodes: [...nodes], from: [...from] }
}

function adviceFor(
  node: Node,
  cause: DivergenceCause,
  difference: TensorDifference,
  inputs: readonly DivergenceInput[],
): string[] {
  const { nonFinite, range, mismatch } = difference
  const ranges = [range, ...inputs.map((input) => input.range)].filter((range) => range !== undefined)
  const greatest = Math.max(...ranges.flat().map(Math.abs).filter(Number.isFinite))
  const advice: string[] = []
  if (cause === 'inputs')
    advice.push(
      'no node is at fault: this one makes greater what comes in. Allow its value more, or keep in fp32 what is before',
    )
  if (mismatch !== undefined) advice.push('the shapes or types differ: a rewrite before this node is wrong')
  if (nonFinite > 0)
    advice.push(`${nonFinite} elements are NaN or infinite in one of the two: look for overflow before it`)
  if (greatest > FP16_DANGER) {
    advice.push(`values reach ${greatest.toPrecision(3)}, near the greatest of fp16, 65504: keep this node in fp32`)
  }
  if (NORMALIZATIONS.test(node.opType)) {
    const epsilon = node.get('epsilon', 'float')
    advice.push(
      `its epsilon is ${epsilon ?? 'the default'}: compare it with the other side, and keep its statistics in fp32`,
    )
  }
  if (['LayerNormalization', 'PRelu'].includes(node.opType)) advice.push('try the plugin for it: the pass use-plugins')
  if (advice.length === 0) advice.push('keep this node in fp32, or leave out the pass that changed it')
  return advice
}
