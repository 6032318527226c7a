import { isBoolean, isPlainObject } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { ElementType } from '../data-types.js'
import { copyNodes } from '../model/copy-nodes.js'
import { Model } from '../model/model.js'
import type { ModelFunction } from '../model/model-function.js'
import { read } from '../model/read.js'
import type { Value } from '../model/value.js'
import { definePass, type PassContext } from './pass.js'
import { upgradeTo } from './upgrade-opset.js'

/** Options of {@link append}. */
export interface AppendOptions {
  /** The other model, or its path. A model is left as it is, but for its operator set, where that is the older one. */
  readonly model: Model | string | undefined
  /** Whether the other one comes in front, such as pre-processing, or behind, such as NMS. Default behind. */
  readonly inFront: boolean
  /**
   * By name of an input of the model that comes second: the output of the first that it reads. Default: by equal names,
   * or, where the first has one output and the second one input, those.
   */
  readonly connect: { readonly [input: string]: string } | undefined
}

/**
 * Joins another model to this one: its nodes and constants are copied, under names that are free, and its functions, under
 * their own. Outputs that are connected are outputs no more; inputs and outputs that are not stay what they are, behind
 * this model's own.
 *
 * Of ONNX's operator set, the newer version holds: the older model is carried over to it as `upgrade-opset` does.
 * `UNSUPPORTED` is thrown where that is not possible, where the models have different functions of one name, and where
 * a model of IR version 3 or less is to get functions. The one pass that is not idempotent: applied twice, it joins twice,
 * or finds nothing to connect.
 *
 * @example onnx.append({ model: 'normalise.onnx', inFront: true })
 */
export const append = definePass<AppendOptions>({
  name: 'append',
  summary: 'Joins another model to this one, behind it or in front of it',
  keepsMeaning: false,
  isIdempotent: false,
  options: {
    model: {
      kind: 'text',
      doc: 'path of the other model',
      check: (value) =>
        value instanceof Model || (typeof value === 'string' && value !== '') ? undefined : 'a path or a Model',
    },
    inFront: { kind: 'boolean', doc: 'whether the other model comes in front of this one', check: isBoolean },
    connect: {
      kind: 'json',
      doc: 'by input of the model that comes second, the output of the first that it reads',
      check: (value) =>
        isPlainObject(value) && Object.values(value).every((name) => typeof name === 'string')
          ? undefined
          : 'an object of names of outputs by names of inputs',
    },
  },
  defaults: { model: undefined, inFront: false, connect: undefined },
  async apply(model, { model: given, inFront, connect }, context) {
    if (given === undefined) throw new TrtError('INVALID_ARGUMENT', 'append: expected a model, received none')
    const other = given instanceof Model ? given : await read(given)
    const pairs = inFront ? pairsOf(other, model, connect) : pairsOf(model, other, connect)
    reconcileOpsets(model, other, context)
    takeFunctions(model, other)
    if (inFront) putInFront(model, other, pairs)
    else putBehind(model, other, pairs)
    const names = [...pairs].map(([input, output]) => `"${output.name}" to "${input.name}"`)
    context.change('model', `joined with ${other.graph.nodes.length} nodes, ${names.join(', ')}`)
  },
})

/** By input of the second model, the output of the first. */
function pairsOf(first: Model, second: Model, connect: AppendOptions['connect']): Map<Value, Value> {
  const outputs = first.graph.outputs
  const inputs = second.graph.fedInputs
  const pairs = new Map<Value, Value>()
  for (const input of inputs) {
    const isOnly = inputs.length === 1 && outputs.length === 1
    const name = connect === undefined ? (isOnly ? outputs[0]?.name : input.name) : connect[input.name]
    const output = outputs.find((value) => value.name === name)
    if (output !== undefined) pairs.set(input, output)
  }
  const unknown = Object.entries(connect ?? {}).find(
    ([input, output]) => ![...pairs].some(([to, from]) => to.name === input && from.name === output),
  )
  if (unknown !== undefined || pairs.size === 0) {
    const what = unknown === undefined ? 'nothing fits by name' : `"${unknown[1]}" to "${unknown[0]}" is not possible`
    throw new TrtError('INVALID_ARGUMENT', `append: connect: ${what}`, {
      hint: `outputs: ${outputs.map(({ name }) => name).join(', ')}; inputs: ${inputs.map(({ name }) => name).join(', ')}`,
    })
  }
  for (const [input, output] of pairs) checkFits(input, output)
  return pairs
}

function checkFits(input: Value, output: Value): void {
  const [from, to] = [output.dims, input.dims]
  const isFixed = (dim: unknown) => typeof dim === 'number'
  const sameType = output.type === input.type || output.type === 'undefined'
  const sameShape =
    from === undefined ||
    to === undefined ||
    (from.length === to.length && from.every((dim, i) => !isFixed(dim) || !isFixed(to[i]) || dim === to[i]))
  if (sameType && sameShape) return
  const text = ({ type, dims }: Value) => `${type}[${dims?.map((dim) => dim ?? '?') ?? '?'}]`
  throw new TrtError(
    'INVALID_ARGUMENT',
    `append: output "${output.name}" is ${text(output)}, and input "${input.name}" takes ${text(input)}`,
  )
}

/** Carries the model of the older operator set over to the newer one; operator sets of others have to be the same. */
function reconcileOpsets(model: Model, other: Model, context: PassContext): void {
  const newest = Math.max(model.opsets.get('') ?? 0, other.opsets.get('') ?? 0)
  for (const each of [model, other]) upgradeTo(each, newest, context)
  for (const [domain, theirs] of other.opsets) {
    const ours = model.opsets.get(domain)
    if (ours === undefined) model.setOpset(domain, theirs)
    else if (ours !== theirs) {
      throw new TrtError('UNSUPPORTED', `append: the models use "${domain}" of versions ${ours} and ${theirs}`, {
        hint: 'export both with the same version',
      })
    }
  }
}

/** Functions came with IR version 8. Before 4, initializers are inputs, which callers could replace if it were raised. */
function takeFunctions(model: Model, other: Model): void {
  const idOf = ({ domain, name, overload }: ModelFunction) => JSON.stringify([domain, name, overload])
  const ours = new Map(model.functions.map((fn) => [idOf(fn), fn]))
  for (const fn of other.functions) {
    const known = ours.get(idOf(fn))
    if (known === undefined) model.addFunction(fn)
    else if (!known.isSame(fn)) {
      throw new TrtError('UNSUPPORTED', `append: the models have different functions "${fn.domain}:${fn.name}"`, {
        hint: 'export one of them without functions, or with other names',
      })
    }
  }
  if (other.functions.length > 0 && model.irVersion < 4) {
    throw new TrtError('UNSUPPORTED', `append: a model of IR version ${model.irVersion} cannot have functions`, {
      hint: 'export it anew',
    })
  }
  if (model.irVersion >= 4) model.irVersion = Math.max(model.irVersion, other.irVersion)
}

function putBehind({ graph }: Model, other: Model, pairs: ReadonlyMap<Value, Value>): void {
  const copies = new Map(pairs)
  addInputs(graph, other, copies)
  copyNodes(other.graph.nodes, graph, copies)
  for (const output of new Set(pairs.values())) graph.removeOutput(output)
  for (const output of other.graph.outputs) give(graph, output, copies)
}

function putInFront({ graph }: Model, other: Model, pairs: ReadonlyMap<Value, Value>): void {
  const copies = new Map<Value, Value>()
  const taken = [...pairs].map(([input, output]) => {
    const { name } = input
    input.rename(graph.uniqueName(`${name}_old`))
    return { input, output }
  })
  addInputs(graph, other, copies)
  copyNodes(other.graph.nodes, graph, copies)
  for (const { input, output } of taken) {
    input.replaceUsesWith(copyOf(graph, output, copies))
    graph.removeInput(input)
  }
  const connected = new Set(pairs.values())
  for (const output of other.graph.outputs) if (!connected.has(output)) give(graph, output, copies)
}

function addInputs(graph: Model['graph'], other: Model, copies: Map<Value, Value>): void {
  for (const input of other.graph.inputs) {
    if (copies.has(input) || input.initializer !== undefined) continue
    copies.set(input, graph.addInput(graph.uniqueName(input.name), input.type as ElementType, input.dims))
  }
}

function give(graph: Model['graph'], output: Value, copies: Map<Value, Value>): void {
  graph.addOutput(copyOf(graph, output, copies))
}

function copyOf(graph: Model['graph'], value: Value, copies: Map<Value, Value>): Value {
  const known = copies.get(value)
  if (known !== undefined || value.initializer === undefined) return known ?? value
  const copy = graph.addInitializer(value.initializer, graph.uniqueName(value.name))
  copies.set(value, copy)
  return copy
}
