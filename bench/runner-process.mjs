// The process that runner.mjs measures in, on the doubles. Argument: what to measure. Prints the results as JSON.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { doubles, doubling, load, rows } from '../test/native/fixtures/support.mjs'
import { inTurns, median, percentile, rate } from './measure.mjs'

const baseline = createRequire(import.meta.url)(join(doubles, 'common/baseline.node'))

const ROUNDS = 9
const CALLS = 2000
/** Inputs, and outputs, of the engine that has many. */
const PAIRS = 64
const THREADS_OF_LIBUV = 4

/** Nanoseconds of one call, of many in a row. */
function nanosecondsOf(call, count) {
  const started = performance.now()
  for (let i = 0; i < count; i++) call()
  return ((performance.now() - started) * 1e6) / count
}

/** The milliseconds of each of {@link CALLS} calls, one after the other. */
async function latenciesOf(call) {
  const times = []
  for (let i = 0; i < CALLS; i++) {
    const started = performance.now()
    await call()
    times.push(performance.now() - started)
  }
  return times
}

/** An engine of `pairs` inputs and as many outputs, each a copy of its input. */
function copying(pairs) {
  const names = Array.from({ length: pairs }, (_, i) => String(i))
  const tensor = (prefix, mode) => (name) => ({
    name: prefix + name,
    mode,
    type: 'kFLOAT',
    shape: [1, 4],
    location: 'device',
  })
  return {
    tensors: [...names.map(tensor('x', 'input')), ...names.map(tensor('y', 'output'))],
    rules: Object.fromEntries(names.map((name) => [`y${name}`, { op: 'copy', of: [`x${name}`] }])),
  }
}

const feedsOf = (engine) => Object.fromEntries(engine.inputs.map(({ name }) => [name, rows(1)]))

async function overhead() {
  const engine = await load(doubling())
  const feeds = { x: rows(1) }
  const infer = () => engine.infer(feeds)
  const binding = await engine.createBinding({ x: [1, 4] })

  const sync = await inTurns(ROUNDS, {
    empty: () => nanosecondsOf(baseline.empty, 500_000),
    runSync: () => nanosecondsOf(() => binding.runSync(), 50_000),
  })

  // libuv's threads sleep, so that their pool is full and the processors are free.
  let full = false
  const fill = async () => {
    while (full) await baseline.asyncWork(20)
  }
  const whileFull = async (measure) => {
    full = true
    const filled = Array.from({ length: 2 * THREADS_OF_LIBUV }, fill)
    const result = await measure()
    full = false
    await Promise.all(filled)
    return result
  }
  const latencies = await inTurns(ROUNDS, {
    asyncWork: async () => median(await latenciesOf(() => baseline.asyncWork(0))),
    infer: async () => median(await latenciesOf(infer)),
    run: async () => median(await latenciesOf(() => binding.run())),
  })
  const p99 = await inTurns(ROUNDS, {
    free: async () => percentile(await latenciesOf(infer), 99),
    full: () => whileFull(async () => percentile(await latenciesOf(infer), 99)),
  })
  binding.close()

  const small = await load(copying(1))
  const large = await load(copying(PAIRS))
  const [smallBinding, largeBinding] = [await small.createBinding(), await large.createBinding()]
  const [smallFeeds, largeFeeds] = [feedsOf(small), feedsOf(large)]
  const growth = await inTurns(ROUNDS, {
    smallSync: () => nanosecondsOf(() => smallBinding.runSync(), 20_000),
    largeSync: () => nanosecondsOf(() => largeBinding.runSync(), 20_000),
    small: async () => median(await latenciesOf(() => small.infer(smallFeeds))),
    large: async () => median(await latenciesOf(() => large.infer(largeFeeds))),
  })

  // The first calls are not counted: code and the collector's young generation grow until then.
  const bytesAfter = async (calls) => {
    for (let i = 0; i < calls; i++) await infer()
    globalThis.gc()
    return process.memoryUsage().rss
  }
  const before = await bytesAfter(20_000)
  const { pinned, device } = engine.memory
  const after = await bytesAfter(100_000)
  const { memory } = engine
  await Promise.all([engine.close(), small.close(), large.close()])

  const asyncWork = median(latencies.asyncWork)
  const perTensor = median(growth.large) / median(growth.small) / PAIRS
  return [
    {
      what: 'runSync of a binding, to 0.5 µs + 25 empty Node-API calls',
      ratio: median(sync.runSync) / (500 + 25 * median(sync.empty)),
      atMost: 1,
    },
    { what: 'infer, p50, to a round trip of napi_async_work', ratio: median(latencies.infer) / asyncWork, atMost: 0.7 },
    { what: 'run of a binding, p50, to a round trip of napi_async_work', ratio: median(latencies.run) / asyncWork },
    {
      what: "infer, p99, while libuv's pool is full, to p99 while it is free",
      ratio: median(p99.full) / median(p99.free),
      atMost: 2,
    },
    {
      what: `runSync with ${PAIRS} inputs and outputs, to one of each`,
      ratio: median(growth.largeSync) / median(growth.smallSync),
      atMost: 3,
    },
    { what: `infer with ${PAIRS} inputs and outputs, for each, to one of each`, ratio: perTensor, atMost: 3 },
    { what: `infer with ${PAIRS} inputs and outputs, all together, to one of each`, ratio: perTensor * PAIRS },
    { what: 'memory of the process, after 100,000 inferences to before', ratio: after / before, atMost: 1.05 },
    {
      what: 'pinned and device memory of the engine, likewise',
      ratio: (memory.pinned + memory.device) / (pinned + device),
      atMost: 1,
    },
  ]
}

async function contexts() {
  const engine = await load(doubling({ runMs: 1 }), { contexts: 8 })
  const feeds = { x: rows(1) }
  const rates = await inTurns(5, {
    one: () => rate(500, 1, () => engine.infer(feeds)),
    eight: () => rate(500, 8, () => engine.infer(feeds)),
  })
  await engine.close()
  return [
    {
      what: '8 callers on 8 contexts, each computing for 1 ms: calls a second, to one caller',
      ratio: median(rates.eight) / median(rates.one),
      atLeast: 4,
    },
  ]
}

const [what] = process.argv.slice(2)
process.stdout.write(JSON.stringify(await { overhead, contexts }[what]()))
