import type { Model, Node, TensorDifference, Value } from '../onnx/index.js'

/** Where a candidate leaves the reference for the first time. */
export interface Divergence {
  /** The value that is the first outside the tolerance, in topological order. */
  readonly value: string
  /** The node that gives it, as the reference has it. */
  readonly node: string
  readonly opType: string
  readonly attributes: Readonly<Record<string, string>>
  /** Its inputs: what was compared of them was within the tolerance. */
  readonly inputs: readonly DivergenceInput[]
  /**
   * Nodes that may hold the fault: this one, and those before it back to values that were compared and good. More than one
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
 * The first value outside the tolerance, and what there is to say about it.
 *
 * @param compared what was found, by the reference's value names
 * @param isBad whether a difference is outside the tolerance
 */
export function firstDivergence(
  model: Model,
  compared: ReadonlyMap<string, TensorDifference>,
  isBad: (name: string, difference: TensorDifference) => boolean,
): Divergence | undefined {
  for (const node of model.graph.nodes) {
    for (const value of node.outputs) {
      const difference = value && compared.get(value.name)
      if (value === undefined || difference === undefined || !isBad(value.name, difference)) continue
      return describe(node, value, difference, compared)
    }
  }
  return undefined
}

function describe(
  node: Node,
  value: Value,
  difference: TensorDifference,
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
    node: node.name === '' ? String(node.outputs[0]?.name) : node.name,
    opType: node.opType,
    attributes: Object.fromEntries(attributes),
    inputs,
    suspects: suspectsOf(node, compared),
    advice: adviceFor(node, difference, inputs),
  }
}

/** All before the first divergence that was compared is good, so the search stops there. */
function suspectsOf(node: Node, compared: ReadonlyMap<string, TensorDifference>): string[] {
  const suspects = new Set<Node>()
  const waiting = [node]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (suspects.has(next)) continue
    suspects.add(next)
    for (const input of next.inputs) {
      const { producer } = input ?? {}
      // A weight in a Constant node is part of the node that reads it.
      if (producer?.opType === 'Constant') continue
      if (producer !== undefined && producer.graph === node.graph && !compared.has(input?.name ?? ''))
        waiting.push(producer)
    }
  }
  return [...suspects].map(({ name, outputs }) => (name === '' ? String(outputs[0]?.name) : name))
}

function adviceFor(node: Node, difference: TensorDifference, inputs: readonly DivergenceInput[]): string[] {
  const { nonFinite, range, mismatch } = difference
  const ranges = [range, ...inputs.map((input) => input.range)].filter((range) => range !== undefined)
  const greatest = Math.max(...ranges.flat().map(Math.abs).filter(Number.isFinite))
  const advice: string[] = []
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
