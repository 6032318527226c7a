import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { buildEngine } from '../../api/build-engine.js'
import type { Engine, Results } from '../../api/engine.js'
import { loadEngine } from '../../api/load-engine.js'
import { recogniseFile } from '../../backends/recognise-file.js'
import { messageOf, TrtError } from '../../errors.js'
import { writeNpyFile } from '../../npy/tensor-files.js'
import { inspectModel } from '../../onnx/index.js'
import type { BuildOptions } from '../../options.js'
import { collect, integer } from '../build-flags.js'
import { define } from '../command.js'
import { addFeedFlags, type Feed, type FeedFlags, makeFeeds } from '../feeds.js'
import { formatDuration, formatNumber, formatShape } from '../format.js'
import type { CliIo } from '../io.js'
import { type LogFlags, makeLogger, verboseOption } from '../logging.js'
import { outputFileNames } from '../output-names.js'
import { ProgressLine } from '../progress.js'
import { type Latency, summarise, summariseLatency, topValues } from '../statistics.js'

interface Flags extends FeedFlags, LogFlags {
  outputDir?: string
  top: number
  iterations: number
  backend: BuildOptions['backend']
  device: number
  tensorrt?: string
  plugins?: readonly string[]
}

const EXAMPLES = [
  ['run model.engine', 'with random inputs, and say what comes out'],
  ['run model.engine --input images=cat.npy --output-dir out', 'with real ones; outputs as .npy files'],
  ["run model.onnx --shapes 'images:1x3x224x224' --top 5", 'an ONNX model is built first, in memory'],
  ['run model.engine --iterations 100 --json', 'latencies, for scripts'],
] as const

const INPUTS_HELP = `
How inputs are given:
  NAME=FILE is a .npy file or JSON: nested arrays, or {"type","dims","data"}.
  With one input, NAME= may be left out. Inputs without a file are random: floats
  in [0, 1), integers 0 or 1, or as --range says; the same seed gives the same
  values everywhere. Dynamic inputs take --shapes, else the engine's best shapes.`

const FIRST_VALUES = 4

/** `tensorrt-node run ENGINE_OR_MODEL`. */
export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .description('Infer with an engine, or with an ONNX model that is built first')
    .argument('<file>', 'an engine or an ONNX model')
  addFeedFlags(command)
    .optionsGroup('Outputs:')
    .option('-o, --output-dir <dir>', 'write each output there, as NAME.npy')
    .option('--top <k>', 'the largest values of each output, and where they are', integer(0, 10_000), 0)
    .option('-n, --iterations <n>', 'infer so many times, and give latencies', integer(1, 1_000_000), 1)
    .optionsGroup('Where it runs:')
    .addOption(
      new Option('--backend <name>', 'what a model is built for')
        .choices(['auto', 'tensorrt', 'tensorrt-rtx', 'onnxruntime'])
        .default('auto'),
    )
    .option('--device <n>', 'the CUDA device', integer(0, 2 ** 31 - 1), 0)
    .option('--tensorrt <dir>', 'a folder that holds TensorRT, searched before all others')
    .option('--plugins <library>', "a library of plugins that it needs, or 'builtin'; repeat for more", collect)
    .optionsGroup('Options:')
    .addOption(verboseOption())
    .addHelpText('after', INPUTS_HELP)
  define(command, EXAMPLES, run)
}

async function run(io: CliIo, path: string, flags: Flags): Promise<undefined> {
  const { file } = await recogniseFile(path)
  const prepared = file.kind === 'onnx' ? await prepareModel(io, path, flags) : await prepareEngine(io, path, flags)
  const { engine, feeds } = prepared
  try {
    const { results, times } = await inferAll(io, engine, feeds, flags.iterations)
    const files = flags.outputDir === undefined ? undefined : await save(results, flags.outputDir)
    report(io, path, prepared, results, summariseLatency(times), files, flags)
  } finally {
    await engine.close()
  }
  return undefined
}

interface Prepared {
  readonly engine: Engine
  /** Why this backend. */
  readonly reason: string
  readonly feeds: ReadonlyMap<string, Feed>
  readonly warnings: readonly string[]
  /** Undefined for an engine file. */
  readonly buildMs: number | undefined
  readonly loadMs: number
}

/** Builds an ONNX model for exactly the shapes that will be fed, and loads it from memory. */
async function prepareModel(io: CliIo, path: string, flags: Flags): Promise<Prepared> {
  const { inputs } = await inspectModel({ path })
  const feeds = await makeFeeds(inputs, flags)
  const progress = new ProgressLine(io, 'building')
  try {
    const built = await buildEngine({
      onnx: path,
      shapes: Object.fromEntries([...feeds].map(([name, { tensor }]) => [name, tensor.dims])),
      ...common(io, flags),
      onProgress: progress.update,
    })
    const { engine, loadMs } = await load(io, built.plan, { ...flags, backend: 'auto' })
    const { backendReason: reason, warnings, durationMs: buildMs } = built
    return { engine, reason, feeds, warnings, buildMs, loadMs }
  } finally {
    progress.stop()
  }
}

async function prepareEngine(io: CliIo, path: string, flags: Flags): Promise<Prepared> {
  const { engine, loadMs } = await load(io, path, flags)
  try {
    const [profile = {}] = engine.profiles
    const inputs = engine.inputs.map(({ name, type, shape }) => ({
      name,
      type,
      dims: shape.map((dim) => (dim < 0 ? null : dim)),
      fallback: profile[name]?.opt,
    }))
    const feeds = await makeFeeds(inputs, flags)
    return { engine, reason: engine.backendReason, feeds, warnings: [], buildMs: undefined, loadMs }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function load(io: CliIo, source: string | Uint8Array, flags: Flags): Promise<{ engine: Engine; loadMs: number }> {
  const started = performance.now()
  const engine = await loadEngine(source, { ...common(io, flags), device: flags.device })
  return { engine, loadMs: performance.now() - started }
}

function common(io: CliIo, { backend, tensorrt, plugins, verbose }: Flags) {
  const logger = makeLogger(io, verbose)
  return {
    signal: io.signal,
    ...(backend === undefined ? {} : { backend }),
    ...(tensorrt === undefined ? {} : { tensorrt }),
    ...(plugins === undefined ? {} : { plugins }),
    ...(logger === undefined ? {} : { logger }),
  }
}

async function inferAll(
  io: CliIo,
  engine: Engine,
  feeds: ReadonlyMap<string, Feed>,
  iterations: number,
): Promise<{ results: Results; times: number[] }> {
  const tensors = Object.fromEntries([...feeds].map(([name, { tensor }]) => [name, tensor]))
  const times: number[] = []
  let results: Results = {}
  for (let done = 0; done < iterations; done++) {
    if (iterations > 1) io.status(`inferring ${done + 1}/${iterations}`)
    const started = performance.now()
    results = await engine.infer(tensors, { signal: io.signal })
    times.push(performance.now() - started)
  }
  io.status('')
  return { results, times }
}

/** Writes each output as `DIR/NAME.npy`, and gives the paths by output name. */
async function save(results: Results, folder: string): Promise<Map<string, string>> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new TrtError('IO_ERROR', `could not make the folder ${folder}: ${messageOf(error)}`, {
      hint: 'name a folder that you may write to: --output-dir out',
      cause: error,
    })
  })
  const files = new Map<string, string>()
  for (const [name, fileName] of outputFileNames(Object.keys(results))) {
    const path = join(folder, fileName)
    await writeNpyFile(path, results[name] as Results[string])
    files.set(name, path)
  }
  return files
}

function report(
  io: CliIo,
  path: string,
  { engine, reason, feeds, warnings, buildMs, loadMs }: Prepared,
  results: Results,
  latency: Latency,
  files: ReadonlyMap<string, string> | undefined,
  flags: Flags,
): void {
  for (const warning of warnings) io.warn(warning)
  const { backend, version, precision } = engine
  const outputs = Object.entries(results).map(([name, tensor]) => ({
    name,
    type: tensor.type,
    dims: tensor.dims,
    ...summarise(tensor, FIRST_VALUES),
    ...(flags.top === 0 ? {} : { top: topValues(tensor, flags.top) }),
    ...(files === undefined ? {} : { file: resolve(files.get(name) as string) }),
  }))
  const inputs = [...feeds].map(([name, { tensor, source }]) => ({
    name,
    type: tensor.type,
    dims: tensor.dims,
    source,
  }))

  io.print(`${io.color.good('✔')} ${io.color.bold(path)}  on ${backend} ${version}, ${precision}`)
  io.print()
  io.fields([
    ['why', reason],
    ['time', timeText(buildMs, loadMs, latency, flags.iterations)],
  ])
  io.print()
  io.table([
    ...inputs.map(({ name, type, dims, source }) => ['input', name, type, formatShape(dims), source]),
    ...outputs.map(({ name, type, dims }) => ['output', name, type, formatShape(dims)]),
  ])
  for (const output of outputs) {
    io.print()
    const { first, min, max, mean, notFinite, top, file } = output
    const more = results[output.name]?.size === first.length ? '' : ', …'
    const rows: [string, string][] = [['values', `[${first.map(formatNumber).join(', ')}${more}]`]]
    if (min !== undefined && max !== undefined && mean !== undefined) {
      rows.push(['min, mean, max', [min, mean, max].map(formatNumber).join('  ')])
    }
    if (notFinite > 0) rows.push(['not finite', io.color.warning(`${notFinite} elements are NaN or infinite`)])
    for (const [rank, { index, value }] of (top ?? []).entries()) {
      rows.push([rank === 0 ? `top ${flags.top}` : '', `${formatNumber(value)}  at [${index.join(', ')}]`])
    }
    if (file !== undefined) rows.push(['written to', file])
    io.print(`  ${io.color.bold(output.name)}`)
    io.fields(rows)
  }
  io.result({
    file: resolve(path),
    backend,
    backendReason: reason,
    version,
    precision,
    warnings,
    ...(buildMs === undefined ? {} : { buildMs }),
    loadMs,
    iterations: flags.iterations,
    latencyMs: latency,
    inputs,
    outputs,
  })
}

function timeText(buildMs: number | undefined, loadMs: number, latency: Latency, iterations: number): string {
  const parts = [
    `load ${formatDuration(loadMs)}`,
    `${iterations > 1 ? 'first ' : ''}inference ${formatDuration(latency.first)}`,
  ]
  if (buildMs !== undefined) parts.unshift(`build ${formatDuration(buildMs)}`)
  if (iterations > 1) {
    const { median, p99, mean } = latency
    parts.push(
      `of ${iterations}: median ${formatDuration(median)}, mean ${formatDuration(mean)}, p99 ${formatDuration(p99)}`,
    )
  }
  return parts.join(', ')
}
