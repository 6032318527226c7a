import { TrtError } from '../../errors.js'
import { elementCount } from '../../tensor.js'
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import type { Dim } from '../value-type.js'
import { addConstant } from './add-constant.js'
import { Constants, floatTensor, int64s } from './constants.js'
import { inferFirst } from './infer-first.js'
import { sweepValues } from './matching/sweep.js'
import { definePass, type PassContext } from './pass.js'
import { PluginFields } from './plugins/plugin-fields.js'
import { PLUGIN_OPS, type PluginOp } from './plugins/plugin-ops.js'
import { byChannel, slopeMeaning } from './prelu-slope.js'
import { upgradeTo } from './upgrade-opset.js'

/** The version of ONNX's operator set that brought LayerNormalization. */
const LAYER_NORM_OPSET = 17

/**
 * Puts ONNX's LayerNormalization and PRelu in the place of nodes for the plugins CustomLayerNormalization and CustomPRelu,
 * so that onnxruntime runs the model, and TensorRT uses its own layers. It reads these forms:
 *
 * - what `use-plugins` makes
 * - the plugin's name as op type in any domain, e.g. `nv::CustomLayerNormalization` of a PyTorch symbolic function, with
 *   negative axes and attributes that the plugin does not know
 * - nodes of op type `Plugin` with the plugin's name in the attribute `name`, and its fields in `info`, a JSON object
 * - weights as inputs, or as attributes of the node (`scale`, `bias`, `slope`)
 *
 * The model is carried over to version 17 of ONNX's operator set, where LayerNormalization is from, if it is older.
 *
 * @example onnx.lowerPlugins()
 */
export const lowerPlugins = definePass<Record<never, never>>({
  name: 'lower-plugins',
  summary: "Puts ONNX's own ops in the place of nodes for this package's plugins",
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    const nodesOf = (opType: PluginOp['opType']): Node[] =>
      [...model.graphs()].flatMap(({ nodes }) => nodes.filter((node) => pluginOf(node)?.opType === opType))
    const replace = (node: Node, lower: typeof lowerPrelu): void => {
      const where = String(node)
      const op = pluginOf(node) as PluginOp
      lower(node, op, constants, context)
      context.change(where, `replaced by ${op.opType}`)
    }
    const norms = nodesOf('LayerNormalization')
    if (norms.length > 0) upgradeTo(model, LAYER_NORM_OPSET, context)
    for (const node of norms) replace(node, lowerLayerNorm)
    const prelus = nodesOf('PRelu')
    if (prelus.some(needsRank)) {
      inferFirst(model, 'shapes inferred, which say how slopes are meant', context)
    }
    for (const node of prelus) replace(node, lowerPrelu)
  },
})

function pluginOf(node: Node): PluginOp | undefined {
  const name = node.opType === 'Plugin' ? node.get('name', 'string') : node.opType
  return PLUGIN_OPS.find(({ plugin }) => plugin === name)
}

/** Whether it depends on the rank of a node's data, which is not known, what its slope is for. */
function needsRank(node: Node): boolean {
  const [x, slope] = node.inputs
  const isShared = slope?.dims?.length === 0 || (slope?.dims?.length ?? 0) > 1
  return x?.dims === undefined && !isShared
}

function lowerLayerNorm(node: Node, op: PluginOp, constants: Constants, context: PassContext): void {
  const fields = read(node, op, context)
  const [axis, epsilon] = [fields.number('axis'), fields.number('epsilon')]
  const old = [...node.inputs]
  const weights = weightsOf(node, op, fields)
  const [x] = node.inputs as readonly [Value]
  const shape = x.dims?.slice(axis ?? -1) ?? ((axis ?? -1) === -1 ? [null] : undefined)
  node.inputs = [x, ...weights.map((weight) => weight && normWeight(node, weight, shape, constants))]
  retype(node, op)
  if (axis !== undefined) node.set('axis', 'int', axis)
  if (epsilon !== undefined) node.set('epsilon', 'float', Math.fround(epsilon))
  sweepValues(old)
}

function lowerPrelu(node: Node, op: PluginOp, constants: Constants, context: PassContext): void {
  const fields = read(node, op, context)
  const [x] = node.inputs as readonly [Value]
  const [given] = weightsOf(node, op, fields)
  const isField = fields.numbers('slope') !== undefined
  if (given === undefined) throw invalid(node, 'it has no slope')
  const rank = x.dims?.length
  const [size] = given.dims ?? []
  let slope = given
  if (given.dims?.length === 1 && typeof size === 'number' && size !== 1) {
    if (rank === undefined) throw invalid(node, `the rank of "${x.name}" is not known`, 'run infer-shapes first')
    const meaning = slopeMeaning(given.dims, x.dims as readonly Dim[])
    // The plugin goes by channel where that fits, but for an input that ONNX's broadcasting fits too (prelu/README.md).
    const isByChannel = isField || meaning === 'channel' || (meaning === 'unknown' && x.dims?.[1] === size)
    if (rank > 2 && isByChannel) slope = reshaped(node, given, byChannel(size, rank), constants)
  }
  node.inputs = [x, slope]
  sweepValues([given])
  retype(node, op)
}

/** Says what is lost, and keeps what is needed. */
function read(node: Node, op: PluginOp, context: PassContext): PluginFields {
  const fields = new PluginFields(node)
  const unknown = fields.unknown([...op.shared, ...op.weights, 'outputs'])
  if (unknown.length > 0) context.note(`${node}: ${op.plugin} has no ${unknown.join(', ')}, and nor has ${op.opType}`)
  return fields
}

/** Weights in the plugin's order; those that are fields become constants of the type of the data. */
function weightsOf(node: Node, { weights }: PluginOp, fields: PluginFields): (Value | undefined)[] {
  const [x, ...rest] = node.inputs as readonly [Value, ...(Value | undefined)[]]
  return weights.map((name) => {
    const values = fields.numbers(name)
    if (values === undefined) return rest.shift()
    return addConstant(node.graph, floatTensor(x.type, values), `${node.name || node.opType}_${name}`)
  })
}

/** LayerNormalization wants the shape that is normalized over, where the plugin counts elements. */
function normWeight(node: Node, weight: Value, shape: readonly Dim[] | undefined, constants: Constants): Value {
  const { dims } = weight
  if (dims === undefined || shape === undefined || dims.length === shape.length) return weight
  const count = dims.every((size) => typeof size === 'number') ? elementCount(dims as number[]) : undefined
  const wanted = shape.length === 1 && count !== undefined ? [count] : shape
  if (!wanted.every((size) => typeof size === 'number') || elementCount(wanted as number[]) !== count) {
    throw invalid(
      node,
      `"${weight.name}" [${dims}] is not what is normalized over, [${shape.map((size) => size ?? '?')}]`,
    )
  }
  return reshaped(node, weight, wanted as number[], constants)
}

function reshaped({ graph }: Node, value: Value, dims: readonly number[], constants: Constants): Value {
  const tensor = constants.of(value)
  if (tensor !== undefined) {
    return addConstant(graph, { type: tensor.type, dims, data: tensor.bytes() }, value.name)
  }
  const shape = addConstant(graph, int64s(dims), `${value.name}_shape`)
  return graph.addNode({ opType: 'Reshape', inputs: [value, shape] }).outputs[0] as Value
}

function retype(node: Node, { opType, shared }: PluginOp): void {
  node.opType = opType
  node.domain = ''
  for (const { name } of node.attributes) if (!shared.includes(name)) node.delete(name)
}

function invalid(node: Node, reason: string, hint?: string): TrtError {
  return new TrtError('INVALID_MODEL', `lower-plugins: ${node} cannot be replaced: ${reason}`, { hint })
}
