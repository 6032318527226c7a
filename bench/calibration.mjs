// How fast samples are calibrated by, beside runs of the same model on onnxruntime that nobody looks at. Both from opening the
// model to the end; the samples are many, so that what is done once counts little.
import * as trt from 'tensorrt-node'
import { inTurns, MODELS, median, randomData } from './measure.mjs'

const SAMPLES = 20
const ROUNDS = 2
/** Entropy and mse count as percentile does, and differ by what they do once. */
const METHODS = ['max', 'percentile']

export const title = 'Calibration'

export async function measure() {
  const rows = []
  for (const name of ['detection', 'recognition']) {
    const { file, input, dims } = MODELS[name]
    const model = await trt.onnx.read(file)
    const count = dims.reduce((product, dim) => product * dim, 1)
    const samples = [1, 2, 3, 4].map((seed) => ({ [input]: new trt.Tensor('float32', randomData(count, seed), dims) }))
    const feeds = Array.from({ length: SAMPLES }, (_, index) => samples[index % samples.length])
    const raw = async () => {
      const runner = await trt.onnx.openRunner(model, { optimization: 'all' })
      for (const feed of feeds) await runner.run(feed)
      await runner.close()
    }
    const works = {
      raw,
      ...Object.fromEntries(METHODS.map((method) => [method, calibration(method)])),
    }
    const times = await inTurns(ROUNDS, works)
    for (const method of METHODS) {
      const ratio = median(times.raw) / median(times[method])
      rows.push({ what: `${name}: samples a second by ${method} / runs a second`, ratio, atLeast: 0.9 })
    }
    function calibration(method) {
      return async () => {
        await trt.onnx.calibrate(model, feeds, { method })
      }
    }
  }
  return rows
}
