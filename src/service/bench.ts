/**
 * How fast an engine is, measured and named as trtexec does where it has a name for it.
 *
 * Callers call again as soon as they are answered (a closed loop), as trtexec's streams do. Several engines are measured in
 * turns, a slice of time each, since clocks, temperature and neighbours change meanwhile: what is compared has then seen
 * the same of it.
 *
 * Latency is what a caller sees, from the call to the results, with the wait for a free context. trtexec's "Latency" is
 * H2D + compute + D2H; those three are reported where the backend measures them (by events of the GPU's stream), and with them
 * Enqueue Time, what the host takes to hand the computation over; absent where it does not, as on the CPU backend.
 */
import type { Histogram } from 'node:perf_hooks'
import type { Engine, Feeds } from '../api/engine.js'
import {
  checkOptions,
  isAbortSignal,
  isFunction,
  isInteger,
  isNumberFrom,
  isPlainObject,
  withoutUndefined,
} from '../check.js'
import { TrtError, throwIfAborted } from '../errors.js'
import { randomTensor, seededRandom } from '../npy/random.js'
import type { DataType } from '../tensor.js'

/** What a benchmark needs of an engine; a batcher over one fits too. */
export interface Benchable extends Pick<Engine, 'inputs' | 'profiles' | 'infer'> {
  readonly stats?: { readonly latency: { readonly [stage: string]: Histogram } }
}

/** Options of {@link bench}. */
export interface BenchOptions {
  /** Milliseconds of inferences that are not counted, for each engine. Default 200. */
  readonly warmUpMs?: number
  /** Milliseconds to measure, for each engine; longer where {@link iterations} need it. Default 3000. */
  readonly durationMs?: number
  /** The fewest inferences, for each engine. Default 10. */
  readonly iterations?: number
  /** Calls in flight. Default 1. */
  readonly concurrency?: number
  /** Size of dimension 0 of every random input whose shape is not given. Default: as the first profile's `opt`. */
  readonly batch?: number
  /** Shapes of random inputs. Default: the first profile's `opt`. */
  readonly shapes?: { readonly [input: string]: readonly number[] }
  /** The inputs themselves, in place of random ones. */
  readonly feeds?: Feeds
  /** Of the random inputs. Default 0. */
  readonly seed?: number
  readonly signal?: AbortSignal
  /** Told how much is done, from 0 to 1. */
  readonly onProgress?: (fraction: number) => void
}

/** The defaults of {@link BenchOptions}; those of time and number are trtexec's. */
export const BENCH_DEFAULTS = { warmUpMs: 200, durationMs: 3000, iterations: 10, concurrency: 1, seed: 0 } as const

/** Times in milliseconds. Percentiles are those of the nearest rank. */
export interface Distribution {
  readonly min: number
  readonly mean: number
  readonly median: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** Standard deviation by mean. */
  readonly variation: number
}

/** What trtexec calls H2D Latency, GPU Compute Time, D2H Latency and Enqueue Time. */
export type BenchStage = 'hostToDevice' | 'compute' | 'deviceToHost' | 'enqueue'

/** What was measured of one engine. */
export interface BenchReport {
  readonly name: string
  /** Inferences that were counted. */
  readonly inferences: number
  /** Milliseconds from the first call to the last result, the turns of other engines left out. */
  readonly wallTimeMs: number
  /** Inferences a second. */
  readonly throughput: number
  /** Samples a second: throughput by dimension 0 of the first input. */
  readonly samplesPerSecond: number
  readonly latency: Distribution
  readonly stages?: { readonly [Stage in BenchStage]: Distribution }
  /** What makes these figures worth less than they look, and what to do about it. */
  readonly warnings: readonly string[]
  /** To the first engine's; absent for the first itself. Above 1 is better for throughput, below 1 for latency. */
  readonly ratio?: { readonly throughput: number; readonly median: number; readonly p99: number }
  /** Each inference's latency, in the order of their results, in milliseconds. */
  readonly latencies: Float64Array
}

/** Turns of each engine, where there are several. */
const TURNS = 10
/** trtexec warns of a GPU's compute time from 1 % on; a caller's latency has the host's scheduling in it. */
const UNSTABLE = { compute: 0.01, latency: 0.1 } as const

/**
 * Measures engines. Several are measured in turns, and compared with the first.
 *
 * @example
 * const [fp32, fp16] = await trt.bench({ fp32: engine32, fp16: engine16 }, { concurrency: 4 })
 * console.log(fp16.ratio?.throughput)
 *
 * @param engines by the name that reports call them by
 * @throws {TrtError} `INVALID_ARGUMENT`; what `infer` throws
 */
export async function bench(
  engines: { readonly [name: string]: Benchable },
  options: BenchOptions = {},
): Promise<BenchReport[]> {
  validate(engines, options)
  const { warmUpMs, durationMs, iterations, concurrency } = { ...BENCH_DEFAULTS, ...withoutUndefined(options) }
  const runs = Object.entries(engines).map(([name, engine]) => new Run(name, engine, makeFeeds(engine, options)))
  const limits = { concurrency, signal: options.signal }
  for (const run of runs) {
    await run.measure({ ...limits, ms: warmUpMs, inferences: 1 })
    run.forget()
  }
  const turns = runs.length === 1 ? 1 : TURNS
  for (let turn = 1; turn <= turns; turn++) {
    for (const [index, run] of runs.entries()) {
      await run.measure({
        ...limits,
        ms: durationMs / turns,
        inferences: Math.ceil((iterations * turn) / turns),
        onProgress: (part) => options.onProgress?.((turn - 1 + (index + part) / runs.length) / turns),
      })
    }
  }
  const reports = runs.map((run) => run.report())
  const [base] = reports as [BenchReport]
  return reports.map((report) => (report === base ? report : { ...report, ratio: ratioOf(report, base) }))
}

interface Limits {
  readonly concurrency: number
  readonly signal: AbortSignal | undefined
  readonly ms: number
  /** Of this engine, earlier turns included. */
  readonly inferences: number
  readonly onProgress?: (fraction: number) => void
}

/** One engine, and what was measured of it so far. */
class Run {
  readonly #name: string
  readonly #engine: Benchable
  readonly #feeds: Feeds
  #latencies: number[] = []
  #wallTimeMs = 0

  constructor(name: string, engine: Benchable, feeds: Feeds) {
    this.#name = name
    this.#engine = engine
    this.#feeds = feeds
  }

  async measure({ concurrency, signal, ms, inferences, onProgress }: Limits): Promise<void> {
    const started = performance.now()
    const caller = async (): Promise<void> => {
      do {
        throwIfAborted('bench', signal)
        const called = performance.now()
        await this.#engine.infer(this.#feeds)
        this.#latencies.push(performance.now() - called)
        onProgress?.(Math.min(1, (performance.now() - started) / ms))
      } while (performance.now() - started < ms || this.#latencies.length < inferences)
    }
    // All of them, so that none still runs when the first failure is told.
    const ends = await Promise.allSettled(Array.from({ length: concurrency }, caller))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    this.#wallTimeMs += performance.now() - started
  }

  /** Drops what was measured; the engine's own histograms begin anew too, as they are to hold the same inferences. */
  forget(): void {
    this.#latencies = []
    this.#wallTimeMs = 0
    for (const histogram of Object.values(this.#engine.stats?.latency ?? {})) histogram.reset()
  }

  report(): BenchReport {
    const latencies = Float64Array.from(this.#latencies)
    const latency = distributionOf(latencies)
    const stages = stagesOf(this.#engine.stats?.latency ?? {})
    const throughput = latencies.length / (this.#wallTimeMs / 1000)
    const [first] = Object.values(this.#feeds)
    return {
      name: this.#name,
      inferences: latencies.length,
      wallTimeMs: this.#wallTimeMs,
      throughput,
      samplesPerSecond: throughput * (first?.dims[0] ?? 1),
      latency,
      ...(stages && { stages }),
      warnings: judge(latency, stages),
      latencies,
    }
  }
}

/** @param times at least one */
function distributionOf(times: Float64Array): Distribution {
  const sorted = times.toSorted()
  const at = (fraction: number): number => sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] as number
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length
  const variance = sorted.reduce((sum, time) => sum + (time - mean) ** 2, 0) / sorted.length
  return {
    min: at(0),
    mean,
    median: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    variation: Math.sqrt(variance) / mean,
  }
}

/** An engine that does not measure a stage leaves its histogram empty. */
function stagesOf(latency: { readonly [stage: string]: Histogram }): BenchReport['stages'] {
  const { hostToDevice, compute, deviceToHost, enqueue } = latency
  if (!hostToDevice?.count || !compute?.count || !deviceToHost?.count || !enqueue?.count) return undefined
  const toDistribution = (histogram: Histogram): Distribution => ({
    min: histogram.min / 1e6,
    mean: histogram.mean / 1e6,
    median: histogram.percentile(50) / 1e6,
    p90: histogram.percentile(90) / 1e6,
    p95: histogram.percentile(95) / 1e6,
    p99: histogram.percentile(99) / 1e6,
    max: histogram.max / 1e6,
    variation: histogram.stddev / histogram.mean,
  })
  return {
    hostToDevice: toDistribution(hostToDevice),
    compute: toDistribution(compute),
    deviceToHost: toDistribution(deviceToHost),
    enqueue: toDistribution(enqueue),
  }
}

/** trtexec's rules (samples/common/sampleReporting.cpp of TensorRT): medians against medians, and how much times vary. */
function judge(latency: Distribution, stages: BenchReport['stages']): string[] {
  const warnings: string[] = []
  for (const [stage, what] of [
    ['hostToDevice', 'the copy of the inputs to the GPU'],
    ['deviceToHost', 'the copy of the outputs from the GPU'],
  ] as const) {
    if (stages !== undefined && stages[stage].median >= stages.compute.median) {
      warnings.push(`${what} takes as long as the computation: more contexts overlap them, smaller types shorten them`)
    }
  }
  if (stages !== undefined && stages.enqueue.median >= stages.compute.median) {
    warnings.push(
      'the host takes as long to enqueue as the GPU to compute: cudaGraphs when loading, or a larger batch, shorten it',
    )
  }
  const [what, { variation }, limit] = stages
    ? (['the GPU’s compute time', stages.compute, UNSTABLE.compute] as const)
    : (['the latency', latency, UNSTABLE.latency] as const)
  if (variation > limit) {
    const percent = (100 * variation).toFixed(1)
    const advice = stages ? "lock the GPU's clocks (nvidia-smi -lgc)" : 'measure on a machine that does nothing else'
    warnings.push(`${what} is unstable: it varies by ${percent} % (standard deviation by mean); ${advice}`)
  }
  return warnings
}

function ratioOf(report: BenchReport, base: BenchReport): NonNullable<BenchReport['ratio']> {
  return {
    throughput: report.throughput / base.throughput,
    median: report.latency.median / base.latency.median,
    p99: report.latency.p99 / base.latency.p99,
  }
}

function makeFeeds({ inputs, profiles }: Benchable, options: BenchOptions): Feeds {
  if (options.feeds !== undefined) return options.feeds
  const { shapes = {}, batch, seed = BENCH_DEFAULTS.seed } = options
  const unknown = Object.keys(shapes).find((name) => !inputs.some((input) => input.name === name))
  if (unknown !== undefined) {
    throw new TrtError('INVALID_ARGUMENT', `bench: there is no input ${JSON.stringify(unknown)}`, {
      hint: `the inputs are ${inputs.map(({ name }) => name).join(', ')}`,
    })
  }
  const random = seededRandom(seed)
  return Object.fromEntries(
    inputs.map(({ name, type, shape }) => {
      const best = profiles[0]?.[name]?.opt ?? shape
      const dims = shapes[name] ?? (batch === undefined ? best : best.map((dim, axis) => (axis === 0 ? batch : dim)))
      return [name, randomTensor(type as DataType, dims, random)]
    }),
  )
}

function validate(engines: unknown, options: BenchOptions): void {
  if (!isPlainObject(engines) || Object.keys(engines).length === 0) {
    throw new TrtError('INVALID_ARGUMENT', 'bench: expected an object { name: engine } of one or more engines')
  }
  const object = (value: unknown) => (isPlainObject(value) ? undefined : 'an object by input name')
  checkOptions('bench', options, {
    warmUpMs: isNumberFrom(0, 1e9),
    durationMs: isNumberFrom(0, 1e9),
    iterations: isInteger(1, 1e9),
    concurrency: isInteger(1, 2 ** 16),
    batch: isInteger(1, 2 ** 31 - 1),
    shapes: object,
    feeds: object,
    seed: isInteger(0, Number.MAX_SAFE_INTEGER),
    signal: isAbortSignal,
    onProgress: isFunction,
  } satisfies Record<keyof BenchOptions, unknown>)
  for (const other of ['shapes', 'batch', 'seed'] as const) {
    if (options.feeds !== undefined && options[other] !== undefined) {
      throw new TrtError('INVALID_ARGUMENT', `bench: ${other} is for random inputs, and feeds were given`)
    }
  }
}
