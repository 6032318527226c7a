import { TrtError } from '../../errors.js'
import type { Attribute } from '../model/attribute.js'
import { copyNodes } from '../model/copy-nodes.js'
import type { Model } from '../model/model.js'
import type { ModelFunction } from '../model/model-function.js'
import type { Node } from '../model/node.js'
import { withNested } from '../model/root-graph.js'
import type { Value } from '../model/value.js'
import { definePass, type PassContext } from './pass.js'
import { upgradeTo } from './upgrade-opset.js'

/**
 * Puts the body of each function of the model in the place of the nodes that call it, also of functions that functions
 * call, and takes the functions away. For passes and runtimes that look at nodes only.
 *
 * Where the operator sets of the model and of its functions differ, the older ones are carried over to the newest, as
 * `upgrade-opset` does.
 *
 * @example onnx.inlineFunctions()
 */
export const inlineFunctions = definePass<Record<never, never>>({
  name: 'inline-functions',
  summary: 'Puts the bodies of the functions that a model defines in the place of their calls',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    inlineCalls(model, context)
  },
})

/** Calls in calls may double with each level: more nodes than these are not made. */
const MAX_NODES = 100_000

/**
 * What {@link inlineFunctions} does, for passes that need it done.
 *
 * @throws {TrtError} `INVALID_MODEL` for a function that calls itself; `UNSUPPORTED` where operator sets do not go together,
 *   or the model would grow by more than 100,000 nodes
 */
export function inlineCalls(model: Model, context: PassContext): void {
  if (model.functions.length === 0) return
  reconcileOpsets(model, context)
  const functions = new Map(model.functions.map((fn) => [`${fn.domain}:${fn.name}:${fn.overload}`, fn]))
  const calledBy = (node: Node) => functions.get(`${node.domain}:${node.opType}:${node.proto.overload ?? ''}`)
  interface Place {
    readonly node: Node
    /** The functions that it comes from. */
    readonly within: readonly ModelFunction[]
  }
  const nodesIn = (node: Node): Node[] =>
    node.subgraphs.flatMap((graph) => [...withNested(graph)].flatMap((g) => g.nodes))
  const open: Place[] = [...withNested(model.graph)].flatMap(({ nodes }) => nodes.map((node) => ({ node, within: [] })))
  const present = open.length
  for (const { node, within } of open) {
    const fn = calledBy(node)
    if (fn === undefined) continue
    if (within.includes(fn)) {
      throw new TrtError('INVALID_MODEL', `the function ${fn.domain}:${fn.name} calls itself`)
    }
    context.change(node, `replaced by the ${fn.graph.nodes.length} nodes of its function`)
    for (const copy of inline(node, fn)) {
      for (const each of [copy, ...nodesIn(copy)]) open.push({ node: each, within: [...within, fn] })
    }
    if (open.length > present + MAX_NODES) {
      throw new TrtError('UNSUPPORTED', `inline-functions: functions would make more than ${MAX_NODES} nodes`)
    }
  }
  model.removeFunctions()
}

/** @returns what takes the place of the call */
function inline(call: Node, fn: ModelFunction): Node[] {
  const { graph } = call
  const { inputs, outputs, nodes } = fn.graph
  const values = new Map<Value, Value>()
  const missing = new Set<Value>()
  for (const [index, input] of inputs.entries()) {
    const given = call.inputs[index]
    if (given === undefined) missing.add(input)
    else values.set(input, given)
  }
  const attributes = new Map<string, Attribute>()
  for (const name of fn.attributeNames) {
    const attribute = call.attribute(name) ?? fn.defaultOf(name)
    if (attribute !== undefined) attributes.set(name, attribute)
  }
  copyNodes(nodes, graph, values, { call: { attributes, missing } })
  for (const [index, output] of call.outputs.entries()) {
    const given = outputs[index] && values.get(outputs[index])
    if (output !== undefined && given !== undefined) output.replaceUsesWith(given)
  }
  call.remove()
  return nodes.flatMap((node) => {
    const first = node.outputs.find((value) => value !== undefined)
    return (first && values.get(first)?.producer) ?? []
  })
}

/** One version of each operator set, for the model and all functions. */
function reconcileOpsets(model: Model, context: PassContext): void {
  const parts = [model, ...model.functions]
  upgradeTo(model, Math.max(...parts.map(({ opsets }) => opsets.get('') ?? 0)), context)
  for (const [domain, version] of parts.flatMap(({ opsets }) => [...opsets])) {
    const known = model.opsets.get(domain)
    if (known === undefined) model.setOpset(domain, version)
    else if (known !== version) {
      const versions = `${known} and ${version}`
      throw new TrtError(
        'UNSUPPORTED',
        `inline-functions: the model and a function use "${domain}" of versions ${versions}`,
      )
    }
  }
}
