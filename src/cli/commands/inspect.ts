import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { unpackEngine } from '../../backends/onnxruntime/engine-file.js'
import { type FileKind, recogniseFile } from '../../backends/recognise-file.js'
import { readError } from '../../files.js'
import { inspectModel, type ModelInfo } from '../../onnx/index.js'
import { define } from '../command.js'
import { formatBytes, plural } from '../format.js'
import type { CliIo } from '../io.js'
import { profileRows, valueRows } from '../values.js'

const EXAMPLES = [
  ['inspect model.onnx', 'opsets, inputs and outputs, ops, weights'],
  ['inspect model.engine', 'which TensorRT made it, and for what; needs no GPU'],
] as const

type Plan = Extract<FileKind, { readonly version: string }>

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
  switch (file.kind) {
    case 'onnx':
      reportModel(io, path, await inspectModel({ path }))
      break
    case 'onnxruntime':
      await reportCpuEngine(io, path, bytes)
      break
    default:
      reportPlan(io, path, file, bytes)
  }
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
  io.table(valueRows(model.inputs, model.outputs, { symbols: true }))
  io.print()
  io.print(`  ${plural(model.nodeCount, 'node')}`)
  io.table(
    ops.slice(0, MOST_OPS).map(([op, count]) => [String(count), op]),
    { indent: 4, right: [0] },
  )
  if (rest.length > 0) {
    const count = rest.reduce((sum, [, nodes]) => sum + nodes, 0)
    io.print(
      `    ${io.color.dim(`and ${count} of ${plural(rest.length, 'other op')}: ${rest.map(([op]) => op).join(', ')}`)}`,
    )
  }
  io.result({ file: resolve(path), kind: 'onnx', ...model })
}

/** Reads the whole file, for its checksum tells a sound one from a damaged one. */
async function reportCpuEngine(io: CliIo, path: string, bytes: number): Promise<void> {
  const content = await readFile(path).catch((error: unknown) => {
    throw readError(path, error)
  })
  const { header, model, external } = unpackEngine(content, path)
  const { onnxruntime, modelName, modelSha256, precision, settings, profiles, inputs, outputs } = header
  const externalBytes = [...external.values()].reduce((sum, part) => sum + part.byteLength, 0)
  const options = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  io.print(`${io.color.bold(path)}  engine of the CPU backend, ${formatBytes(bytes)}`)
  io.print()
  io.fields([
    ['built with', `onnxruntime-node ${onnxruntime}`],
    ['runs on', 'the CPU; no TensorRT can load it'],
    ['precision', precision],
    ['options', options.join(', ') || 'none'],
    [
      'model',
      `${modelName ?? '(given as bytes)'}, ${formatBytes(model.byteLength + externalBytes)}, whole and undamaged`,
    ],
    ['SHA-256', modelSha256],
  ])
  io.print()
  io.table(valueRows(inputs, outputs))
  io.print()
  io.table(profileRows(profiles))
  io.result({
    file: resolve(path),
    kind: 'onnxruntime',
    bytes,
    version: onnxruntime,
    modelName,
    modelSha256,
    modelBytes: model.byteLength,
    externalBytes,
    precision,
    settings,
    inputs,
    outputs,
    profiles,
  })
}

/** Only a GPU reads a plan, so its inputs and outputs stay unknown here. */
function reportPlan(io: CliIo, path: string, plan: Plan, bytes: number): void {
  const { kind, version } = plan
  const targets = kind === 'tensorrt-rtx' ? { computeCapabilities: plan.computeCapabilities } : {}
  const library = kind === 'tensorrt-rtx' ? 'TensorRT-RTX' : 'TensorRT'
  io.print(`${io.color.bold(path)}  ${library} plan, ${formatBytes(bytes)}`)
  io.print()
  io.fields([
    ['made by', `${library} ${version}`],
    ['runs on', gpuText(targets.computeCapabilities)],
    ['inputs', `can be read on such a GPU only: tensorrt-node run ${path}`],
  ])
  io.result({ file: resolve(path), kind, bytes, version, ...targets })
}

/** TensorRT's own plans do not say in a place that is known. */
function gpuText(computeCapabilities: readonly string[] = []): string {
  return computeCapabilities.length === 0
    ? 'the kind of GPU that it was built on'
    : `GPUs of compute capability ${computeCapabilities.join(', ')}`
}

function externalText({ externalFiles }: ModelInfo): string {
  return externalFiles.length === 0 ? 'none' : plural(externalFiles.length, 'tensor')
}

/** `4,712,345`. */
function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}
