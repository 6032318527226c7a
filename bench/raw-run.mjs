// onnxruntime-node's own run() in a process of its own, for throughput.mjs: as a service would use it that does nothing
// else. Arguments: model, input, dims (comma-separated). Answers each message, a window in ms, with inferences a second.
import ort from 'onnxruntime-node'
import { randomData, rate } from './measure.mjs'

const [file, input, dimsText] = process.argv.slice(2)
const dims = dimsText.split(',').map(Number)
const session = await ort.InferenceSession.create(file)
const feeds = { [input]: new ort.Tensor('float32', randomData(dims.reduce((a, b) => a * b)), dims) }

process.on('message', async (windowMs) => process.send(await rate(windowMs, 1, () => session.run(feeds))))
