/**
 * What a model gives out to be calibrated, and what is made of it after each run.
 *
 * For `max`, onnxruntime itself reduces each activation to its least and its greatest value: three numbers leave its process
 * instead of all. The other methods read every value, for what they ask is how many there are of each size. CPU time of a
 * sample of PP-OCRv4's detection (27 million values in 50 activations), where a run alone takes 1: 1.05 by reduction; 1.5 for
 * giving the activations out, since each has to be brought from onnxruntime's blocked layout into that of the graph and then
 * to another process; 1.85 with counting. Rejected: QuantizeLinear to 16 bits inside the model, so that half of the bytes
 * leave it; the ranges that it needs are known only afterwards.
 */
import { throwIfAborted } from '../../errors.js'
import type { Tensor } from '../../tensor.js'
import type { Model } from '../model/model.js'
import type { ExtraNode } from '../run/runner.js'
import { Histogram } from './histogram.js'
import { type CalibrationMethod, type CountingMethod, HALF_BINS, thresholdOf } from './thresholds.js'

/** Gathers what a method wants to know of activations. */
export interface Collector {
  /** Nodes to add to the model. */
  readonly nodes: readonly ExtraNode[]
  /** What the model has to give out. */
  readonly outputs: readonly string[]
  /** Takes the outputs of one run. */
  add(results: Readonly<Record<string, Tensor>>): Promise<void>
  /** By activation, infinite where a value was infinite or NaN. */
  ranges(): Promise<Record<string, number>>
}

/** @param names activations, float32 */
export function collectorFor(
  model: Model,
  names: readonly string[],
  method: CalibrationMethod,
  percentile: number,
  signal: AbortSignal | undefined,
): Collector {
  return method === 'max' ? new Extremes(model, names) : new Histograms(names, method, percentile, signal)
}

/** Sums are NaN where a value is, which comparisons may pass over. */
const REDUCTIONS = ['ReduceMin', 'ReduceMax', 'ReduceSum'] as const

class Extremes implements Collector {
  readonly nodes: readonly ExtraNode[]
  readonly outputs: readonly string[]
  readonly #ranges: Map<string, number>

  constructor({ graph }: Model, names: readonly string[]) {
    this.#ranges = new Map(names.map((name) => [name, 0]))
    this.nodes = names.flatMap((input) =>
      REDUCTIONS.map((opType) => ({ opType, input, output: graph.uniqueName(`${input}_${opType}`) })),
    )
    this.outputs = this.nodes.map(({ output }) => output)
  }

  async add(results: Readonly<Record<string, Tensor>>): Promise<void> {
    for (const { opType, input, output } of this.nodes) {
      const x = Number(results[output]?.data[0])
      const magnitude = Number.isNaN(x) ? Infinity : opType === 'ReduceSum' ? 0 : Math.abs(x)
      this.#ranges.set(input, Math.max(this.#ranges.get(input) as number, magnitude))
    }
  }

  async ranges(): Promise<Record<string, number>> {
    return Object.fromEntries(this.#ranges)
  }
}

class Histograms implements Collector {
  readonly nodes = []
  readonly outputs: readonly string[]
  readonly #histograms: ReadonlyMap<string, Histogram>
  readonly #method: CountingMethod
  readonly #percentile: number
  readonly #signal: AbortSignal | undefined

  constructor(names: readonly string[], method: CountingMethod, percentile: number, signal: AbortSignal | undefined) {
    this.outputs = names
    this.#histograms = new Map(names.map((name) => [name, new Histogram(HALF_BINS[method])]))
    this.#method = method
    this.#percentile = percentile
    this.#signal = signal
  }

  async add(results: Readonly<Record<string, Tensor>>): Promise<void> {
    for (const [name, histogram] of this.#histograms) {
      throwIfAborted('calibrate', this.#signal)
      await histogram.add(results[name]?.data as Float32Array)
    }
  }

  async ranges(): Promise<Record<string, number>> {
    const ranges: Record<string, number> = {}
    for (const [name, histogram] of this.#histograms) {
      throwIfAborted('calibrate', this.#signal)
      ranges[name] = await thresholdOf(histogram, this.#method, this.#percentile)
    }
    return ranges
  }
}
