/** What a tensor holds, in a few numbers. */
import { elementAt } from '../npy/elements.js'
import { type Tensor, unravel } from '../tensor.js'

/** A value and where it is, as an index for each dimension. */
export interface Peak {
  readonly index: readonly number[]
  readonly value: number | bigint
}

/** Of finite values only, so that one NaN does not hide the others; `undefined` where there are none. */
export interface TensorStatistics {
  readonly min: number | bigint | undefined
  readonly max: number | bigint | undefined
  readonly mean: number | undefined
  /** Elements that are NaN or infinite. */
  readonly notFinite: number
  /** The first elements, row-major. */
  readonly first: readonly (number | bigint)[]
}

/** @param count how many of the first elements to give */
export function summarise(tensor: Tensor, count: number): TensorStatistics {
  let min: number | bigint | undefined
  let max: number | bigint | undefined
  let sum = 0
  let notFinite = 0
  for (let index = 0; index < tensor.size; index++) {
    const value = elementAt(tensor, index)
    if (typeof value === 'number' && !Number.isFinite(value)) {
      notFinite++
      continue
    }
    if (min === undefined || value < min) min = value
    if (max === undefined || value > max) max = value
    sum += Number(value)
  }
  const finite = tensor.size - notFinite
  const first = Array.from({ length: Math.min(count, tensor.size) }, (_, index) => elementAt(tensor, index))
  return { min, max, mean: finite === 0 ? undefined : sum / finite, notFinite, first }
}

/** The `count` largest values, largest first, NaN excepted. */
export function topValues(tensor: Tensor, count: number): Peak[] {
  const best: { at: number; value: number | bigint }[] = []
  for (let at = 0; at < tensor.size; at++) {
    const value = elementAt(tensor, at)
    const least = best.at(-1)
    if (Number.isNaN(value) || (best.length === count && least !== undefined && value <= least.value)) continue
    const position = best.findIndex((peak) => peak.value < value)
    best.splice(position < 0 ? best.length : position, 0, { at, value })
    if (best.length > count) best.pop()
  }
  return best.map(({ at, value }) => ({ index: unravel(at, tensor.dims), value }))
}

/** Times of several runs, in milliseconds. */
export interface Latency {
  readonly first: number
  readonly min: number
  readonly median: number
  readonly mean: number
  readonly p99: number
  readonly max: number
}

/** @param times at least one; in the order of the runs. Percentiles are the nearest rank's. */
export function summariseLatency(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (fraction: number): number => sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] as number
  return {
    first: times[0] as number,
    min: at(0),
    median: at(0.5),
    mean: sorted.reduce((sum, time) => sum + time, 0) / sorted.length,
    p99: at(0.99),
    max: at(1),
  }
}
