// How long the event loop waits while a build runs and while the CPU backend infers, beside onnxruntime-node's own
// run() in the main thread; and while 100 MB go in, beside a plain copy of them.
import ort from 'onnxruntime-node'
import * as trt from 'tensorrt-node'
import { eventLoopDelay, eventLoopHolds, inTurns, MODELS, median, randomData, repeatFor } from './measure.mjs'

const WINDOW_MS = 2000
const ROUNDS = 5
const MEGABYTES = 100

export const title = 'Event loop'

export async function measure() {
  return [...(await measureDelays()), ...(await measureHolds())]
}

async function measureDelays() {
  const { file, input, dims } = MODELS.detection
  const data = randomData(dims.reduce((a, b) => a * b))
  const build = (isolation) => () =>
    trt.buildEngine({
      onnx: file,
      shapes: { [input]: dims },
      backend: 'tensorrt-rtx',
      isolation,
      target: { computeCapabilities: ['8.9'] },
    })
  const built = await trt.buildEngine({ onnx: file, shapes: { [input]: dims }, backend: 'onnxruntime' })
  const engine = await trt.loadEngine(built.plan)
  const session = await ort.InferenceSession.create(file)
  const feeds = { [input]: new trt.Tensor('float32', data, dims) }
  const theirs = { [input]: new ort.Tensor('float32', data, dims) }
  const p99 = (work) => async () => (await eventLoopDelay(work)).p99
  const times = await inTurns(ROUNDS, {
    idle: p99(() => new Promise((resolve) => setTimeout(resolve, WINDOW_MS))),
    process: p99(() => repeatFor(WINDOW_MS, build('process'))),
    thread: p99(() => repeatFor(WINDOW_MS, build('thread'))),
    infer: p99(() => repeatFor(WINDOW_MS, () => engine.infer(feeds))),
    contrast: p99(() => repeatFor(WINDOW_MS, () => session.run(theirs))),
  })
  await engine.close()
  const idle = median(times.idle)
  const ratio = (name) => median(times[name]) / idle
  return [
    { what: "p99 delay while a build runs, isolation 'process', to idle", ratio: ratio('process'), atMost: 2 },
    { what: "p99 delay while a build runs, isolation 'thread', to idle", ratio: ratio('thread'), atMost: 2 },
    { what: 'p99 delay while the CPU backend infers, to idle', ratio: ratio('infer'), atMost: 2 },
    { what: 'the contrast: onnxruntime-node run() in the main thread, to idle', ratio: ratio('contrast') },
  ]
}

async function measureHolds() {
  const count = (MEGABYTES * 1e6) / 4
  const data = randomData(count)
  const target = new Float32Array(count)
  // Sum of the input: 100 MB in, 4 bytes out. Relu: 100 MB each way.
  const results = []
  for (const [op, says, carried] of [
    ['ReduceSum', '100 MB in', 1],
    ['Relu', '100 MB in and 100 MB out', 2],
  ]) {
    const built = await trt.buildEngine({ onnx: unaryModel(op, count), backend: 'onnxruntime' })
    const engine = await trt.loadEngine(built.plan)
    const feeds = { x: new trt.Tensor('float32', data) }
    const holds = { longest: [], total: [] }
    const times = await inTurns(ROUNDS, {
      copy: () => target.set(data),
      infer: async () => {
        const { longest, total } = await eventLoopHolds(() => engine.infer(feeds))
        holds.longest.push(longest)
        holds.total.push(total)
      },
    })
    await engine.close()
    const copy = median(times.copy)
    results.push(
      {
        what: `longest hold of one infer with ${says}, to a plain copy of 100 MB`,
        ratio: median(holds.longest) / copy,
        atMost: 1.5,
      },
      {
        what: `all holds of one infer with ${says}, for each 100 MB, to a plain copy of 100 MB`,
        ratio: median(holds.total) / carried / copy,
        atMost: 1.5,
      },
    )
  }
  return results
}

/** An ONNX model of one node, x float32[count] → y, written by hand: the field numbers are those of onnx.proto. */
function unaryModel(op, count) {
  const varint = (value) => (value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))])
  const field = (number, bytes) => [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]
  const int = (number, value) => [...varint(number * 8), ...varint(value)]
  const text = (number, value) => field(number, [...Buffer.from(value)])
  const value = (name, dims) => [
    ...text(1, name),
    ...field(
      2,
      field(1, [
        ...int(1, 1),
        ...field(
          2,
          dims.flatMap((dim) => field(1, int(1, dim))),
        ),
      ]),
    ),
  ]
  const node = [...text(1, 'x'), ...text(2, 'y'), ...text(4, op)]
  const output = value('y', op === 'ReduceSum' ? [1] : [count])
  const graph = [...field(1, node), ...text(2, 'g'), ...field(11, value('x', [count])), ...field(12, output)]
  return Uint8Array.from([...int(1, 8), ...field(7, graph), ...field(8, int(2, 13))])
}
