// The CPU backend against onnxruntime-node's own run() in a process that does nothing else: inferences in a fixed time,
// in turns.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as trt from 'tensorrt-node'
import { inTurns, MODELS, median, randomData, rate } from './measure.mjs'

const ROUNDS = 5
const WINDOW_MS = 2000
const RAW = fileURLToPath(new URL('raw-run.mjs', import.meta.url))

export const title = 'Throughput of the CPU backend'

export async function measure() {
  const results = []
  for (const name of ['recognition', 'detection', 'classification']) {
    const { file, input, dims } = MODELS[name]
    const data = randomData(dims.reduce((a, b) => a * b))
    const raw = startRaw(file, input, dims)
    const built = await trt.buildEngine({ onnx: file, shapes: { [input]: dims }, backend: 'onnxruntime' })
    const engine = await trt.loadEngine(built.plan)
    const feeds = { [input]: new trt.Tensor('float32', data, dims) }
    const rates = await inTurns(ROUNDS, {
      raw: () => raw.rate(),
      one: () => rate(WINDOW_MS, 1, () => engine.infer(feeds)),
      two: () => rate(WINDOW_MS, 2, () => engine.infer(feeds)),
    })
    raw.end()
    await engine.close()
    const toRaw = (name) => median(rates[name]) / median(rates.raw)
    results.push(
      { what: `${name}: two calls at a time, to run()`, ratio: toRaw('two'), atLeast: 0.95 },
      { what: `${name}: one call at a time, to run()`, ratio: toRaw('one') },
    )
  }
  return results
}

/** onnxruntime-node's run() in a process of its own: in this one, each would meet the other's threads. */
function startRaw(file, input, dims) {
  const child = fork(RAW, [file, input, dims.join(',')])
  return {
    async rate() {
      child.send(WINDOW_MS)
      const [answer] = await once(child, 'message')
      return answer
    },
    end: () => child.disconnect(),
  }
}
