/**
 * How often values of which size occur in an activation, gathered sample by sample.
 *
 * Bins are of one width and lie around 0, as many on either side. The first sample with anything but zeros settles the
 * width; where a later one is larger, bins are added outside, as onnxruntime's quantizer does it, so that thresholds can be
 * held against its own. Past {@link MAX_GROWTH} times the bins, all is put into as many bins as at first, since a first
 * sample that is all but black must not take all the memory.
 */
import { breathe } from './breathe.js'

/** Elements between two turns of the event loop: about half a millisecond. */
const CHUNK = 2 ** 18

const MAX_GROWTH = 4

/** See the head of this file. */
export class Histogram {
  /** Counts from the most negative bin to the most positive one; bin `half` is the first from 0 upwards. */
  counts: Float64Array
  /** Of a bin; 0 as long as all values were 0. */
  width = 0
  /** The least value, 0 at most, and the greatest, 0 at least. Infinite or NaN where a value was. */
  least = 0
  greatest = 0
  readonly #initialHalf: number
  readonly #isCounting: boolean

  /**
   * @param half bins on either side of 0, at first
   * @param isCounting whether more than {@link least} and {@link greatest} is wanted
   */
  constructor(half: number, isCounting: boolean) {
    this.#initialHalf = half
    this.#isCounting = isCounting
    this.counts = new Float64Array(2 * half)
  }

  /** Bins on either side of 0. */
  get half(): number {
    return this.counts.length / 2
  }

  /** The greatest magnitude; infinite where a value was infinite or NaN. */
  get range(): number {
    const range = Math.max(-this.least, this.greatest)
    return Number.isNaN(range) ? Infinity : range
  }

  /** Takes the values of a sample, and lets the event loop turn meanwhile. */
  async add(values: Float32Array): Promise<void> {
    const before = this.range
    for (let from = 0; from < values.length; from += CHUNK) {
      this.#extend(values.subarray(from, from + CHUNK))
      await breathe()
    }
    if (!this.#isCounting || !Number.isFinite(this.range)) return
    if (this.range > before) this.#grow()
    for (let from = 0; from < values.length; from += CHUNK) {
      this.#count(values.subarray(from, from + CHUNK))
      await breathe()
    }
  }

  #extend(values: Float32Array): void {
    let [least, greatest, sum] = [this.least, this.greatest, 0]
    for (let at = 0; at < values.length; at++) {
      const x = values[at] as number
      if (x < least) least = x
      else if (x > greatest) greatest = x
      sum += x
    }
    this.least = least
    // Comparisons pass NaN over, a sum does not.
    this.greatest = Number.isNaN(sum) ? Infinity : greatest
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

  #count(values: Float32Array): void {
    const { counts, half, width } = this
    const inverse = width === 0 ? 0 : 1 / width
    const last = half - 1
    for (let at = 0; at < values.length; at++) {
      const x = values[at] as number
      let bin = (Math.abs(x) * inverse) | 0
      if (bin > last) bin = last
      const index = x < 0 ? last - bin : half + bin
      counts[index] = (counts[index] as number) + 1
    }
  }
}
