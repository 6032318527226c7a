// The CPU backend against onnxruntime-node's own run() in the same process: inferences in a fixed time, in turns.
import ort from 'onnxruntime-node'
import * as trt from 'tensorrt-node'
import { inTurns, MODELS, median, randomData } from './measure.mjs'

const ROUNDS = 7
const WINDOW_MS = 2000

export const title = 'Throughput of the CPU backend'

export async function measure() {
  const results = []
  for (const name of ['recognition', 'detection', 'classification']) {
    const { file, input, dims } = MODELS[name]
    const data = randomData(dims.reduce((a, b) => a * b))
    const session = await ort.InferenceSession.create(file)
    const built = await trt.buildEngine({ onnx: file, shapes: { [input]: dims }, backend: 'onnxruntime' })
    const engine = await trt.loadEngine(built.plan)
    const theirs = { [input]: new ort.Tensor('float32', data, dims) }
    const feeds = { [input]: new trt.Tensor('float32', data, dims) }
    const rates = await inTurns(ROUNDS, {
      raw: () => rate(1, () => session.run(theirs)),
      one: () => rate(1, () => engine.infer(feeds)),
      two: () => rate(2, () => engine.infer(feeds)),
    })
    await engine.close()
    const raw = median(rates.raw)
    results.push(
      { what: `${name}: two calls at a time, to run()`, ratio: median(rates.two) / raw, atLeast: 0.95 },
      { what: `${name}: one call at a time, to run()`, ratio: median(rates.one) / raw },
    )
  }
  return results
}

/** Inferences a second, with `callers` calls in flight. */
async function rate(callers, call) {
  const started = performance.now()
  let done = 0
  const caller = async () => {
    while (performance.now() - started < WINDOW_MS) {
      await call()
      done++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return done / ((performance.now() - started) / 1000)
}
