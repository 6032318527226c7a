import { isInteger } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { Graph } from '../model/graph.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { withNested } from '../model/root-graph.js'
import { schemaOf } from '../ops/schema.js'
import { Constants } from './constants.js'
import { sweepValues } from './matching/sweep.js'
import { ADAPTERS, type AdapterTools } from './opset/adapters.js'
import { definePass, type PassContext } from './pass.js'

/** Options of {@link upgradeOpset}. */
export interface UpgradeOpsetOptions {
  /** The version of ONNX's operator set that the model has afterwards, from 7 to 22. A newer one stays. */
  readonly version: number
}

/** The oldest version that is read: it is of December 2017, and what exporters wrote before it is not met any more. */
const OLDEST = 6
const NEWEST = 22

/**
 * Carries the model over to a newer version of ONNX's own operator set: attributes that became inputs (the axes of Squeeze
 * and ReduceMean, the bounds of Clip and Slice), Upsample to Resize, the rows of Softmax, how version 6 broadcast, and so
 * on, in functions and in graphs inside too. Ops that ONNX does not know stay as they are.
 *
 * What cannot be carried over is refused, with the node's name: BatchNormalization and Dropout of version 6 that are for
 * training, broadcasting of version 6 where ranks are not known (run `infer-shapes` first), Scan of version 8,
 * GroupNormalization before 21, a mask of Dropout before 10, outputs for training of BatchNormalization, attributes that
 * became inputs and are given by what calls a function.
 *
 * @example onnx.upgradeOpset({ version: 17 })
 */
export const upgradeOpset = definePass<UpgradeOpsetOptions>({
  name: 'upgrade-opset',
  summary: "Carries the model over to a newer version of ONNX's operator set",
  keepsMeaning: true,
  options: { version: { kind: 'number', doc: 'the version, from 7 to 22', check: isInteger(OLDEST + 1, NEWEST) } },
  defaults: { version: NEWEST },
  apply(model, { version }, context) {
    upgradeTo(model, version, context)
  },
})

/**
 * What {@link upgradeOpset} does, for passes that make nodes of newer ops. A model that is as new already stays as it is.
 *
 * @throws {TrtError} `UNSUPPORTED`, naming the node that cannot be carried over
 */
export function upgradeTo(model: Model, version: number, context: PassContext): void {
  const tools = { constants: new Constants(model), context }
  for (const part of [model, ...model.functions]) {
    const from = part.opsets.get('')
    if (from === undefined || from >= version) continue
    if (from < OLDEST) {
      throw new TrtError('UNSUPPORTED', `upgrade-opset: expected version ${OLDEST} or newer, the model is of ${from}`, {
        hint: 'export the model anew',
      })
    }
    upgradeGraph(part.graph, from, version, tools)
    part.setOpset('', version)
    const place = part === model ? 'model' : `function ${'name' in part ? part.name : ''}`
    context.change(place, `carried over from version ${from} of ONNX's operator set to ${version}`)
  }
}

function upgradeGraph(root: Graph, from: number, to: number, tools: AdapterTools): void {
  // The lists as they are now: what adapters add is of the new version already.
  const nodes = [...withNested(root)].flatMap((graph) => [...graph.nodes])
  for (const node of nodes) {
    if (node.domain !== '') continue
    upgradeNode(node, from, to, tools)
    checkAttributes(node, to)
  }
}

function upgradeNode(node: Node, from: number, to: number, tools: AdapterTools): void {
  const old = [...node.inputs]
  let since = from
  // An adapter may make it another op, whose adapters come next.
  for (;;) {
    const next = ADAPTERS[node.opType]?.find(([version]) => version > since && version <= to)
    if (next === undefined) break
    const [version, adapt] = next
    const [where, before] = [node.name || `${node.opType} of "${node.outputs[0]?.name ?? ''}"`, describe(node)]
    adapt(node, tools)
    if (before !== describe(node)) tools.context.change(where, `${node.opType} carried over to version ${version}`)
    since = version
  }
  // Inputs that an adapter left out.
  sweepValues(old)
}

function describe(node: Node): string {
  const attributes = node.attributes.map(({ name, value }) => `${name}=${String(value)}`)
  const outputs = node.outputs.map((value) => value?.name)
  return [node.opType, ...attributes, ...node.inputs.map((value) => `${value?.name}:${value?.dims}`), ...outputs].join(
    ' ',
  )
}

/** An attribute that the new version does not have was lost by an op that nothing here knows about. */
function checkAttributes(node: Node, version: number): void {
  const schema = schemaOf(node.opType, '', version)
  const lost = schema && node.attributes.find(({ name }) => !schema.attributes.has(name))
  if (lost === undefined && !schema?.deprecated) return
  const reason = lost === undefined ? 'the op is gone' : `it has an attribute ${lost.name}, which the op has not`
  throw new TrtError('UNSUPPORTED', `upgrade-opset: there is no way to carry ${node} over to ${version}: ${reason}`, {
    hint: 'upgrade to an older version, or export the model anew',
  })
}
