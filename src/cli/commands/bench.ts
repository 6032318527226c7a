import { basename, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { buildEngine } from '../../api/build-engine.js'
import type { Engine } from '../../api/engine.js'
import { loadEngine } from '../../api/load-engine.js'
import { recogniseFile } from '../../backends/recognise-file.js'
import { writeFileAtomic } from '../../files.js'
import { inspectModel } from '../../onnx/index.js'
import type { BackendName } from '../../options.js'
import { BENCH_DEFAULTS, type BenchReport, bench, type Distribution } from '../../service/bench.js'
import { benchPage } from '../../service/bench-page.js'
import type { Tensor } from '../../tensor.js'
import { collect, integer } from '../build-flags.js'
import { define, UsageError } from '../command.js'
import { type FeedFlags, type InputSpec, makeFeeds } from '../feeds.js'
import { formatShape } from '../format.js'
import type { CliIo } from '../io.js'
import { type LogFlags, makeLogger, verboseOption } from '../logging.js'
import { ProgressLine } from '../progress.js'

interface Flags extends FeedFlags, LogFlags {
  batch?: number
  compare: readonly string[]
  warmUp: number
  duration: number
  iterations: number
  concurrency: number
  contexts?: number
  cudaGraphs?: boolean
  backend: 'auto' | BackendName
  device: number
  tensorrt?: string
  plugins?: readonly string[]
  html?: string
}

const BACKENDS: readonly string[] = ['tensorrt', 'tensorrt-rtx', 'onnxruntime']

const EXAMPLES = [
  ['bench model.engine', 'throughput and latencies of one call at a time'],
  ['bench model.engine --contexts 4 --concurrency 8 --batch 4 --duration 10', 'under load'],
  ['bench fp32.engine --compare fp16.engine --compare int8.engine', 'in turns, with ratios to the first'],
  ['bench model.onnx --backend tensorrt --compare onnxruntime', 'a model, built for each backend first'],
  ['bench model.engine --html bench.html', 'a page to look at; --json for scripts'],
] as const

const BENCH_HELP = `
What is measured:
  Callers call again as soon as they are answered. Latency is what a caller sees,
  from the call to the results. H2D, compute, D2H and enqueue are as trtexec has them,
  where the backend measures them: on a GPU. Inputs are random, or files: see
  tensorrt-node run --help. What is compared is measured in turns.`

/** `tensorrt-node bench FILE`. */
export function registerBench(program: Command): void {
  const command = program
    .command('bench')
    .description('Measure how fast an engine or a model is, and compare several')
    .argument('<file>', 'an engine, or an ONNX model, which is built first')
    .option(
      '--compare <file>',
      'measure this one too, in turns: an engine, a model, or a backend to build the model for; repeat for more',
      collect,
      [],
    )
    .optionsGroup('Inputs:')
    .option('-i, --input <name=file>', 'a .npy or .json file for an input; repeat for more', collect)
    .option('--shapes <list>', "shapes of random inputs, e.g. 'images:8x3x224x224'", collect)
    .option('--batch <n>', 'dimension 0 of random inputs whose shape is not given', integer(1, 2 ** 31 - 1))
    .option('--range <name=low..high>', 'values of a random input, e.g. images=-1..1', collect)
    .option('--seed <n>', 'seed of random inputs', integer(0, Number.MAX_SAFE_INTEGER), 0)
    .optionsGroup('Measuring:')
    .option('--warm-up <ms>', 'milliseconds that do not count', integer(0, 1e9), BENCH_DEFAULTS.warmUpMs)
    .option('--duration <s>', 'seconds to measure', seconds, BENCH_DEFAULTS.durationMs / 1000)
    .option('-n, --iterations <n>', 'the fewest inferences', integer(1, 1e9), BENCH_DEFAULTS.iterations)
    .option('--concurrency <n>', 'calls in flight', integer(1, 2 ** 16), BENCH_DEFAULTS.concurrency)
    .optionsGroup('Where it runs:')
    .addOption(
      new Option('--backend <name>', 'what a model is built for').choices(['auto', ...BACKENDS]).default('auto'),
    )
    .option('--contexts <n>', 'execution contexts, each with a stream of its own', integer(1, 1024))
    .option('--cuda-graphs', "hand over the engine's work as one graph; see LoadOptions.cudaGraphs")
    .option('--device <n>', 'the CUDA device', integer(0, 2 ** 31 - 1), 0)
    .option('--tensorrt <dir>', 'a folder that holds TensorRT, searched before all others')
    .option('--plugins <library>', "a library of plugins that it needs, or 'builtin'; repeat for more", collect)
    .optionsGroup('Options:')
    .option('--html <file>', 'write a page with the figures and plots')
    .addOption(verboseOption())
    .addHelpText('after', BENCH_HELP)
  define(command, EXAMPLES, run)
}

async function run(io: CliIo, path: string, flags: Flags): Promise<undefined> {
  const engines: Record<string, Engine> = {}
  try {
    let feeds: Record<string, Tensor> | undefined
    for (const { name, file, backend } of await subjects(path, flags)) {
      const { kind } = (await recogniseFile(file)).file
      // One after the other, and all with the inputs of the first.
      if (kind === 'onnx') {
        feeds ??= await feedsFor(await modelInputs(file, flags), flags)
        engines[name] = await buildAndLoad(io, file, backend, feeds, flags)
      } else {
        const engine = await loadEngine(file, { ...common(io, flags), ...loading(flags), backend })
        engines[name] = engine
        feeds ??= await feedsFor(engineInputs(engine, flags), flags)
      }
    }
    const reports = await measure(io, engines, feeds ?? {}, flags)
    await report(io, engines, reports, feeds ?? {}, flags)
  } finally {
    await Promise.all(Object.values(engines).map((engine) => engine.close()))
  }
  return undefined
}

interface Subject {
  /** What reports call it by. */
  readonly name: string
  readonly file: string
  readonly backend: 'auto' | BackendName
}

/** What is to be measured; a backend stands for the first file, built for it. */
async function subjects(path: string, { backend, compare }: Flags): Promise<Subject[]> {
  const named = compare.some((other) => BACKENDS.includes(other))
  if (named && (await recogniseFile(path)).file.kind !== 'onnx') {
    throw new UsageError('--compare with a backend needs a model that can be built for it', 'bench model.onnx')
  }
  const first: Subject = { name: named ? `${basename(path)}, ${backend}` : basename(path), file: path, backend }
  const others = compare.map((other): Subject => {
    if (!BACKENDS.includes(other)) return { name: basename(other), file: other, backend: 'auto' }
    return { name: `${basename(path)}, ${other}`, file: path, backend: other as BackendName }
  })
  const all = [first, ...others]
  // Two of one name, say from two folders, are numbered in their order.
  return all.map((subject, at) => {
    const before = all.slice(0, at).filter(({ name }) => name === subject.name).length
    return before === 0 ? subject : { ...subject, name: `${subject.name} (${before + 1})` }
  })
}

async function modelInputs(path: string, { batch }: Flags): Promise<InputSpec[]> {
  const { inputs } = await inspectModel({ path })
  return inputs.map(({ name, type, dims }) => ({
    name,
    type,
    dims: dims?.map((dim, axis) => (axis === 0 && typeof dim !== 'number' ? (batch ?? dim) : dim)),
  }))
}

function engineInputs({ inputs, profiles: [profile = {}] }: Engine, { batch }: Flags): InputSpec[] {
  return inputs.map(({ name, type, shape }) => ({
    name,
    type,
    dims: shape.map((dim) => (dim < 0 ? null : dim)),
    fallback: profile[name]?.opt.map((dim, axis) => (axis === 0 ? (batch ?? dim) : dim)),
  }))
}

async function feedsFor(inputs: readonly InputSpec[], flags: Flags): Promise<Record<string, Tensor>> {
  const fixed = inputs.find(({ dims }) => typeof dims?.[0] === 'number' && dims[0] !== flags.batch)
  if (flags.batch !== undefined && fixed !== undefined) {
    throw new UsageError(`--batch: dimension 0 of the input "${fixed.name}" is fixed to ${fixed.dims?.[0]}`)
  }
  const feeds = await makeFeeds(inputs, flags)
  return Object.fromEntries([...feeds].map(([name, { tensor }]) => [name, tensor]))
}

/** Builds a model for exactly the shapes that will be fed, and loads it from memory. */
async function buildAndLoad(
  io: CliIo,
  onnx: string,
  backend: Subject['backend'],
  feeds: Record<string, Tensor>,
  flags: Flags,
): Promise<Engine> {
  const progress = new ProgressLine(io, `building ${basename(onnx)}`)
  try {
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
    const options = common(io, flags)
    const built = await buildEngine({ onnx, shapes, backend, ...options, onProgress: progress.update })
    for (const warning of built.warnings) io.warn(warning)
    return await loadEngine(built.plan, { ...options, ...loading(flags) })
  } finally {
    progress.stop()
  }
}

function loading({ device, contexts, cudaGraphs }: Flags) {
  return { device, ...(contexts !== undefined && { contexts }), ...(cudaGraphs !== undefined && { cudaGraphs }) }
}

function common(io: CliIo, { tensorrt, plugins, verbose }: Flags) {
  const logger = makeLogger(io, verbose)
  return {
    signal: io.signal,
    ...(tensorrt !== undefined && { tensorrt }),
    ...(plugins !== undefined && { plugins }),
    ...(logger !== undefined && { logger }),
  }
}

async function measure(
  io: CliIo,
  engines: Record<string, Engine>,
  feeds: Record<string, Tensor>,
  { warmUp, duration, iterations, concurrency }: Flags,
): Promise<BenchReport[]> {
  const progress = new ProgressLine(io, 'measuring')
  try {
    return await bench(engines, {
      feeds,
      warmUpMs: warmUp,
      durationMs: duration * 1000,
      iterations,
      concurrency,
      signal: io.signal,
      onProgress: (fraction) => progress.show('', fraction * 1000, 1000),
    })
  } finally {
    progress.stop()
  }
}

async function report(
  io: CliIo,
  engines: Record<string, Engine>,
  reports: readonly BenchReport[],
  feeds: Record<string, Tensor>,
  { concurrency, html }: Flags,
): Promise<void> {
  const inputs = Object.entries(feeds).map(([name, { type, dims }]) => ({ name, type, dims }))
  const inputText = inputs.map(({ name, type, dims }) => `${name} ${type} ${formatShape(dims)}`).join(', ')
  const engineText = ({ name }: BenchReport): string => {
    const { backend, version, precision } = engines[name] as Engine
    return `${backend} ${version}, ${precision}`
  }
  if (html !== undefined) {
    const about = [
      ...reports.map((one) => `${one.name}: ${engineText(one)}`),
      `inputs: ${inputText}`,
      `calls in flight: ${concurrency}`,
    ]
    await writeFileAtomic(html, Buffer.from(benchPage(reports, about)))
    io.note(`wrote ${html}`)
  }
  for (const one of reports) {
    for (const warning of one.warnings) io.warn(reports.length > 1 ? `${one.name}: ${warning}` : warning)
    print(io, one, engineText(one))
  }
  io.fields([
    ['inputs', inputText],
    ['calls in flight', String(concurrency)],
  ])
  io.result({
    inputs,
    concurrency,
    engines: reports.map(({ latencies, ...figures }) => {
      const { backend, backendReason, version, precision } = engines[figures.name] as Engine
      return { ...figures, backend, backendReason, version, precision }
    }),
    ...(html !== undefined && { html: resolve(html) }),
  })
}

function print(
  io: CliIo,
  { name, throughput, samplesPerSecond, inferences, latency, stages, ratio }: BenchReport,
  engine: string,
): void {
  io.print(`${io.color.good('✔')} ${io.color.bold(name)}  on ${engine}`)
  const samples = samplesPerSecond === throughput ? '' : `, ${samplesPerSecond.toFixed(1)} samples/s`
  io.fields([
    ['throughput', `${throughput.toFixed(1)} inferences/s${samples}  (${inferences} inferences)`],
    ...(ratio === undefined
      ? []
      : ([
          [
            'to the first',
            `throughput × ${ratio.throughput.toFixed(2)}, median × ${ratio.median.toFixed(2)}, p99 × ${ratio.p99.toFixed(2)}`,
          ],
        ] as const)),
  ])
  const row = (what: string, { min, mean, median, p90, p95, p99, max }: Distribution): string[] => [
    what,
    ...[min, mean, median, p90, p95, p99, max].map((ms) => ms.toFixed(3)),
  ]
  io.table(
    [
      row('latency', latency),
      ...(stages === undefined
        ? []
        : [
            row('H2D', stages.hostToDevice),
            row('compute', stages.compute),
            row('D2H', stages.deviceToHost),
            row('enqueue', stages.enqueue),
          ]),
    ],
    { header: ['ms', 'min', 'mean', 'median', 'p90', 'p95', 'p99', 'max'], right: [1, 2, 3, 4, 5, 6, 7] },
  )
  io.print()
}

function seconds(value: string): number {
  const number = Number(value)
  if (!/^\d+(\.\d+)?$/.test(value) || number > 1e6) throw new InvalidArgumentError('Expected a number of seconds.')
  return number
}
