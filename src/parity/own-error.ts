/**
 * Is a node at fault where its error leaves the tolerance, or does it only make greater what comes in?
 *
 * The error of a value is what its node does itself, and what the errors of its inputs become in it: up to the node's
 * condition number times as great (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., 2002, §1.6). That
 * number has no bound for a Log or a division near 0. So the node's own error is measured: the reference's node computes
 * from the candidate's inputs, and what it gives is held against what the candidate gives, within the same tolerance.
 *
 * Measured on basic-pitch's first Log, simplified and in emulated float16, with 100 random inputs: errors up to 3.83, own
 * errors up to 0.30. Rejected: a tolerance from the noise that other inputs have. Six times the greatest error of three
 * inputs was exceeded by 3 of those 100 without any fault, and more inputs only make that rarer.
 */
import type { Feeds } from '../api/engine.js'
import { TrtError } from '../errors.js'
import type { ElementType, Model, Node, Value } from '../onnx/index.js'
import { GROUP_BYTES } from '../onnx/run/in-groups.js'
import type { Tensors, ValueReport } from './tolerance.js'

/** A value that is outside the tolerance. */
export interface Diverged {
  readonly value: Value
  /** The node that gives it. */
  readonly node: Node
  /**
   * The nodes between it and what was compared before it, itself first. More than one where the candidate lacks the values
   * between, as after fusions.
   */
  readonly nodes: readonly Node[]
  /** Names of the values that were compared and that these nodes compute from. */
  readonly from: readonly string[]
}

/** What computes. */
export interface Sides {
  /** Gives values of the candidate, by the reference's names. */
  candidate(names: readonly string[]): Promise<Tensors>
  /** Runs a model as the reference is run. */
  reference(model: Model, feeds: Feeds, outputs: readonly string[]): Promise<Tensors>
  /** Whether a value is within the tolerance. */
  isGood(name: string, expected: Tensors, actual: Tensors): boolean
}

/**
 * The first of the values whose own error is outside the tolerance, or that the reference cannot compute from what the
 * candidate has; undefined where all errors came in.
 *
 * @param diverged in topological order
 * @param compared all that was compared, by the reference's names
 */
export async function firstAtFault(
  model: Model,
  feeds: Feeds,
  diverged: readonly Diverged[],
  compared: ReadonlyMap<string, ValueReport>,
  sides: Sides,
): Promise<Diverged | undefined> {
  const certain = diverged.findIndex((one) => isCertain(one, compared))
  const uncertain = certain < 0 ? diverged : diverged.slice(0, certain)
  for (const group of inGroups(uncertain, compared)) {
    const found = await firstOfGroup(model, feeds, group, sides)
    if (found !== undefined) return found
  }
  return diverged[certain]
}

/** Whether a value cannot have its error from its inputs: they are the same on both sides. */
function isCertain({ value, from }: Diverged, compared: ReadonlyMap<string, ValueReport>): boolean {
  const { mismatch, agreement } = compared.get(value.name) as ValueReport
  // What counts by agreement is an answer, to which every layer before adds its part.
  if (mismatch !== undefined || agreement !== undefined) return true
  return from.every((name) => compared.get(name)?.maxAbs === 0)
}

/** The first by itself, as it is mostly the one; then as many as fit into memory together. */
function* inGroups(
  diverged: readonly Diverged[],
  compared: ReadonlyMap<string, ValueReport>,
): Generator<readonly Diverged[]> {
  const bytesOf = ({ value, from }: Diverged) =>
    [value.name, ...from].reduce((sum, name) => sum + 4 * (compared.get(name)?.size ?? 0), 0)
  let [group, bytes]: [Diverged[], number] = [[], GROUP_BYTES]
  for (const one of diverged) {
    const more = bytesOf(one)
    if (group.length > 0 && bytes + more > GROUP_BYTES) {
      yield group
      group = []
      bytes = 0
    }
    group.push(one)
    bytes += more
  }
  if (group.length > 0) yield group
}

async function firstOfGroup(
  model: Model,
  feeds: Feeds,
  group: readonly Diverged[],
  sides: Sides,
): Promise<Diverged | undefined> {
  const names = group.map(({ value }) => value.name)
  const from = [...new Set(group.flatMap((one) => one.from))]
  const actual = await sides.candidate([...new Set([...names, ...from])])
  const { apart, computed } = cut(model, names, from, actual)
  const given = Object.fromEntries(from.map((name) => [name, actual[name]]))
  let results: Tensors
  try {
    results = await sides.reference(apart, { ...feeds, ...given } as Feeds, computed)
  } catch (error) {
    // Such as an index out of bounds, which need not be the first one's.
    if (!(error instanceof TrtError) || error.code !== 'INFERENCE_FAILED') throw error
    if (group.length === 1) return group[0]
    const half = Math.ceil(group.length / 2)
    const first = await firstOfGroup(model, feeds, group.slice(0, half), sides)
    return first ?? firstOfGroup(model, feeds, group.slice(half), sides)
  }
  const expected = Object.fromEntries(names.map((name, at) => [name, results[computed[at] as string]])) as Tensors
  return group.find(({ value }) => !sides.isGood(value.name, expected, actual))
}

/**
 * The model with its nodes cut apart: values become inputs under their names, and what the nodes compute of them gets
 * others.
 */
function cut(
  model: Model,
  names: readonly string[],
  from: readonly string[],
  actual: Tensors,
): { readonly apart: Model; readonly computed: readonly string[] } {
  const apart = model.copy()
  const { graph } = apart
  for (const output of graph.outputs) graph.removeOutput(output)
  const wanted = names.map((name) => graph.value(name) as Value)
  for (const name of from) {
    const value = graph.value(name) as Value
    value.rename(graph.uniqueName(name))
    value.replaceUsesWith(graph.addInput(name, actual[name]?.type as ElementType, undefined))
  }
  for (const value of wanted) graph.addOutput(value)
  apart.prune()
  return { apart, computed: wanted.map(({ name }) => name) }
}
