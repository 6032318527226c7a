/**
 * What the fixtures must say. Apart from the tests that run them, as the same is expected of an addon that is built with a
 * sanitizer, and not of one whose sources were damaged on purpose.
 */
import { expect } from 'vitest'
import type { Family } from './run-fixture.ts'

const VERSION = { rtx: '1.7.1.116', trt10: '10.16.0.72', trt11: '11.4.0.106' }
const float32 = (dims: number[], data: number[]) => ({ type: 'float32', dims, data })

// biome-ignore lint/suspicious/noExplicitAny: JSON of the fixture
type Result = any

/** The result of fixtures/infer.mjs. */
export function expectInference(result: Result, family: Family): void {
  expect(result.info).toEqual({
    inputs: [{ name: 'x', type: 'float32', shape: [-1, 4] }],
    outputs: [{ name: 'y', type: 'float32', shape: [-1, 4] }],
    profiles: [{ x: { min: [1, 4], opt: [2, 4], max: [8, 4] } }],
    version: VERSION[family],
  })

  // 2x, of rows that count up from their number.
  expect(result.dynamic[0]).toEqual(float32([1, 4], [2, 4, 6, 8]))
  expect(result.dynamic[1]).toEqual(float32([3, 4], [6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28]))
  expect(result.dynamic[2].dims).toEqual([8, 4])
  expect(result.dynamic[2].data.at(-1)).toBe(78)
  expect(result.dynamic[3]).toEqual(result.dynamic[0])
  expect(result.outOfProfile.code).toBe('SHAPE_OUT_OF_PROFILE')

  // Each of twenty calls at once gets its own answer.
  expect(result.overlapping).toEqual(Array.from({ length: 20 }, (_, i) => [1 + (i % 8), 2 * i]))
  expect(result.steady.allocations).toBe(0)
  expect(result.aliveAfterDynamic).toEqual({})

  expect(result.dataDependent).toEqual([
    { d: float32([3], [-9, -22, -27]), p: float32([2], [1, 3]) },
    { d: float32([3], [-11, -22, -33]), p: float32([0], []) },
    { d: float32([3], [-6, -15, -24]), p: float32([3], [4, 5, 6]) },
    { d: float32([3], [-11, -13, -33]), p: float32([1], [7]) },
  ])
  expect(result.subset).toEqual(['p'])

  expect(result.types).toEqual({
    float32Out: { type: 'float32', dims: [3], data: [1.5, -2.25, Math.fround(3e30)] },
    float16Out: { type: 'float16', dims: [3], data: [0x3c00, 0xc000, 0x7bff] },
    bfloat16Out: { type: 'bfloat16', dims: [3], data: [0x3f80, 0xc000, 0x7f7f] },
    float8e4m3fnOut: { type: 'float8e4m3fn', dims: [3], data: [0x38, 0xc0, 0x7e] },
    int8Out: { type: 'int8', dims: [3], data: [-128, 0, 127] },
    uint8Out: { type: 'uint8', dims: [3], data: [0, 128, 255] },
    int32Out: { type: 'int32', dims: [3], data: [-(2 ** 31), 0, 2 ** 31 - 1] },
    int64Out: { type: 'int64', dims: [3], data: [-5, 0, 5] },
    boolOut: { type: 'bool', dims: [3], data: [1, 0, 1] },
  })

  // The last element of n rows that count up from 5, doubled: whichever profile n falls into.
  expect(result.profiles).toEqual([2, 20, 4, 32, 16, 1].map((rows) => 2 * (4 * rows + 4)))
  expect(result.betweenProfiles.code).toBe('SHAPE_OUT_OF_PROFILE')
  expect(result.host).toEqual({ type: 'int64', dims: [2], data: [21, -24] })
  expect(result.large).toBe(true)

  expect(result.bad.otherVersion.message).toContain('3.1.0')
  expect(result.bad.damaged.code).toBe('LOAD_FAILED')
  expect(result.bad.truncated.code).toMatch(/^(LOAD_FAILED|INVALID_ENGINE)$/)

  expect(result.alive).toEqual({})
  expect(result.misuses).toEqual([])
}

interface Outcome {
  readonly call: string
  readonly nth: number
  readonly error: string | null
  readonly message?: string
  readonly alive: object
}

/** The result of fixtures/failures.mjs. */
export function expectFailures(result: Result): void {
  const outcomes: Outcome[] = result.outcomes
  expect(outcomes.length).toBeGreaterThan(80)

  for (const { call, nth, error, message, alive } of outcomes) {
    const what = `${call}, call ${nth}: ${error}: ${message}`
    expect(alive, what).toEqual({})
    // A run ends by waiting once more, for the way of an error; there is nothing left to wait for after a good one.
    if (call === 'cuStreamSynchronize' && error === null) continue
    expect(error, what).toMatch(/^(GPU_NOT_FOUND|LOAD_FAILED|INFERENCE_FAILED|OUT_OF_MEMORY|GPU_LOST)$/)
    expect(message, what).toBeTruthy()
  }

  const codesOf = (call: string) => new Set(outcomes.filter((o) => o.call === call).map((o) => o.error))
  expect(codesOf('cuMemAlloc_v2')).toEqual(new Set(['OUT_OF_MEMORY']))
  expect(codesOf('IExecutionContext::enqueueV3')).toEqual(new Set(['INFERENCE_FAILED']))
  for (const call of ['cuMemcpyHtoDAsync_v2', 'cuMemcpyDtoHAsync_v2', 'IExecutionContext::enqueueV3 (work)']) {
    expect(codesOf(`async:${call}`), call).toEqual(new Set(['GPU_LOST']))
  }
  expect(codesOf('createInferRuntime_INTERNAL')).toEqual(new Set(['LOAD_FAILED']))

  expect(result.recovered).toBeNull()
  expect(result.misuses).toEqual([])
}

/** The result of fixtures/lifecycle.mjs. */
export function expectLifecycle(result: Result): void {
  expect(result.closedTwice.code).toBe('CLOSED')
  expect(result.closedWhileInferring.values).toEqual([0, 2, 4, 6, 8])
  expect(result.closedWhileInferring.late.code).toBe('CLOSED')
  expect(result.aborted.error.code).toBe('ABORTED')
  expect(result.aborted.other).toBe(20)
  expect(result.aborted.after.data).toEqual([6, 8, 10, 12, 14, 16, 18, 20])
  expect(result.abortedLoad).toBe('ABORTED')
  expect(result.forgotten).toBe(true)
  for (const [index, { code, messages }] of result.workers.told.entries()) {
    expect(code).toBe(0)
    expect(messages).toEqual(Array.from({ length: 10 }, (_, i) => 2 * (100 * (index + 1) + i)))
  }
  expect(result.workers.own).toBe(18)
  expect(result.terminated).toBe(12)

  for (const name of [
    'closedTwice',
    'closedWhileInferring',
    'aborted',
    'abortedLoad',
    'forgotten',
    'workers',
    'terminated',
  ]) {
    expect(result[`${name}Alive`], name).toEqual({})
  }
  expect(result.misuses).toEqual([])
}

/** The result of fixtures/pool.mjs. */
export function expectPool(result: Result): void {
  const { overlap, full, timeout, abort, binding, memory, lost } = result
  expect(overlap.values).toEqual(Array.from({ length: 12 }, (_, i) => 2 * i))
  expect(overlap).toMatchObject({ running: 4, waiting: 8, mostWaiting: 8, completed: 12, streams: 4 })
  expect(overlap.counts).toEqual({ queue: 12, hostToDevice: 12, compute: 12, deviceToHost: 12, enqueue: 12, total: 12 })
  // The double's engine sleeps for as long as it says.
  expect(overlap.computeMs).toBeGreaterThanOrEqual(19.9)

  expect(full.error).toMatchObject({ code: 'QUEUE_FULL', hint: expect.stringContaining('queue.maxWaiting') })
  expect(full).toMatchObject({ rejected: 1, served: [2, 4, 6] })
  expect(timeout.error).toMatchObject({ code: 'QUEUE_TIMEOUT', hint: expect.stringContaining('queue.maxWaitMs') })
  expect(timeout).toMatchObject({ waiting: 0, served: 10 })
  // The one that waited never ran; the one that ran kept its context to its end.
  expect(abort).toEqual({ codes: ['ABORTED', 'ABORTED'], aborted: 2, third: 6, runs: 2 })

  expect(binding.both).toEqual([float32([2, 4], [2, 4, 6, 8, 10, 12, 14, 16]), [3, 4], true])
  expect(binding.sync).toEqual(new Array(8).fill(-2))
  expect(binding.mixed).toBe(18)
  for (const error of [binding.twice, binding.early]) expect(error.code).toBe('INVALID_ARGUMENT')
  expect(binding.closed.code).toBe('CLOSED')
  expect(binding).toMatchObject({ lengths: [0, 0], copies: 0, kept: 20 })
  expect(binding.bad.map(([code]: string[]) => code)).toEqual([
    'SHAPE_OUT_OF_PROFILE',
    'INVALID_INPUT',
    'INVALID_INPUT',
  ])
  expect(binding.bad[1][1]).toBe('createBinding({ "x": [1,4] })')
  expect(result.unbindable).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('"p"') })

  // Two profiles, of which the second needs twice the 4096 bytes; x and y of [8, 4] floats in each of three contexts.
  expect(memory.memory).toEqual({ weights: 256, activationPerContext: 8192, pinned: 768, device: 768 })
  expect(memory.after).toEqual(memory.memory)
  expect(memory.closed).toBeNull()

  expect(new Set(lost.codes)).toEqual(new Set(['GPU_LOST']))
  expect(lost.late).toMatchObject({ code: 'GPU_LOST', hint: expect.stringContaining('end it and start it again') })

  for (const name of ['overlap', 'full', 'timeout', 'abort', 'binding', 'unbindable', 'memory', 'lost']) {
    expect(result[`${name}Alive`], name).toEqual({})
  }
  expect(result.misuses).toEqual([])
}

/** The result of fixtures/steady.mjs. */
export function expectSteady(result: Result): void {
  // The counter does count: to load takes memory.
  expect(result.loading).toBeGreaterThan(10)
  const once = {
    cuMemcpyHtoDAsync_v2: 1,
    'IExecutionContext::enqueueV3': 1,
    cuMemcpyDtoHAsync_v2: 1,
    cuStreamSynchronize: 1,
    cuEventRecord: 4,
    cuEventElapsedTime: 3,
  }
  for (const name of ['infer', 'run', 'runSync']) {
    const { allocations, calls } = result[name]
    expect(allocations, name).toBe(0)
    // Without what the doubles note of their own work.
    const own = Object.entries(calls).filter(([call]) => !/^async:|\(work\)$|CtxP/.test(call))
    expect(Object.fromEntries(own), name).toEqual(once)
  }
  expect(result.turns.calls['IExecutionContext::setInputShape']).toBe(2)
  expect(result.alive).toEqual({})
  expect(result.misuses).toEqual([])
}

/** The result of fixtures/stress.mjs: each engine has 40 calls more than it is asked for. */
export function expectStress(result: Result, calls: number): void {
  const told: Record<string, number>[] = result.told
  for (const outcome of told) {
    expect(outcome.wrong ?? 0).toBe(0)
    expect(Object.keys(outcome).filter((what) => !/^(right|ABORTED|INFERENCE_FAILED|QUEUE_FULL)$/.test(what))).toEqual(
      [],
    )
    expect(Object.values(outcome).reduce((sum, count) => sum + count)).toBe(calls + 40 * Math.ceil(calls / 1000))
    expect(outcome.right).toBeGreaterThan(calls / 2)
    expect(outcome.ABORTED).toBeGreaterThan(0)
  }
  const failed = told.reduce((sum, outcome) => sum + (outcome.INFERENCE_FAILED ?? 0), 0)
  expect(failed).toBeGreaterThan(0)
  expect(failed).toBeLessThanOrEqual(result.injected)
  expect(result.alive).toEqual({})
  expect(result.misuses).toEqual([])
}

/** The result of fixtures/graphs.mjs. */
export function expectGraphs(result: Result): void {
  const { shapes, steady, least, bindings, grown, capture, launch, context, refusals, together } = result
  expect(shapes.right).toBe(true)
  // Four shapes, of which each but its first three calls launched what the third had captured: 2 of 8, 4 of 8 calls.
  expect(shapes.graphs).toEqual({ captured: 3, launched: 9, dropped: 0 })
  expect(steady).toMatchObject({ graphLaunches: 1, enqueues: 0, told: 0 })
  expect(least.right).toBe(true)
  expect(least.graphs).toEqual({ captured: 3, launched: 4, dropped: 1 })
  expect(least.live).toBe(2)
  expect(bindings).toEqual({ right: true, launched: 6 })
  expect(grown.right).toBe(true)
  expect(grown.graphs.dropped).toBe(1)

  for (const [name, { right, graphs }] of Object.entries<Result>({ ...capture, context })) {
    expect(right, name).toBe(true)
    expect(graphs, name).toMatchObject({ captured: 0, launched: 0 })
    expect(graphs.fallback, name).toMatch(/^(the capture failed|no execution context for a graph): /)
  }
  expect(launch).toEqual({ code: 'INFERENCE_FAILED', after: true, dropped: 1, captured: 2 })
  expect(refusals.data).toMatchObject({ launched: 0, fallback: expect.stringContaining('"p" depends on the data') })
  expect(refusals.host).toMatchObject({ launched: 0, fallback: expect.stringContaining('"x" is in host memory') })
  expect(refusals.none).toBeNull()
  expect(together.right).toBe(true)
  // Each of 4 contexts needs at most three calls for each of 7 shapes.
  expect(together.launched).toBeGreaterThanOrEqual(400 - 4 * 7 * 3)

  expect(result.alive).toEqual({})
  expect(result.misuses).toEqual([])
}

/** What fixtures/device-tensors.mjs needs: the collector, and a second GPU. */
export const DEVICE_TENSORS = { execArgv: ['--expose-gc'], env: { TRT_DOUBLE_DEVICES: '2' } }

/** The result of fixtures/device-tensors.mjs. */
export function expectDeviceTensors(result: Result): void {
  const { chain, overlapping, steady, subset, refused, forgotten, failing } = result
  expect(chain.about).toEqual(['float32', [3, 4], 0, 'device'])
  expect(chain.third).toEqual(
    float32(
      [3, 4],
      Array.from({ length: 12 }, (_, i) => 8 * (i + 1)),
    ),
  )
  expect(chain.copies).toEqual({ toDevice: 1, within: 4, toHost: 1 })
  expect(chain.toHost).toEqual(
    float32(
      [3, 4],
      Array.from({ length: 12 }, (_, i) => 2 * (i + 1)),
    ),
  )
  expect(chain.afterClose).toBe(48)
  expect(overlapping).toEqual({ right: true, launched: true })
  // 8 rows of 4 floats are 128 bytes, and the smallest piece is 256.
  expect(steady).toEqual({ taken: 0, kept: 256 })
  expect(subset).toEqual({ p: float32([2], [1, 3]), others: {}, empty: float32([0], []) })

  expect(refused.device).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('on device 1') })
  expect(refused.dims).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('received [3]') })
  expect(refused.binding).toMatchObject({ code: 'INVALID_INPUT', hint: expect.stringContaining('toHost') })
  expect(refused.hostOutput).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('"y"') })
  expect([refused.disposed.code, refused.toHost.code]).toEqual(['CLOSED', 'CLOSED'])
  expect(refused.after).toBe(2)
  // What the aborted call left was the next one's.
  expect(forgotten).toEqual({ code: 'ABORTED', taken: 1 })
  expect(failing).toEqual(['OUT_OF_MEMORY', 'INFERENCE_FAILED', 'OUT_OF_MEMORY'])

  expect(result.alive).toEqual({})
  expect(result.misuses).toEqual([])
}

/** The layers that the double tells of an engine that doubles. */
export const LAYERS = [
  { name: 'y', details: { Name: 'y', LayerType: 'scale' } },
  { name: 'a layer of which the plan kept the name only' },
]

/** The result of fixtures/insight.mjs. */
export function expectInsight(result: Result): void {
  const { profile, layers, refit, graphs, badWeights, streaming } = result
  // The double says 1 ms of the first layer and 2 of the second.
  expect(profile.profile).toEqual([
    { name: 'y', runs: 6, meanMs: 1, minMs: 1, maxMs: 1, share: 1 / 3 },
    { name: 'z', runs: 6, meanMs: 2, minMs: 2, maxMs: 2, share: 2 / 3 },
  ])
  expect(profile).toMatchObject({ code: 'INFERENCE_FAILED', kept: 2, unasked: null })
  expect(profile.fallback).toContain('timed one by one')

  expect(layers.layers).toEqual(LAYERS)
  expect(layers).toMatchObject({ code: 'INFERENCE_FAILED', closed: 'CLOSED' })

  expect(refit.values).toEqual([
    [2, 4, 6, 8, 10],
    [100, 200, 300, 400, 500],
  ])
  expect(refit).toMatchObject({ z: 20, running: 0 })
  expect(graphs).toEqual({ values: [10, 20, 30, 40], captured: 2, launched: 5, dropped: 1 })

  expect(badWeights.missing).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('"factor:y"') })
  expect(badWeights.unknown).toMatchObject({ code: 'INVALID_INPUT', hint: 'it has "factor:y", "factor:z"' })
  expect(badWeights.count.message).toContain('expected 1 elements, received 2')
  expect(badWeights.type).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('type int32') })
  expect(badWeights.none.code).toBe('INVALID_INPUT')
  expect(badWeights.failed.code).toBe('INFERENCE_FAILED')
  expect(badWeights.after).toBe(8)
  expect(badWeights.fixed).toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining('refittable: true') })

  expect(streaming.memories).toEqual([
    [null, null, 4],
    [4096, 0, 4],
    [4096, 1024, 4],
    [4096, 2048, 4],
    [4096, 4096, 4],
  ])
  expect(streaming.none).toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining('weightStreaming: true') })
  expect(streaming.bad.code).toBe('INVALID_ARGUMENT')

  expect(result.alive).toEqual({})
  expect(result.misuses).toEqual([])
}
