import { createHistogram } from 'node:perf_hooks'
import * as trt from 'tensorrt-node'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { benchPage } from '#dist/service/bench-page.js'
import { cpuEngine, OCR } from '../helpers/engine.ts'
import { failure } from '../helpers/errors.ts'

/** An engine whose calls take so many milliseconds of a fake clock, again and again. */
function engineOf(times: readonly number[], stats?: trt.Benchable['stats']): trt.Benchable & { calls: number } {
  const engine = {
    inputs: [{ name: 'x', type: 'float32' as const, shape: [-1, 2] }],
    profiles: [{ x: { min: [1, 2], opt: [4, 2], max: [8, 2] } }],
    calls: 0,
    ...(stats && { stats }),
    infer: async (feeds: trt.Feeds) => {
      const ms = times[engine.calls++ % times.length] as number
      await new Promise((resolve) => setTimeout(resolve, ms))
      return { y: feeds.x as trt.Tensor }
    },
  }
  return engine
}

/** Runs a benchmark on the fake clock. */
async function measured(engines: Record<string, trt.Benchable>, options: trt.BenchOptions): Promise<trt.BenchReport[]> {
  let reports: trt.BenchReport[] | undefined
  const running = trt.bench(engines, options).then((result) => {
    reports = result
  })
  while (reports === undefined) await vi.advanceTimersToNextTimerAsync()
  await running
  return reports
}

describe('on a fake clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('throughput and percentiles are what the calls took, warm-up left out', async () => {
    const times = Array.from({ length: 100 }, (_, at) => at + 1)
    const [report] = await measured({ a: engineOf(times) }, { warmUpMs: 0, durationMs: 0, iterations: 101 })
    // The warm-up took the first call, 1 ms; it comes again as the last.
    expect(report).toMatchObject({
      name: 'a',
      inferences: 101,
      wallTimeMs: 5051 + 1,
      latency: { min: 2 - 1, median: 50, p90: 90, p95: 95, p99: 99, max: 100 },
    })
    expect(report?.throughput).toBeCloseTo(101 / 5.052)
    expect(report?.samplesPerSecond).toBeCloseTo((4 * 101) / 5.052)
  })

  test('callers overlap, and several engines take turns', async () => {
    const [fast, slow] = [engineOf([2]), engineOf([4])]
    const options = { warmUpMs: 10, durationMs: 100, concurrency: 3 }
    const reports = await measured({ fast, slow }, options)
    expect(reports.map(({ inferences }) => inferences)).toEqual([150, 90])
    expect(reports[0]?.ratio).toBeUndefined()
    expect(reports[1]?.ratio).toEqual({ throughput: 0.5, median: 2, p99: 2 })
  })

  test('warns of what varies, and is silent where nothing does', async () => {
    const [steady, shaky] = await measured({ steady: engineOf([5]), shaky: engineOf([5, 9]) }, { durationMs: 100 })
    expect(steady?.warnings).toEqual([])
    expect(shaky?.warnings).toEqual([expect.stringContaining('the latency is unstable: it varies by 28.6 %')])
  })

  test('stages that the backend measures are reported as it measured them since the warm-up, and judged as trtexec does', async () => {
    const hostToDevice = createHistogram()
    const compute = createHistogram()
    const deviceToHost = createHistogram()
    const enqueue = createHistogram()
    const engine = engineOf([5], { latency: { hostToDevice, compute, deviceToHost, enqueue } })
    const { infer } = engine
    engine.infer = async (feeds) => {
      const first = engine.calls === 0
      hostToDevice.record(3_000_000)
      compute.record(first ? 900_000_000 : 2_000_000)
      deviceToHost.record(1_000_000)
      enqueue.record(3_000_000)
      return infer(feeds)
    }
    const [report] = await measured({ engine }, { warmUpMs: 0, durationMs: 0 })
    for (const [stage, ms] of [
      ['hostToDevice', 3],
      ['compute', 2],
      ['deviceToHost', 1],
      ['enqueue', 3],
    ] as const) {
      expect(report?.stages?.[stage].median).toBeCloseTo(ms, 1)
      expect(report?.stages?.[stage].max).toBeCloseTo(ms, 1)
    }
    expect(report?.warnings).toEqual([
      expect.stringMatching(/^the copy of the inputs to the GPU takes as long/),
      expect.stringMatching(/^the host takes as long to enqueue as the GPU to compute/),
    ])
  })

  test('an abort ends it, and a failure is the error of the call', async () => {
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    const aborted = failure('ABORTED', () => trt.bench({ a: engineOf([1]) }, { signal: controller.signal, onProgress }))
    for (let turn = 0; turn < 1000; turn++) await vi.advanceTimersToNextTimerAsync()
    await aborted
    const bad = {
      ...engineOf([1]),
      infer: async () => {
        throw new trt.TrtError('INFERENCE_FAILED', 'broken')
      },
    }
    await failure('INFERENCE_FAILED', () => trt.bench({ bad }))
    await failure('INVALID_ARGUMENT', () => trt.bench({}))
    await failure('INVALID_ARGUMENT', () => trt.bench({ a: engineOf([1]) }, { concurrency: 0 }))
    await failure('INVALID_ARGUMENT', () => trt.bench({ a: engineOf([1]) }, { shapes: { z: [1] } }))
    await failure('INVALID_ARGUMENT', () => trt.bench({ a: engineOf([1]) }, { batch: 1, feeds: {} }))
  })
})

test('a real engine and a batcher over it, and the page of both', async () => {
  await using engine = await cpuEngine(OCR.classification, {
    x: { min: [1, 3, 48, 192], opt: [1, 3, 48, 192], max: [8, 3, 48, 192] },
  })
  await using batcher = trt.batch(engine)
  const reports = await trt.bench(
    { '<alone>': engine, batched: batcher },
    { durationMs: 100, concurrency: 8, warmUpMs: 0 },
  )
  for (const { inferences, latency, latencies, throughput, wallTimeMs, stages } of reports) {
    expect(inferences).toBe(latencies.length)
    expect(throughput).toBeCloseTo(inferences / (wallTimeMs / 1000))
    const { min, mean, median, p90, p95, p99, max } = latency
    expect([min, median, p90, p95, p99, max]).toEqual([min, median, p90, p95, p99, max].toSorted((a, b) => a - b))
    expect(mean).toBeGreaterThan(0)
    expect(stages).toBeUndefined()
  }
  const page = benchPage(reports, ['on a <machine>'])
  expect(page).not.toMatch(/<script|<link|<img|src=|href=|@import|url\(|https?:|<alone>|<machine>|NaN|undefined/)
  expect(page.match(/<polyline/g)).toHaveLength(2)
  expect(page).toContain('&#60;alone&#62;')
  for (const { latency } of reports) expect(page).toContain(`>${latency.p99.toFixed(3)}</td>`)
})
