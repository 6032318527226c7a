// How fast samples are calibrated by, beside runs of the same model on onnxruntime that nobody looks at, and beside runs that
// give out the activations that are calibrated, which nobody looks at either. All from opening the model to the end; the
// samples are many, so that what is done once counts little.
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
    const activations = Object.keys(await trt.onnx.calibrate(model, samples.slice(0, 1), { method: 'max' }))
    const run = async (outputs) => {
      const runner = await trt.onnx.openRunner(model, { optimization: 'all', ...outputs })
      for (const feed of feeds) await runner.run(feed)
      await runner.close()
    }
    const works = {
      raw: () => run({}),
      giving: () => run({ outputs: activations }),
      ...Object.fromEntries(METHODS.map((method) => [method, calibration(method)])),
    }
    const times = await inTurns(ROUNDS, works)
    for (const method of METHODS) {
      const ratioTo = (other) => median(times[other]) / median(times[method])
      const what = `${name}: samples a second by ${method}`
      rows.push({ what: `${what} / runs a second`, ratio: ratioTo('raw'), atLeast: 0.9 })
      rows.push({ what: `${what} / runs a second that give the activations out`, ratio: ratioTo('giving') })
    }
    function calibration(method) {
      return async () => {
        await trt.onnx.calibrate(model, feeds, { method })
      }
    }
  }
  return rows
}
