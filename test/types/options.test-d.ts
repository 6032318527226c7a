// Compiled by `npm test`, never run: a wrong option has to be a compile error. `@ts-expect-error` fails where it is none.
import * as trt from 'tensorrt-node'

await trt.buildEngine({ onnx: 'model.onnx' })
await trt.buildEngine({ onnx: await trt.onnx.read('model.onnx') })
await trt.buildEngine({ onnx: new Uint8Array(), shapes: { x: [1, 3] }, workspace: '2GiB', fp16: true })
await trt.buildEngine({ onnx: 'm', shapes: [{ x: { min: [1], opt: [2], max: [4] } }, { x: [8] }] })
await trt.buildEngine({ onnx: 'm', target: { computeCapabilities: ['8.9', '12.0'] } })

await trt.buildEngine({ onnx: 'm', int8: { calibration: 'samples', method: 'entropy', keepNodes: ['/head/*'] } })
await trt.buildEngine({ onnx: 'm', fp8: { calibration: [{ x: new trt.Tensor('float32', new Float32Array(1)) }] } })
await trt.buildEngine({ onnx: 'm', int8: { calibration: { x: 1 } } })

// @ts-expect-error the model is missing
await trt.buildEngine({})
// @ts-expect-error misspelt
await trt.buildEngine({ onnx: 'm', workSpace: '2GiB' })
// @ts-expect-error no such backend
await trt.buildEngine({ onnx: 'm', backend: 'cuda' })
// @ts-expect-error a boolean
await trt.buildEngine({ onnx: 'm', fp16: 'yes' })
// @ts-expect-error calibration is missing
await trt.buildEngine({ onnx: 'm', int8: {} })
// @ts-expect-error presumes even steps
await trt.buildEngine({ onnx: 'm', fp8: { calibration: 's', method: 'entropy' } })
// @ts-expect-error 0 to 5
await trt.buildEngine({ onnx: 'm', optimizationLevel: 6 })
// @ts-expect-error no such GPU
await trt.buildEngine({ onnx: 'm', target: { computeCapabilities: ['9.9'] } })
// @ts-expect-error opt is missing
await trt.buildEngine({ onnx: 'm', shapes: { x: { min: [1], max: [4] } } })
// @ts-expect-error no such level
await trt.buildEngine({ onnx: 'm', profilingVerbosity: 'loud' })

const engine = await trt.loadEngine('model.engine', { device: 0 })
// @ts-expect-error a number
await trt.loadEngine('model.engine', { device: 'cuda:0' })
const { y } = await engine.infer({ x: new trt.Tensor('float32', new Float32Array(1)) })
// @ts-expect-error an output may be missing by that name
y.dims
// @ts-expect-error float32 is held by a Float32Array
new trt.Tensor('float32', new Float64Array(1))
// @ts-expect-error no such type
new trt.Tensor('float8', new Uint8Array(1))
// @ts-expect-error tensors, not arrays
await engine.infer({ x: [1, 2, 3] })

await using batcher = trt.batch(engine, { maxBatch: 16, maxDelayMs: 2 })
await trt.batch(batcher).infer({ x: new trt.Tensor('float32', new Float32Array(1)) }, { outputs: ['y'] })
// @ts-expect-error no such option
trt.batch(engine, { maxDelay: 2 })
await trt.cachedEngine({ onnx: 'm', shapes: { x: [1] }, device: 1, cacheDir: '/c', maxBytes: '1GiB' })
// @ts-expect-error the model is missing
await trt.cachedPlan({ cacheDir: '/c' })
const [report] = await trt.bench({ engine, batcher }, { concurrency: 4, shapes: { x: [1] } })
const p99: number | undefined = report?.latency.p99
// @ts-expect-error engines by name
await trt.bench(engine)
// @ts-expect-error no tracer
trt.traceTo({ startSpan: 1 })

const code: trt.TrtErrorCode = 'ABORTED'
// @ts-expect-error no such code
const wrong: trt.TrtErrorCode = 'OOPS'
void [code, wrong, p99]
