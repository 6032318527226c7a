import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { loadEngine } from '../../api/load-engine.js'
import { type PlanManifest, readManifest, verifyPlan } from '../../api/manifest.js'
import type { LayerInfo } from '../../backends/backend.js'
import { unpackEngine } from '../../backends/onnxruntime/engine-file.js'
import { type FileKind, recogniseFile } from '../../backends/recognise-file.js'
import { readError } from '../../files.js'
import { inspectModel, type ModelInfo } from '../../onnx/index.js'
import { isCached, type Manifest } from '../../service/manifest.js'
import { define } from '../command.js'
import { formatBytes, formatDuration, plural } from '../format.js'
import type { CliIo } from '../io.js'
import { assumptionText } from '../repair-report.js'
import { profileRows, valueRows } from '../values.js'

const EXAMPLES = [
  ['inspect model.onnx', 'opsets, inputs and outputs, ops, weights'],
  ['inspect model.engine', 'which TensorRT made it, and for what; needs no GPU'],
  ['inspect model.engine --layers', 'what TensorRT made of the model; needs one'],
  [
    'inspect ~/.cache/tensorrt-node/engines/KEY.engine',
    'a plan with a manifest: what it was built from, and whether it is whole',
  ],
] as const

interface Flags {
  layers?: boolean
  tensorrt?: string
}

type Plan = Extract<FileKind, { readonly version: string }>

/** Ops beyond these are added up in one line. */
const MOST_OPS = 12

/** `tensorrt-node inspect FILE`. */
export function registerInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('Say what is in an ONNX model or an engine')
    .argument('<file>', 'a model or an engine; recognised by its content')
    .option(
      '--layers',
      'load a plan, on a GPU that it is for, and list its layers; as much as profilingVerbosity kept of them',
    )
    .option('--tensorrt <dir>', 'with --layers: a folder that holds TensorRT, searched before all others')
  define(command, EXAMPLES, inspect)
}

async function inspect(io: CliIo, path: string, flags: Flags): Promise<undefined> {
  const { file, bytes } = await recogniseFile(path)
  switch (file.kind) {
    case 'onnx':
      reportModel(io, path, await inspectModel({ path }))
      break
    case 'onnxruntime':
      await reportCpuEngine(io, path, bytes)
      break
    default:
      await reportPlan(io, path, file, bytes, flags)
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
  const manifest = await checkedManifest(io, path)
  io.print(`${io.color.bold(path)}  engine of the CPU backend, ${formatBytes(bytes)}`)
  io.print()
  io.fields([
    ['built with', `onnxruntime-node ${onnxruntime}`],
    ['runs on', 'the CPU; no TensorRT can load it'],
    ['precision', precision],
    ['options', optionsText(settings)],
    [
      'model',
      `${modelName ?? '(given as bytes)'}, ${formatBytes(model.byteLength + externalBytes)}, whole and undamaged`,
    ],
    ['SHA-256', modelSha256],
    ...(manifest === undefined ? [] : manifestRows(manifest).filter(([label]) => /^(plan|built|assumed)/.test(label))),
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
    ...(manifest && { manifest }),
  })
}

/** Only a GPU reads a plan, so its inputs and outputs are unknown here unless a manifest says them. */
async function reportPlan(io: CliIo, path: string, plan: Plan, bytes: number, flags: Flags): Promise<void> {
  const { kind, version } = plan
  const layers = flags.layers ? await readLayers(path, flags) : undefined
  const manifest = await checkedManifest(io, path)
  const targets = kind === 'tensorrt-rtx' ? { computeCapabilities: plan.computeCapabilities } : {}
  const library = kind === 'tensorrt-rtx' ? 'TensorRT-RTX' : 'TensorRT'
  io.print(`${io.color.bold(path)}  ${library} plan, ${formatBytes(bytes)}`)
  io.print()
  io.fields([
    ['made by', `${library} ${version}`],
    ['runs on', gpuText(targets.computeCapabilities)],
    ...(manifest === undefined
      ? ([['inputs', `can be read on such a GPU only: tensorrt-node run ${path}`]] as const)
      : manifestRows(manifest)),
  ])
  if (manifest !== undefined) {
    io.print()
    io.table(valueRows(manifest.inputs, manifest.outputs))
    io.print()
    io.table(profileRows(manifest.profiles))
  }
  if (layers !== undefined) {
    io.print()
    io.print(`  ${plural(layers.length, 'layer')}`)
    io.table(layers.map(({ name, details }) => [String(details?.LayerType ?? ''), name]))
  }
  io.result({
    file: resolve(path),
    kind,
    bytes,
    version,
    ...targets,
    ...(manifest && { manifest }),
    ...(layers && { layers }),
  })
}

/** @throws {TrtError} what `loadEngine` and `engine.layers` throw, `GPU_NOT_FOUND` among it */
async function readLayers(path: string, { tensorrt }: Flags): Promise<readonly LayerInfo[]> {
  const engine = await loadEngine(path, tensorrt === undefined ? {} : { tensorrt })
  try {
    return await engine.layers()
  } finally {
    await engine.close()
  }
}

/**
 * The manifest beside a plan, and the plan is what it says.
 *
 * @throws {TrtError} `INVALID_ENGINE` where the plan is not
 */
async function checkedManifest(io: CliIo, path: string): Promise<PlanManifest | undefined> {
  const manifest = await readManifest(path)
  if (manifest === undefined) return undefined
  await verifyPlan(path, manifest, io.signal)
  for (const warning of manifest.warnings) io.warn(warning)
  return manifest
}

function manifestRows(manifest: PlanManifest): [string, string][] {
  const { plan, precision, builtAt, durationMs, packageVersion, assumptions = [] } = manifest
  const cached = isCached(manifest) ? manifest : undefined
  const gpu = cached?.gpu == null ? '' : `, on a GPU of compute capability ${cached.gpu}`
  return [
    ['precision', precision],
    ...(cached === undefined ? [] : modelRows(cached)),
    ...assumptions.map((assumption): [string, string] => ['assumed', assumptionText(assumption)]),
    ['plan SHA-256', `${plan.sha256}, as it was built: whole and undamaged`],
    ['built', `${builtAt} in ${formatDuration(durationMs)}${gpu}, by tensorrt-node ${packageVersion}`],
  ]
}

function modelRows({ model, options }: Manifest): [string, string][] {
  const files = plural(model.externalData.length, 'file')
  return [
    ['options', optionsText(options)],
    [
      'model',
      `${model.name ?? '(given as bytes)'}${model.externalData.length === 0 ? '' : ` and ${files} of weights`}`,
    ],
    ['model SHA-256', model.sha256],
  ]
}

function optionsText(options: object): string {
  const texts = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return texts.join(', ') || 'none'
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
