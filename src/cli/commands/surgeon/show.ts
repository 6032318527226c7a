import { resolve } from 'node:path'
import type { Command } from 'commander'
import { TrtError } from '../../../errors.js'
import { type Graph, type Model, type ModelTensor, type Node, read, type Value } from '../../../onnx/index.js'
import { constantTensor } from '../../../onnx/passes/constants.js'
import { nodeSelector } from '../../../onnx/passes/select-nodes.js'
import { collect } from '../../build-flags.js'
import { define } from '../../command.js'
import { formatNumber } from '../../format.js'
import type { CliIo } from '../../io.js'

interface Flags {
  op?: readonly string[]
  node?: readonly string[]
  weights?: boolean
}

const EXAMPLES = [
  ['surgeon show model.onnx', 'the whole graph, node by node'],
  ['surgeon show model.onnx --op Conv --op PRelu', 'only nodes of these ops, with who gives and reads their values'],
  ["surgeon show model.onnx --node '/encoder/*'", 'only nodes of these names'],
  ['surgeon show model.onnx --weights', 'least, greatest and mean of every weight'],
] as const

/** `tensorrt-node surgeon show MODEL`. */
export function registerShow(surgeon: Command): void {
  const command = surgeon
    .command('show')
    .description('List the nodes and weights of a model')
    .argument('<model>', 'an ONNX model')
    .option('--op <type>', 'only nodes of this op type; repeat for more', collect)
    .option('--node <name>', 'only nodes of this name, * for any text; repeat for more', collect)
    .option('--weights', 'the weights with their statistics')
  define(command, EXAMPLES, show)
}

async function show(io: CliIo, path: string, { op, node, weights }: Flags): Promise<undefined> {
  const model = await read(path)
  if (weights) showWeights(io, path, model)
  else if (op === undefined && node === undefined && !io.json) io.print(model.print().trimEnd())
  else showNodes(io, path, model, nodeSelector({ ops: op, nodes: node }))
  return undefined
}

function showNodes(io: CliIo, path: string, model: Model, isSelected: (node: Node) => boolean): void {
  const nodes = [...model.graphs()].flatMap((graph) => graph.nodes.filter(isSelected))
  for (const node of nodes) {
    io.print(`${io.color.bold(String(node))}${placeText(node.graph)}`)
    io.fields([
      ...node.attributes
        .filter(({ graphs }) => graphs.length === 0)
        .map(({ name, value }) => [name, String(value)] as const),
      ...node.inputs.map((value, index) => [`input ${index}`, value ? sourceText(value) : 'left out'] as const),
      ...node.outputs.map((value, index) => [`output ${index}`, value ? usersText(value) : 'left out'] as const),
    ])
    io.print()
  }
  if (nodes.length === 0) io.print('no node is selected')
  io.result({ model: resolve(path), nodes: nodes.map(nodeDocument) })
}

function showWeights(io: CliIo, path: string, model: Model): void {
  const rows = [...constantsOf(model)].map(([name, tensor]) => {
    const { type, dims } = tensor
    try {
      return { name, type, dims, statistics: tensor.statistics() }
    } catch (error) {
      // Strings have none; a listing goes on.
      if (error instanceof TrtError && error.code === 'INVALID_ARGUMENT') return { name, type, dims, statistics: null }
      throw error
    }
  })
  io.table(
    rows.map(({ name, type, dims, statistics }) => [
      name,
      `${type}[${dims.join(',')}]`,
      ...(statistics === null ? [] : [statistics.min, statistics.max, statistics.mean].map(Number).map(formatNumber)),
    ]),
    { header: ['name', 'type', 'least', 'greatest', 'mean'], right: [2, 3, 4] },
  )
  io.result({ model: resolve(path), initializers: rows })
}

/** Initializers, and what Constant nodes give, which some exporters keep all weights in; of graphs inside nodes too. */
function* constantsOf(model: Model): Generator<readonly [name: string, tensor: ModelTensor]> {
  for (const graph of model.graphs()) {
    for (const tensor of graph.initializers) yield [tensor.name, tensor]
    for (const node of graph.nodes) {
      const tensor = constantTensor(node)
      if (tensor !== undefined) yield [node.outputs[0]?.name ?? '', tensor]
    }
  }
}

function placeText({ owner }: Graph): string {
  return owner === undefined ? '' : `  inside ${owner}`
}

function sourceText(value: Value): string {
  const from = value.producer ?? (value.initializer === undefined ? 'an input' : 'an initializer')
  return `${valueText(value)}, from ${from}`
}

function usersText(value: Value): string {
  const users = [...value.consumers.map(String), ...(value.isOutput ? ['an output'] : [])]
  return `${valueText(value)}, ${users.length === 0 ? 'read by nobody' : `to ${users.join(', ')}`}`
}

function valueText({ name, type, dims }: Value): string {
  if (type === 'undefined') return name
  return `${name} ${type}${dims === undefined ? '' : `[${dims.map((dim) => dim ?? '?').join(',')}]`}`
}

function nodeDocument(node: Node): object {
  const { name, opType, domain } = node
  const attributes = node.attributes
    .filter(({ graphs }) => graphs.length === 0)
    .map(({ name, type, value }) => [name, typeof value === 'object' && !Array.isArray(value) ? type : value])
  const values = (list: readonly (Value | undefined)[]) =>
    list.map((value) => value && { name: value.name, type: value.type, dims: value.dims })
  return {
    name,
    opType,
    domain,
    attributes: Object.fromEntries(attributes),
    inputs: values(node.inputs),
    outputs: values(node.outputs),
  }
}
