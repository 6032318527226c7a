/**
 * Other shapes for a model's inputs, also where sizes are written into the graph, as tf2onnx and PyTorch leave them when
 * they export with fixed shapes.
 *
 * Shapes are inferred twice: as the model is, and with the inputs as they are to be. In the second inference, right before
 * a node is looked at, what it had and what it has now are compared, and constants in it that follow from the old sizes
 * are put right (repairs.ts). So each node is repaired with the final shapes of all before it, in one linear pass.
 *
 * Rejected: putting right whatever constant equals the old size. A 1 or a 64 may be anything.
 */
import { TrtError } from '../../../errors.js'
import type { ElementType } from '../../data-types.js'
import type { Model } from '../../model/model.js'
import type { Value } from '../../model/value.js'
import { type InferredTypes, inferAndRepair, inferTypes } from '../../shapes/infer-types.js'
import type { Dims } from '../../shapes/value-kinds.js'
import type { Dim } from '../../value-type.js'
import type { PassContext } from '../pass.js'
import { repair } from './repairs.js'

/**
 * Gives inputs other shapes, and the same to every dimension of the names that change.
 *
 * @throws {TrtError} `UNSUPPORTED` where the graph holds sizes that cannot be put right
 */
export function changeShapes(model: Model, wanted: ReadonlyMap<Value, Dims>, context: PassContext): void {
  const before = inferTypes(model, { onContradiction: 'report' })
  const renamed = renamedSizes(wanted)
  const targets = new Map<Value, Dims>()
  for (const input of model.graph.inputs) {
    const dims = (wanted.get(input) ?? input.dims)?.map((dim) =>
      typeof dim === 'string' ? (renamed.get(dim) ?? dim) : dim,
    )
    if (dims !== undefined && `${dims}` !== `${input.dims}`) targets.set(input, dims)
  }
  if (targets.size === 0) return
  const old = new Map<Value, Dims>()
  for (const graph of model.graphs()) for (const value of graph.values) if (value.dims) old.set(value, value.dims)
  const changed: Dim[] = []
  for (const [input, dims] of targets) {
    changed.push(...(input.dims ?? []).filter((dim, axis) => dim !== dims[axis]))
    context.change(input, `shape [${written(input.dims)}] made [${written(dims)}]`)
    input.setType(input.type as ElementType, dims)
  }
  forgetShapes(targets.keys(), renamed)
  inferAndRepair(model, (op) => {
    const what = repair(op, { dims: (value) => value && (old.get(value) ?? value.dims), changed })
    if (what !== undefined) context.change(op.node, what)
  })
  // Nodes that a repair puts in are known only now.
  checkSound(before, inferTypes(model, { onContradiction: 'replace' }), context)
}

/**
 * Names that are given up for a size or another name, in all inputs. Not those that a changed shape keeps elsewhere:
 * exporters also give one name to two axes that differ.
 */
function renamedSizes(wanted: ReadonlyMap<Value, Dims>): Map<string, Dim> {
  const renamed = new Map<string, Dim>()
  const kept = new Set<Dim>()
  for (const [{ name, dims }, shape] of wanted) {
    for (const [axis, dim] of (dims ?? []).entries()) {
      const now = shape[axis] as Dim
      if (typeof dim !== 'string') continue
      const twin = dims?.findIndex((other, index) => other === dim && shape[index] !== now) ?? -1
      if (now === dim || twin >= 0) {
        kept.add(dim)
        continue
      }
      const other = renamed.get(dim)
      if (other !== undefined && other !== now) {
        throw new TrtError('INVALID_ARGUMENT', `"${dim}" is to be ${other} and ${now} (of "${name}") at once`, {
          hint: 'dimensions of one name have one size: give them the same',
        })
      }
      renamed.set(dim, now)
    }
  }
  for (const name of kept) renamed.delete(name as string)
  return renamed
}

/**
 * What is declared behind the inputs may be old, so it is inferred anew. Of outputs, numbers are; names are the model's
 * interface, and stay unless they change.
 */
function forgetShapes(inputs: Iterable<Value>, renamed: ReadonlyMap<string, Dim>): void {
  const behind = new Set(inputs)
  for (const value of behind) {
    for (const node of value.consumers) {
      for (const output of node.outputs) if (output !== undefined) behind.add(output)
      // What a graph inside a node computes, the node gives out.
      for (let owner = node.graph.owner; owner !== undefined; owner = owner.graph.owner) {
        for (const output of owner.outputs) if (output !== undefined) behind.add(output)
      }
    }
  }
  for (const value of behind) {
    if (value.producer === undefined || value.dims === undefined || value.type === 'undefined') continue
    const dims = value.dims.map((dim) => (typeof dim === 'string' ? (renamed.get(dim) ?? dim) : null))
    value.setType(value.type as ElementType, value.isOutput ? dims : undefined)
  }
}

/**
 * Contradictions between declarations and nodes are expected; those inside a node are sizes that could not be repaired.
 * In a graph inside a node they are noted only: a branch that is for other sizes may never be taken.
 */
function checkSound(before: InferredTypes, after: InferredTypes, context: PassContext): void {
  const known = new Set(before.contradictions.map(({ node }) => node))
  for (const { node, value, message } of after.contradictions) {
    if (value !== undefined || known.has(node)) continue
    const text = `the graph holds sizes that cannot be changed: ${message}`
    if (node.graph.owner !== undefined) context.note(`inside ${node.graph.owner}, ${text}`)
    else {
      throw new TrtError('UNSUPPORTED', text, {
        hint: 'export the model with dynamic shapes, or extract the part before this node',
      })
    }
  }
}

function written(dims: Dims | undefined): string {
  return dims?.map((dim) => dim ?? '?').join(',') ?? '?'
}
