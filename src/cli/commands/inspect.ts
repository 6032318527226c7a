import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { EngineKind } from '../../backends/recognise-engine.js'
import { inspectModel, type ModelInfo } from '../../onnx/index.js'
import { define } from '../command.js'
import { formatBytes, plural } from '../format.js'
import type { CliIo } from '../io.js'
import { recogniseFile } from '../recognise-file.js'
import { valueRows } from '../values.js'

const EXAMPLES = [
  ['inspect model.onnx', 'opsets, inputs and outputs, ops, weights'],
  ['inspect model.engine', 'which TensorRT made it, and for what; needs no GPU'],
] as const

/** Ops beyond these are added up in one line. */
const MOST_OPS = 12

/** `tensorrt-node inspect FILE`. */
export function registerInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('Say what is in an ONNX model or an engine')
    .argument('<file>', 'a model or an engine; recognised by its content')
  define(command, EXAMPLES, inspect)
}

async function inspect(io: CliIo, path: string): Promise<undefined> {
  const { file, bytes } = await recogniseFile(path)
  if (file.kind === 'onnx') reportModel(io, path, await inspectModel({ path }))
  else reportPlan(io, path, file, bytes)
  return undefined
}

function reportModel(io: CliIo, path: string, model: ModelInfo): void {
  const opsets = Object.entries(model.opsets).map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`)
  const ops = Object.entries(model.ops)
  const rest = ops.slice(MOST_OPS)
  io.print(`${io.color.bold(path)}  ONNX model, ${formatBytes(model.sizeBytes)}`)
  io.print()
  io.fields([
    ['IR version', String(model.irVersion)],
    ['opsets', opsets.join(', ')],
    ['producer', model.producer || '(not said)'],
    ['graph', model.graphName || '(no name)'],
    ['parameters', formatCount(model.parameters)],
    ['types', model.tensorTypes.join(', ')],
    ['external data', externalText(model)],
  ])
  io.print()
  io.table(valueRows(model.inputs, model.outputs))
  io.print()
  io.print(`  ${plural(model.nodeCount, 'node')}`)
  io.table(
    ops.slice(0, MOST_OPS).map(([op, count]) => [String(count), op]),
    { indent: 4, right: [0] },
  )
  if (rest.length > 0) {
    const count = rest.reduce((sum, [, nodes]) => sum + nodes, 0)
    io.print(`    ${io.color.dim(`and ${count} of ${plural(rest.length, 'other op')}: ${rest.map(([op]) => op).join(', ')}`)}`)
  }
  io.result({ file: resolve(path), kind: 'onnx', ...model })
}

function reportPlan(io: CliIo, path: string, file: EngineKind, bytes: number): void {
  io.print(`${io.color.bold(path)}  ${file.kind}, ${formatBytes(bytes)}`)
}

function externalText({ externalFiles }: ModelInfo): string {
  return externalFiles.length === 0 ? 'none' : plural(externalFiles.length, 'tensor')
}

/** `4,712,345`. */
function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}
