/**
 * How often values of which size occur in an activation, gathered sample by sample.
 *
 * Bins are of one width and lie around 0, as many on either side. The first sample with anything but zeros settles the
 * width; where a later one is larger, bins are added outside, as onnxruntime's quantizer does it, so that thresholds can be
 * held against its own. Past {@link MAX_GROWTH} times the bins, all is put into as many bins as at first, since a first
 * sample that is all but black must not take all the memory.
 *
 * Values are read once, by fours that are counted in tables of their own: after ReLU most values are in one bin, and adding
 * to a count that was just written waits for it. 1.6 ns a value, where one table took 5 to 9, and a pass for the range
 * before it 1.8.
 */
import { breathe } from './breathe.js'

/** Elements between two turns of the event loop: about half a millisecond. */
const CHUNK = 2 ** 18

const MAX_GROWTH = 4

const LANES = 4

/** See the head of this file. */
export class Histogram {
  /** Counts from the most negative bin to the most positive one; bin `half` is the first from 0 upwards. */
  counts: Float64Array
  /** Of a bin; 0 as long as all values were 0. */
  width = 0
  /** The greatest magnitude, to the width of a bin; infinite where a value was infinite or NaN. */
  range = 0
  readonly #initialHalf: number
  /** Counts since the last {@link #fold}; each table has one place more, where values at the very end of the last bin go. */
  #lanes: Uint32Array

  /** @param half bins on either side of 0, at first */
  constructor(half: number) {
    this.#initialHalf = half
    this.counts = new Float64Array(2 * half)
    this.#lanes = newLanes(this.counts)
  }

  /** Bins on either side of 0. */
  get half(): number {
    return this.counts.length / 2
  }

  /** Takes the values of a sample, and lets the event loop turn meanwhile. */
  async add(values: Float32Array): Promise<void> {
    for (let from = 0; from < values.length && this.range < Infinity; ) {
      const to = Math.min(from + CHUNK, values.length)
      from = this.#count(values, from, to)
      if (from < to) await this.#makeRoom(values.subarray(from))
      await breathe()
    }
    this.#fold()
  }

  /** @returns where the first value is that has no bin; `to` where all have one */
  #count(values: Float32Array, from: number, to: number): number {
    const { half, width } = this
    const lanes = this.#lanes
    const [second, third, fourth] = [1, 2, 3].map((lane) => half + lane * (2 * half + 1)) as [number, number, number]
    // The sum of widths may be less than the range by a rounding error.
    const limit = Math.max(this.range, half * width)
    const inverse = width === 0 ? 0 : 1 / width
    let at = from
    for (; at + LANES <= to; at += LANES) {
      const a = values[at] as number
      const b = values[at + 1] as number
      const c = values[at + 2] as number
      const d = values[at + 3] as number
      // Of NaN, no comparison is true.
      const fits = Math.abs(a) <= limit && Math.abs(b) <= limit && Math.abs(c) <= limit && Math.abs(d) <= limit
      if (!fits) break
      ;(lanes[(a * inverse + half) | 0] as number)++
      ;(lanes[(b * inverse + second) | 0] as number)++
      ;(lanes[(c * inverse + third) | 0] as number)++
      ;(lanes[(d * inverse + fourth) | 0] as number)++
    }
    for (; at < to; at++) {
      const x = values[at] as number
      if (!(Math.abs(x) <= limit)) return at
      ;(lanes[(x * inverse + half) | 0] as number)++
    }
    return to
  }

  /** Brings what was counted into {@link counts}. */
  #fold(): void {
    const { counts } = this
    const lanes = this.#lanes
    const size = counts.length + 1
    for (let lane = 0; lane < LANES; lane++) {
      for (let bin = 0; bin < size; bin++) {
        const to = Math.min(bin, counts.length - 1)
        counts[to] = (counts[to] as number) + (lanes[lane * size + bin] as number)
      }
    }
    lanes.fill(0)
  }

  /** Widens the histogram so that it holds all of the values. */
  async #makeRoom(values: Float32Array): Promise<void> {
    this.#fold()
    for (let from = 0; from < values.length; from += CHUNK) {
      this.range = Math.max(this.range, rangeOf(values.subarray(from, from + CHUNK)))
      await breathe()
    }
    if (this.range === Infinity) return
    this.#grow()
    this.#lanes = newLanes(this.counts)
  }

  #grow(): void {
    if (this.width === 0) {
      // What was counted so far was 0, and lies in the first bin of the positive side.
      this.width = this.range / this.#initialHalf
      return
    }
    const { half } = this
    const added = Math.max(0, Math.floor((this.range - half * this.width) / this.width) + 1)
    if (half + added > MAX_GROWTH * this.#initialHalf) {
      this.#rebin()
    } else {
      const counts = new Float64Array(2 * (half + added))
      counts.set(this.counts, added)
      this.counts = counts
    }
  }

  /** Begins anew with what is there: all of it lies in the middle of bins that are far wider. */
  #rebin(): void {
    const { half, counts, width } = this
    const middle = this.#initialHalf
    this.width = this.range / middle
    this.counts = new Float64Array(2 * middle)
    for (const [at, count] of counts.entries()) {
      const bin = middle + Math.floor(((at - half + 0.5) * width) / this.width)
      this.counts[bin] = (this.counts[bin] as number) + count
    }
  }
}

function newLanes({ length }: Float64Array): Uint32Array {
  return new Uint32Array(LANES * (length + 1))
}

/** The greatest magnitude; infinite where a value is infinite or NaN. */
function rangeOf(values: Float32Array): number {
  let greatest = 0
  for (let at = 0; at < values.length; at++) {
    const x = Math.abs(values[at] as number)
    if (!(x <= greatest)) greatest = Number.isNaN(x) ? Infinity : x
  }
  return greatest
}
