/**
 * Calibration: from the values that an activation has, the greatest magnitude that 8 bits are to hold. What is beyond it is
 * cut off, so that what is below is told apart more finely.
 *
 * - `max`: nothing is cut off
 * - `percentile`: that share of the values is held
 * - `entropy`: the distribution that is left is nearest to the original one, by the Kullback-Leibler divergence (Szymon
 *   Migacz, "8-bit Inference with TensorRT", GTC 2017), with 255 levels on both sides of 0, as MXNet has it
 * - `mse`: the mean squared error of rounding and cutting off is least
 *
 * The default is `percentile`: PP-OCRv6's recognition reads 99.9 % of its characters as in float32 by it, 99.8 % by `max`, and
 * 20.9 % by `entropy` (docs/quantization.md), whose cuts take from a network with attention the rare large values that it
 * goes by. NVIDIA's documentation advises `max` for BERT, and entropy for convolutional networks.
 *
 * The first three say what onnxruntime's quantizer says of the same data (test/onnx/calibration.test.ts holds them against it).
 */
import { breathe } from './breathe.js'
import type { Histogram } from './histogram.js'

/** How ranges are chosen; see the head of this file. */
export type CalibrationMethod = 'max' | 'percentile' | 'entropy' | 'mse'

/** The methods that want to know how often each size occurs. */
export type CountingMethod = Exclude<CalibrationMethod, 'max'>

/** All methods. */
export const CALIBRATION_METHODS: readonly CalibrationMethod[] = ['max', 'percentile', 'entropy', 'mse']

/** Bins of a new histogram on either side of 0: 2048 in all for entropy, as in Migacz's talk; as many magnitudes for the others. */
export const HALF_BINS: Readonly<Record<CountingMethod, number>> = {
  percentile: 2048,
  entropy: 1024,
  mse: 2048,
}

/** The numbers of int8 but for -128. */
const LEVELS = 255

/** Candidates that `mse` tries. */
const CANDIDATES = 256

/** Of all candidates, those below this share of the range are too small to be worth it. */
const LEAST_SHARE = 1 / 16

/**
 * The range of an activation.
 *
 * @param percentile for the method of that name, in percent
 * @returns the greatest magnitude to hold; infinite where a value was infinite or NaN
 */
export async function thresholdOf(histogram: Histogram, method: CountingMethod, percentile: number): Promise<number> {
  const { range, width } = histogram
  if (width === 0 || range === Infinity) return range
  if (method === 'percentile') return Math.min(range, percentileThreshold(histogram, percentile))
  return Math.min(range, await (method === 'entropy' ? entropyThreshold(histogram) : mseThreshold(histogram)))
}

/** The upper end of the first bin by which the share is reached. */
function percentileThreshold(histogram: Histogram, percentile: number): number {
  const magnitudes = magnitudesOf(histogram)
  const wanted = (magnitudes.reduce((sum, count) => sum + count, 0) * percentile) / 100
  let sum = 0
  for (let bin = 0; bin < magnitudes.length; bin++) {
    sum += magnitudes[bin] as number
    if (sum >= wanted) return (bin + 1) * histogram.width
  }
  return histogram.range
}

/** Stands for 0, of which there is no logarithm. */
const EPSILON = 1e-4

/**
 * For every number of bins around 0: cuts the distribution off there (what is beyond counts for the outermost bins), puts it
 * into as many levels as int8 has, and spreads these over the bins again; the cut where the two differ least is taken.
 *
 * Details that only show in the last digits are as onnxruntime has them (`get_entropy_threshold`, calibrate.py): counts that
 * are spread become whole numbers, zeros become 0.0001 at the cost of the others, and the middle bin is the one above 0.
 */
async function entropyThreshold({ counts, half, width }: Histogram): Promise<number> {
  const sums = new PrefixSums(counts)
  let [smallest, best] = [Infinity, half]
  for (let reach = LEVELS >> 1; reach <= half; reach++) {
    const divergence = divergenceOf(sums, half - reach, Math.min(half + reach + 1, counts.length))
    if (divergence < smallest) {
      smallest = divergence
      best = reach
    }
    if (reach % 128 === 0) await breathe()
  }
  const [low, high] = [best * width, Math.min(best + 1, half) * width]
  const isFilled = (count: number): boolean => count > 0
  const least = (counts.findIndex(isFilled) - half) * width
  const greatest = (counts.findLastIndex(isFilled) + 1 - half) * width
  return Math.max(Math.min(low, -least), Math.min(high, greatest))
}

/** Sums over the first bins, so that those over any run of bins are a difference. */
class PrefixSums {
  readonly counts: Float64Array
  readonly count: Float64Array
  /** Of bins that are not empty. */
  readonly present: Float64Array
  /** Σ c · ln c, Σ ln c, Σ 1/c and Σ 1/c² over these. */
  readonly cLogC: Float64Array
  readonly logC: Float64Array
  readonly inverse: Float64Array
  readonly inverseSquare: Float64Array

  constructor(counts: Float64Array) {
    const of = (term: (c: number) => number): Float64Array => {
      const sums = new Float64Array(counts.length + 1)
      for (const [bin, c] of counts.entries()) sums[bin + 1] = (sums[bin] as number) + (c === 0 ? 0 : term(c))
      return sums
    }
    this.counts = counts
    this.count = of((c) => c)
    this.present = of(() => 1)
    this.cLogC = of((c) => c * Math.log(c))
    this.logC = of(Math.log)
    this.inverse = of((c) => 1 / c)
    this.inverseSquare = of((c) => 1 / c ** 2)
  }
}

const between = (sums: Float64Array, from: number, to: number): number => (sums[to] as number) - (sums[from] as number)

/** By level: its value once spread, the sum of what was cut off there, and how many of its bins are not empty. */
const spread = new Float64Array(LEVELS)
const given = new Float64Array(LEVELS)
const present = new Float64Array(LEVELS)

/**
 * The divergence of the bins from `start` to `end` from what 255 levels leave of them.
 *
 * A level has one value, so that its bins need no logarithm each: of Σ a · ln(a / b), the part with b is a product by level.
 * The part with a, where a = c − t for the small t that is taken for the zeros, is the Taylor series
 * c ln c − t (ln c + 1) + t²/2c + t³/6c², whose sums are known.
 */
function divergenceOf(sums: PrefixSums, start: number, end: number): number {
  const { counts, count } = sums
  const size = end - start
  const perLevel = Math.floor(size / LEVELS)
  const [first, last] = [counts[start] as number, counts[end - 1] as number]
  const [below, above] = [count[start] as number, between(count, end, counts.length)]
  // The outermost bins are not empty where anything was cut off.
  const filled = [first === 0 && below > 0 ? 1 : 0, last === 0 && above > 0 ? 1 : 0] as const
  const presentIn = (from: number, to: number): number =>
    between(sums.present, start + from, start + to) + (from === 0 ? filled[0] : 0) + (to === size ? filled[1] : 0)
  const givenIn = (from: number, to: number): number =>
    between(count, start + from, start + to) + (from === 0 ? below : 0) + (to === size ? above : 0)

  let [sumQ, zerosQ] = [0, size - LEVELS * perLevel]
  for (let level = 0; level < LEVELS; level++) {
    const [from, to] = [level * perLevel, (level + 1) * perLevel]
    const sum = between(count, start + from, level === LEVELS - 1 ? end : start + to)
    present[level] = presentIn(from, to)
    given[level] = givenIn(from, to)
    const value = present[level] === 0 ? 0 : Math.floor(sum / (present[level] as number))
    spread[level] = value
    sumQ += value * perLevel
    if (value === 0) zerosQ += perLevel
  }
  const presentP = presentIn(0, size)
  const sumP = count[counts.length] as number
  if (sumP === 0 || sumQ === 0) return Infinity
  const takenP = (EPSILON * (size - presentP)) / presentP
  const takenQ = (EPSILON * zerosQ) / (size - zerosQ)

  let divergence = (size - presentP) * EPSILON * Math.log(EPSILON)
  for (const edge of [first + below, last + above]) {
    if (edge > 0) divergence += (edge - takenP) * Math.log(edge - takenP)
  }
  const [from, to] = [start + 1, end - 1]
  divergence +=
    between(sums.cLogC, from, to) -
    takenP * (between(sums.logC, from, to) + between(sums.present, from, to)) +
    (takenP ** 2 / 2) * between(sums.inverse, from, to) +
    (takenP ** 3 / 6) * between(sums.inverseSquare, from, to)
  const smoothed = (sum: number, full: number, bins: number): number => sum - takenP * full + EPSILON * (bins - full)
  for (let level = 0; level < LEVELS; level++) {
    const b = spread[level] === 0 ? EPSILON : (spread[level] as number) - takenQ
    divergence -= smoothed(given[level] as number, present[level] as number, perLevel) * Math.log(b)
  }
  const tail = LEVELS * perLevel
  if (tail < size) divergence -= smoothed(givenIn(tail, size), presentIn(tail, size), size - tail) * Math.log(EPSILON)
  // Σ (a/A) · ln((a/A) / (b/B)); smoothing leaves the sums as they are.
  return divergence / sumP + Math.log(sumQ / sumP)
}

async function mseThreshold(histogram: Histogram): Promise<number> {
  const magnitudes = magnitudesOf(histogram)
  const { width, range } = histogram
  let [smallest, best] = [Infinity, range]
  for (let candidate = CANDIDATES; candidate >= CANDIDATES * LEAST_SHARE; candidate--) {
    const threshold = (range * candidate) / CANDIDATES
    const scale = (2 * threshold) / (LEVELS - 1)
    let sum = 0
    for (let bin = 0; bin < magnitudes.length; bin++) {
      const count = magnitudes[bin] as number
      if (count === 0) continue
      const x = (bin + 0.5) * width
      const error = x - Math.min(threshold, Math.round(x / scale) * scale)
      sum += count * error * error
    }
    if (sum < smallest) {
      smallest = sum
      best = threshold
    }
    if (candidate % 32 === 0) await breathe()
  }
  return best
}

/** Counts by magnitude, without the sign. */
function magnitudesOf({ counts, half }: Histogram): Float64Array {
  return Float64Array.from(
    { length: half },
    (_, bin) => (counts[half + bin] as number) + (counts[half - 1 - bin] as number),
  )
}
