/**
 * Which nodes have to stay in float32? Converts a model with one set of them after the other, runs each, and looks for a
 * smallest set that is enough.
 *
 * Without a GPU the conversion is emulated: onnxruntime's CPU computes float16 in float32, which hides what overflows, so
 * the model stays float32 and every value that would be of the smaller type is rounded to it (`emulate` of
 * convert-precision). A quantised model needs no emulation: onnxruntime computes QuantizeLinear and DequantizeLinear as they
 * are written, where its own rewrites are switched off.
 *
 * Suspects come first. One comparison of all layers tells where the noise grows: what a node's outputs have of it, against
 * what came in. Rejected, by the share of the error that is left when suspects stay, one seed each on five models
 * (PP-OCRv4's and v6's recognition, v4's and v2's classification, v6's detection): the noise that a node adds (10 % of the
 * nodes kept: 0.50 to 1.11 is left; by growth, 0.14 to 0.79), and blocks of 5 % tried by themselves (0.24 to 0.64, better
 * for v6's recognition, but 20 runs more). Growth is no help on networks of a few layers (mtcnn's: 0.91 and 1.07), where
 * the search that follows is short anyway.
 */
import type { Feeds } from '../api/engine.js'
import { TrtError } from '../errors.js'
import {
  type ConvertPrecisionOptions,
  Model,
  type Node,
  type QuantizeOptions,
  type RunnerOptions,
  read,
  run,
  type SampleOptions,
  sampleFeeds,
  type Transform,
  transform,
  type Value,
} from '../onnx/index.js'
import type { BuildOptions } from '../options.js'
import type { Tensor, TensorLike } from '../tensor.js'
import { measure } from './compare.js'
import { findCulprits } from './find-culprits.js'
import { type Lowering, loweringOf } from './lowering.js'
import { builtRunner, modelRunner } from './runner.js'
import { judge, type ParityTolerance, type ValueReport } from './tolerance.js'

/** Options of {@link bisect}. */
export interface BisectOptions {
  /** A float32 model: a path, bytes, or a model, which stays as it is. It runs on onnxruntime's CPU as the reference. */
  readonly model: string | URL | Uint8Array | Model
  /** The smaller type. Default float16. */
  readonly to?: ConvertPrecisionOptions['to']
  /** What else convert-precision is told; `keepNodes` and `keepOps` stay in float32 whatever is found. */
  readonly conversion?: Partial<Omit<ConvertPrecisionOptions, 'to' | 'emulate'>>
  /**
   * Quantises instead: options of the pass `quantize`, with `ranges` as `onnx.calibrate` gives them. `to` and `conversion` are
   * without effect then.
   */
  readonly quantization?: Partial<QuantizeOptions>
  /** Inputs, or how to make random ones. Default: random by seed 0. */
  readonly inputs?: { readonly feeds: { readonly [input: string]: TensorLike } } | SampleOptions
  /** What the outputs have to meet. Default: atol 1e-5, rtol 1e-3. */
  readonly tolerance?: ParityTolerance
  /**
   * Builds an engine for each trial, with these options, instead of emulating: on a GPU, what its own kernels compute. The
   * model carries its types, so TensorRT 10 needs `stronglyTyped: true`.
   */
  readonly build?: Omit<BuildOptions, 'onnx' | 'signal' | 'fp16' | 'bf16'>
  /** Threads of onnxruntime. */
  readonly onnxruntime?: Pick<RunnerOptions, 'threads'>
  /** Told after each trial how many there were, how many nodes of how many are known to stay, and whether it was enough. */
  readonly onProgress?: (progress: BisectProgress) => void
  readonly signal?: AbortSignal
}

/** One trial of {@link bisect}. */
export interface BisectProgress {
  readonly trials: number
  /** Nodes that it kept in float32, beside those that the conversion keeps by itself. */
  readonly kept: number
  /** Whether the model met the tolerance. */
  readonly passed: boolean
  /** Nodes known to be needed. */
  readonly found: number
}

/** What {@link bisect} found. */
export interface Bisection {
  /**
   * Names of the nodes to keep in float32, in topological order: for `keepNodes` of convert-precision, or of quantize.
   * Without any one of them the tolerance is missed.
   */
  readonly keepNodes: readonly string[]
  /**
   * The mixed-precision or quantised model that meets the tolerance. Nodes without a name, or with one of several nodes, got
   * names.
   */
  readonly model: Model
  /** Nodes of the smaller type: in {@link Bisection.model}, and where nothing had been kept for the tolerance's sake. */
  readonly nodes: { readonly converted: number; readonly convertible: number }
  /** The outputs of the mixed-precision model against the reference's. */
  readonly outputs: readonly ValueReport[]
  /** The same of the model converted without keeping these nodes. */
  readonly plain: readonly ValueReport[]
  /** Models that were converted and run, beside the comparison of all layers that comes first. */
  readonly trials: number
  /** The shapes of the inputs, by name. */
  readonly shapes: { readonly [input: string]: readonly number[] }
}

/**
 * Finds a smallest set of nodes to keep in float32, so that the model in float16 or bfloat16, or quantised, meets a tolerance.
 *
 * @throws {TrtError} `VERIFICATION_FAILED` where it misses the tolerance with all nodes in float32; `INVALID_ARGUMENT` where
 *   the model carries float16 or bfloat16 already, or QuantizeLinear; whatever converting, building and running throw
 * @example
 * const { keepNodes, model } = await trt.bisect({ model: 'model.onnx', inputs: { feeds }, tolerance: { rtol: 1e-2 } })
 * await model.write('mixed.onnx')
 */
export async function bisect(options: BisectOptions): Promise<Bisection> {
  const { signal, inputs = {}, onProgress } = options
  const reference = await readNamed(options.model)
  const lowering = loweringOf(options)
  const carried = lowering.carried(reference)
  if (carried !== undefined) {
    throw new TrtError('INVALID_ARGUMENT', `bisect: expected a float32 model, this one carries ${carried} already`)
  }
  const feeds = 'feeds' in inputs ? (inputs.feeds as Feeds) : sampleFeeds(reference, inputs)
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
  const expected = await run(reference, feeds, runnerOptions(options))
  const suspects = await rankNodes(reference, feeds, lowering, options)

  let outputs: readonly ValueReport[] = []
  let plain: readonly ValueReport[] | undefined
  let last = { kept: 0, passed: false }
  const found = await findCulprits(
    suspects.map(({ name }) => name),
    async (kept) => {
      const reports = await tryKeeping(lowering.transform(kept, options.build === undefined), expected, feeds, options)
      const passed = reports.every((report) => report.passed)
      plain ??= reports
      // What is found in the end is the last that was enough.
      if (passed) outputs = reports
      last = { kept: kept.length, passed }
      return passed
    },
    { signal, onProgress: (progress) => onProgress?.({ ...progress, ...last }) },
  )
  if (found === undefined) {
    throw new TrtError('VERIFICATION_FAILED', 'bisect: the tolerance is missed even with all nodes in float32', {
      hint: 'tensorrt-node compare MODEL MODEL shows what float32 itself differs by; try a wider tolerance',
    })
  }
  const kept = new Set(found.items)
  const keepNodes = suspects
    .filter(({ name }) => kept.has(name))
    .sort((a, b) => a.position - b.position)
    .map(({ name }) => name)
  const model = await readNamed(options.model)
  const nodes = { converted: lowering.nodes(model, keepNodes).length, convertible: suspects.length }
  await transform(model, [lowering.transform(keepNodes, false)], { signal })
  return { keepNodes, model, nodes, outputs, plain: plain ?? [], trials: found.trials, shapes }
}

/** A model of its own, whose nodes are told apart by their names. */
async function readNamed(source: BisectOptions['model']): Promise<Model> {
  const model = source instanceof Model ? source.copy() : await read(source)
  const seen = new Set<string>()
  for (const graph of model.graphs()) {
    for (const node of graph.nodes) {
      // Many exporters leave these without a name, and none is asked for.
      if (node.opType === 'Constant') continue
      const name = node.name || String(node.outputs[0]?.name)
      if (node.name === '' || seen.has(name)) node.name = graph.context.nodeNames.unique(name)
      seen.add(node.name)
    }
  }
  return model
}

/** How the outputs compare after a conversion. */
async function tryKeeping(
  conversion: Transform,
  expected: Readonly<Record<string, Tensor>>,
  feeds: Feeds,
  options: BisectOptions,
): Promise<readonly ValueReport[]> {
  const { build, signal, tolerance = {} } = options
  const model = await readNamed(options.model)
  await transform(model, [conversion], { signal })
  const runner =
    build === undefined
      ? modelRunner('the trial', model, runnerOptions(options))
      : await builtRunner('the trial', { ...build, onnx: model, ...(signal && { signal }) })
  try {
    const names = Object.keys(expected)
    const actual = await runner.run(feeds, names)
    return names.map((name) => judge(name, expected, actual, tolerance))
  } finally {
    await runner.close()
  }
}

function runnerOptions({ onnxruntime = {}, signal }: BisectOptions): RunnerOptions {
  return { ...onnxruntime, optimization: 'disabled', ...(signal && { signal }) }
}

/** A node that may have to stay, and its place in the topological order. */
interface Suspect {
  readonly name: string
  readonly position: number
  /** Its noise-to-signal ratio, as a multiple of its inputs'. */
  readonly growth: number
}

/** Noise that goes in is taken to be this at least: -80 dB, about what rounding to float16 makes. */
const LEAST_NOISE = 1e-8

/** The nodes that the conversion would convert, those first where values overflow or the noise grows most. */
async function rankNodes(
  reference: Model,
  feeds: Feeds,
  lowering: Lowering,
  options: BisectOptions,
): Promise<Suspect[]> {
  const { onnxruntime = {}, signal } = options
  const plain = await readNamed(options.model)
  const low = new Set(lowering.nodes(plain, []))
  const order = [...plain.graphs()].flatMap(({ nodes }) => nodes)
  const nodes = order.flatMap(({ name, inputs, outputs }, position) =>
    low.has(order[position] as Node) ? [{ name, position, inputs: namesOf(inputs), outputs: namesOf(outputs) }] : [],
  )
  await transform(plain, [lowering.transform([], true)], { signal })
  const { candidates } = await measure({
    model: reference,
    candidates: { plain },
    inputs: { feeds },
    layers: true,
    onnxruntime: { ...onnxruntime, optimization: 'disabled' },
    ...(signal && { signal }),
  })
  const reports = new Map(candidates.flatMap(({ layers, outputs }) => [...layers, ...outputs]).map((r) => [r.name, r]))
  const found = (names: readonly string[]) => names.flatMap((name) => reports.get(name) ?? [])
  const noise = (names: readonly string[]) =>
    Math.max(0, ...found(names).map(({ snr }) => Math.min(1, 10 ** (-snr / 10))))
  const suspects = nodes.map(({ name, position, inputs, outputs }) => {
    const overflows = found([...inputs, ...outputs]).some(({ range }) =>
      range.some((end) => Math.abs(end) > lowering.greatest),
    )
    const growth = overflows ? Number.POSITIVE_INFINITY : noise(outputs) / Math.max(LEAST_NOISE, noise(inputs))
    return { name, position, growth }
  })
  return suspects.sort((a, b) => (a.growth === b.growth ? a.position - b.position : b.growth - a.growth))
}

function namesOf(values: readonly (Value | undefined)[]): string[] {
  return values.flatMap((value) => value?.name ?? [])
}
