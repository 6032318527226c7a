// The batcher on the CPU backend, with 16 callers that each call again when they are answered, against the same callers
// without it: inferences in a fixed time, in turns. And how late a call is at worst, in units of what it may take.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { CACHE } from '../scripts/lib/run.mjs'
import { inTurns, MODELS, median, randomData } from './measure.mjs'

const CALLERS = 16
const MAX_DELAY_MS = 2
const ROUNDS = 7
const WINDOW_MS = 1500

const { classification } = MODELS

/** `feeds` makes the inputs of one sample. The two fetched models are there once `npm test` has set them up. */
const NETWORKS = [
  {
    name: "PP-OCRv4's classifier",
    file: classification.file,
    atLeast: 1.5,
    feeds: { [classification.input]: new trt.Tensor('float32', randomData(3 * 48 * 192), classification.dims) },
  },
  {
    name: 'MiniLM, 8 tokens',
    file: join(CACHE, 'models/all-minilm-l6-v2.onnx'),
    atLeast: 1.5,
    feeds: Object.fromEntries(
      ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => [
        name,
        new trt.Tensor('int64', new BigInt64Array(8).fill(name === 'token_type_ids' ? 0n : 1n), [1, 8]),
      ]),
    ),
  },
  {
    name: 'magika, which gains nothing',
    file: join(CACHE, 'models/magika.onnx'),
    atLeast: 0.95,
    feeds: { bytes: new trt.Tensor('int32', new Int32Array(2048).fill(65), [1, 2048]) },
  },
]

export const title = 'Batching on the CPU backend, 16 callers'

export async function measure() {
  const results = []
  for (const { name, file, atLeast, feeds } of NETWORKS) {
    if (!existsSync(file)) {
      console.log(`${name}: not measured, there is no ${file}`)
      continue
    }
    const built = await trt.buildEngine({ onnx: file, backend: 'onnxruntime', shapes: shapesOf(feeds) })
    const engine = await trt.loadEngine(built.plan)
    const batcher = trt.batch(engine, { maxBatch: CALLERS, maxDelayMs: MAX_DELAY_MS })
    const latencies = []
    const batches = []
    const joined = stack(feeds)
    // The first full batch after single calls takes onnxruntime longer, whoever asks for it.
    const afterOne = async (measured) => {
      await engine.infer(joined)
      return measured()
    }
    const times = await inTurns(ROUNDS, {
      alone: () => rate(() => engine.infer(feeds)),
      batched: () => afterOne(() => rate(() => batcher.infer(feeds), latencies)),
      fullBatch: () => afterOne(() => rate(() => engine.infer(joined), batches, 1)),
    })
    await batcher.close()
    await engine.close()
    results.push(
      {
        what: `${name}: calls a second with the batcher, to without`,
        ratio: median(times.batched) / median(times.alone),
        atLeast,
      },
      {
        what: `${name}: p99 of a call, to maxDelayMs + p99 of one batch of ${CALLERS}`,
        ratio: p99(latencies) / (MAX_DELAY_MS + p99(batches)),
        atMost: 1,
      },
    )
  }
  return results
}

function shapesOf(feeds) {
  const range = ([, ...rest]) => ({ min: [1, ...rest], opt: [CALLERS, ...rest], max: [CALLERS, ...rest] })
  return Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, range(dims)]))
}

/** The feeds of a full batch. */
function stack(feeds) {
  const repeat = ({ type, data, dims }) => {
    const all = new data.constructor(CALLERS * data.length)
    for (let at = 0; at < CALLERS; at++) all.set(data, at * data.length)
    return new trt.Tensor(type, all, [CALLERS, ...dims.slice(1)])
  }
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, repeat(tensor)]))
}

function p99(times) {
  return times.sort((a, b) => a - b)[Math.floor(0.99 * times.length)]
}

/** Calls a second of all callers together; `latencies` gets the milliseconds of each call. */
async function rate(call, latencies = [], callers = CALLERS) {
  const started = performance.now()
  let done = 0
  const caller = async () => {
    while (performance.now() - started < WINDOW_MS) {
      const called = performance.now()
      await call()
      latencies.push(performance.now() - called)
      done++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return done / ((performance.now() - started) / 1000)
}
