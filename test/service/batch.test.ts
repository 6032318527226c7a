import { setImmediate as nextTurn } from 'node:timers/promises'
import * as trt from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpuEngine, noise, OCR } from '../helpers/engine.ts'
import { failure } from '../helpers/errors.ts'
import { constant, makeModel, node } from '../helpers/onnx-model.js'

const f32 = (values: readonly number[], dims: readonly number[]) =>
  new trt.Tensor('float32', Float32Array.from(values), dims)

/** Counts the calls that reach the engine, and their batches. */
function spied(engine: trt.Engine): { engine: trt.Batchable; batches: number[] } {
  const batches: number[] = []
  const { inputs, outputs, profiles } = engine
  return {
    batches,
    engine: {
      inputs,
      outputs,
      profiles,
      infer: (feeds, options) => {
        batches.push(Object.values(feeds)[0]?.dims[0] as number)
        return engine.infer(feeds, options)
      },
    },
  }
}

/** Row `ids[n]` of a table of 4 rows: an index outside of it is an error of the engine, not of the checks before it. */
const lookup = makeModel({
  inputs: { ids: ['int64', ['N', 'L']] },
  outputs: { y: ['float32', ['N', 'L', 2]], total: ['float32', []] },
  initializers: { table: constant('float32', [4, 2], [0, 1, 10, 11, 20, 21, 30, 31]) },
  nodes: [node('Gather', ['table', 'ids'], ['y']), node('ReduceSum', ['y'], ['total'], { keepdims: 0 })],
})
const ids = (...values: number[]) => new trt.Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length])

describe('on the CPU backend', () => {
  let engine: trt.Engine
  beforeAll(async () => {
    engine = await cpuEngine(lookup, { ids: { min: [1, 1], opt: [2, 2], max: [4, 3] } })
  })
  afterAll(() => engine.close())

  test('a trained network says of joined pictures what it says of each', async () => {
    await using classifier = await cpuEngine(OCR.classification, {
      x: { min: [1, 3, 48, 192], opt: [8, 3, 48, 192], max: [8, 3, 48, 192] },
    })
    const { engine: seen, batches } = spied(classifier)
    await using batcher = trt.batch(seen, { maxDelayMs: 20 })
    const pictures = Array.from(
      { length: 20 },
      (_, at) => new trt.Tensor('float32', noise(3 * 48 * 192, at + 1), [1, 3, 48, 192]),
    )
    const joined = await Promise.all(pictures.map((x) => batcher.infer({ x })))
    expect(batches).toEqual([8, 8, 4])
    for (const [at, x] of pictures.entries()) {
      const alone = await classifier.infer({ x })
      const [name] = Object.keys(alone) as [string]
      const [a, b] = [alone[name], joined[at]?.[name]] as trt.Tensor<'float32'>[]
      expect(b?.dims).toEqual(a?.dims)
      for (const [index, value] of (a as trt.Tensor<'float32'>).data.entries())
        expect(b?.data[index]).toBeCloseTo(value, 5)
    }
  })

  test('an engine of one fixed batch takes single samples', async () => {
    const double = makeModel({
      inputs: { x: ['float32', [4, 2]] },
      outputs: { y: ['float32', [4, 2]] },
      nodes: [node('Add', ['x', 'x'], ['y'])],
    })
    await using fixed = await cpuEngine(double)
    const { engine: seen, batches } = spied(fixed)
    await using batcher = trt.batch(seen)
    const answers = await Promise.all([f32([1, 2], [1, 2]), f32([3, 4, 5, 6], [2, 2])].map((x) => batcher.infer({ x })))
    expect(batches).toEqual([4])
    expect(answers.map(({ y }) => [...(y as trt.Tensor<'float32'>).data])).toEqual([
      [2, 4],
      [6, 8, 10, 12],
    ])
    expect(answers.map(({ y }) => y?.dims)).toEqual([
      [1, 2],
      [2, 2],
    ])
  })

  test('what is wrong with one call fails that call alone, in the words of the engine', async () => {
    const { engine: seen, batches } = spied(engine)
    await using batcher = trt.batch(seen, { maxDelayMs: 20 })
    const outputs = ['y']
    const good = [ids(0), ids(1), ids(2)].map((tensor) => batcher.infer({ ids: tensor }, { outputs }))
    const alone = (feeds: trt.Feeds) => engine.infer(feeds).catch((error: trt.TrtError) => error.message)
    for (const [code, feeds] of [
      ['INVALID_INPUT', { ids: f32([1], [1, 1]) }],
      ['INVALID_INPUT', {}],
      ['INVALID_INPUT', { ids: ids(1), more: ids(1) }],
      ['SHAPE_OUT_OF_PROFILE', { ids: ids(1, 1, 1, 1) }],
      ['SHAPE_OUT_OF_PROFILE', { ids: new trt.Tensor('int64', new BigInt64Array(5), [5, 1]) }],
      ['SHAPE_OUT_OF_PROFILE', { ids: new trt.Tensor('int64', new BigInt64Array(0), [0, 1]) }],
    ] as const) {
      const error = await failure(code, () => batcher.infer(feeds as trt.Feeds, { outputs }))
      expect(error.message).toBe(await alone(feeds as trt.Feeds))
    }
    await failure('INVALID_ARGUMENT', () => batcher.infer({ ids: ids(1) }, { outputs: ['z'] }))
    expect((await Promise.all(good)).map(({ y }) => [...(y as trt.Tensor<'float32'>).data])).toEqual([
      [0, 1],
      [10, 11],
      [20, 21],
    ])
    expect(batches).toContain(3)
  })

  test('a sample that breaks the whole batch is found, and the others get their results', async () => {
    await using batcher = trt.batch(engine, { maxDelayMs: 20 })
    const outcomes = await Promise.allSettled(
      [ids(0), ids(99), ids(2)].map((tensor) => batcher.infer({ ids: tensor }, { outputs: ['y'] })),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'INFERENCE_FAILED' } })
    expect(outcomes[2]).toMatchObject({ value: { y: { data: Float32Array.of(20, 21) } } })
  })

  test('each call gets the outputs it asked for, and an output without a batch is refused', async () => {
    await using two = await cpuEngine(
      makeModel({
        inputs: { x: ['float32', ['N', 2]] },
        outputs: { a: ['float32', ['N', 2]], b: ['float32', ['N', 2]], count: ['int64', ['M']] },
        nodes: [node('Neg', ['x'], ['a']), node('Abs', ['x'], ['b']), node('Shape', ['x'], ['count'])],
      }),
      { x: { min: [1, 2], opt: [2, 2], max: [4, 2] } },
    )
    await using batcher = trt.batch(two, { maxDelayMs: 20 })
    const x = f32([-1, 2], [1, 2])
    const calls = [['a'], ['b', 'a'], ['count', 'a']].map((outputs) => batcher.infer({ x }, { outputs }))
    const [a, both, count] = await Promise.allSettled(calls)
    expect(a).toMatchObject({ value: { a: { data: Float32Array.of(1, -2) } } })
    expect(Object.keys((both as PromiseFulfilledResult<trt.Results>).value).toSorted()).toEqual(['a', 'b'])
    expect(count).toMatchObject({ status: 'rejected', reason: { code: 'UNSUPPORTED' } })
    const scalar = await failure('UNSUPPORTED', async () => {
      await using lookups = trt.batch(engine)
      await lookups.infer({ ids: ids(1) })
    })
    expect(scalar.message).toBe('batch: dimension 0 of the output "total" is not the batch: it is a scalar')
  })

  test('an abort takes its own call out, and closing answers those that wait', async () => {
    const { engine: seen, batches } = spied(engine)
    const batcher = trt.batch(seen, { maxDelayMs: 1e6 })
    const controller = new AbortController()
    const outputs = ['y']
    const infer = (...values: number[]) => batcher.infer({ ids: ids(...values) }, { outputs })
    const full = [infer(0)]
    const dropped = failure('ABORTED', () => batcher.infer({ ids: ids(1) }, { outputs, signal: controller.signal }))
    controller.abort()
    await dropped
    full.push(infer(1), infer(2))
    await nextTurn()
    expect(batches).toEqual([])
    await Promise.all([...full, infer(3)])
    expect(batches).toEqual([4])
    const kept = infer(3)
    const closed = batcher.close()
    expect(batcher.close()).toBe(closed)
    await closed
    expect((await kept).y?.data).toEqual(Float32Array.of(30, 31))
    expect(batches).toEqual([4, 1])
    await failure('CLOSED', () => batcher.infer({ ids: ids(1) }))
    expect((await engine.infer({ ids: ids(1) })).y).toBeDefined()
  })

  test('a call of the engine is given up when all of its callers have', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const { inputs, outputs, profiles } = engine
    const infer: trt.Batchable['infer'] = (feeds, options) => {
      signals.push(options?.signal)
      return engine.infer(feeds, options)
    }
    await using batcher = trt.batch({ inputs, outputs, profiles, infer }, { maxBatch: 2 })
    const controllers = [new AbortController(), new AbortController()]
    const calls = controllers.map(({ signal }) =>
      failure('ABORTED', () => batcher.infer({ ids: ids(1) }, { outputs: ['y'], signal })),
    )
    controllers[0]?.abort()
    await calls[0]
    expect(signals.map((signal) => signal?.aborted)).toEqual([false])
    controllers[1]?.abort()
    await calls[1]
    expect(signals.map((signal) => signal?.aborted)).toEqual([true])
  })

  test('joined inputs lie in memory that is kept, but for what an engine may still read', async () => {
    const used: ArrayBufferLike[] = []
    const { inputs, outputs, profiles } = engine
    const infer: trt.Batchable['infer'] = (feeds, options) => {
      used.push((feeds.ids as trt.Tensor).data.buffer)
      return engine.infer(feeds, options)
    }
    await using batcher = trt.batch({ inputs, outputs, profiles, infer }, { maxBatch: 2 })
    const both = (signal?: AbortSignal) =>
      [0, 3].map((id) => batcher.infer({ ids: ids(id) }, { outputs: ['y'], ...(signal && { signal }) }))
    await Promise.all(both())
    await Promise.all(both())
    expect(used[1]).toBe(used[0])
    const controller = new AbortController()
    const given = both(controller.signal).map((call) => failure('ABORTED', () => call))
    controller.abort()
    await Promise.all(given)
    const answers = await Promise.all(both())
    expect(used[2]).toBe(used[0])
    expect(used[3]).not.toBe(used[2])
    expect(answers.map(({ y }) => y?.data[0])).toEqual([0, 30])
  })

  test('refuses what cannot work before any call', async () => {
    await failure('INVALID_ARGUMENT', () => trt.batch(engine, { maxBatch: 0 }))
    await failure('INVALID_ARGUMENT', () => trt.batch(engine, { maxDelayMs: Number.NaN }))
    await failure('INVALID_ARGUMENT', () => trt.batch(engine, { delay: 1 } as never))
    await using single = await cpuEngine(lookup, { ids: [1, 1] })
    const error = await failure('UNSUPPORTED', () => trt.batch(single))
    expect(error.hint).toContain('"ids": { min: [1, …], opt: [4, …], max: [16, …] }')
  })
})
