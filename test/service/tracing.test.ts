import { tracingChannel } from 'node:diagnostics_channel'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import * as trt from 'tensorrt-node'
import { afterEach, expect, test, vi } from 'vitest'
import { failure } from '../helpers/errors.ts'
import { makeModel, node } from '../helpers/onnx-model.js'

const model = makeModel({
  inputs: { x: ['float32', ['N']] },
  outputs: { y: ['float32', ['N']] },
  nodes: [node('Neg', ['x'], ['y'])],
})
const build: trt.BuildOptions = { onnx: model, backend: 'onnxruntime', shapes: { x: { min: [1], opt: [2], max: [4] } } }
const x = new trt.Tensor('float32', Float32Array.of(1, 2))

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

test('the channels tell of builds, loads and inferences, and of how they ended', async () => {
  const events: [string, string, object][] = []
  for (const operation of ['build', 'load', 'infer']) {
    const channel = tracingChannel(`tensorrt-node:${operation}`)
    const listeners = Object.fromEntries(
      (['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const).map((event) => [
        event,
        (message: unknown) => void events.push([operation, event, message as object]),
      ]),
    ) as unknown as Parameters<typeof channel.subscribe>[0]
    channel.subscribe(listeners)
    cleanups.push(() => channel.unsubscribe(listeners))
  }
  const built = await trt.buildEngine(build)
  const engine = await trt.loadEngine(built.plan, { device: 0 })
  cleanups.push(() => engine.close())
  const results = await engine.infer({ x })
  const error = await failure('INVALID_INPUT', () => engine.infer({}))
  const sequence = ['start', 'end', 'asyncStart', 'asyncEnd']
  const failed = ['start', 'end', 'error', 'asyncStart', 'asyncEnd']
  expect(events.map(([operation, event]) => `${operation} ${event}`)).toEqual([
    ...sequence.map((event) => `build ${event}`),
    ...sequence.map((event) => `load ${event}`),
    ...sequence.map((event) => `infer ${event}`),
    ...failed.map((event) => `infer ${event}`),
  ])
  const messages = [...new Set(events.map(([, , message]) => message))]
  expect(messages[0]).toMatchObject({ options: build, result: built })
  expect(messages[1]).toMatchObject({ engine: built.plan, options: { device: 0 }, result: engine })
  expect(messages[2]).toMatchObject({ engine, feeds: { x }, result: results })
  expect(messages[3]).toMatchObject({ engine, feeds: {}, error })
})

test("OpenTelemetry's own SDK gets a span of each, under the caller's span, until it is told to stop", async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  cleanups.push(
    () => provider.shutdown(),
    () => trace.disable(),
    () => context.disable(),
  )
  const tracer = trace.getTracer('test')
  const started = vi.spyOn(tracer, 'startSpan')
  const stop = trt.traceTo(tracer)
  cleanups.push(stop)

  const parent = tracer.startSpan('request')
  const { plan, version } = await context.with(trace.setSpan(context.active(), parent), () => trt.buildEngine(build))
  const engine = await trt.loadEngine(plan)
  cleanups.push(() => engine.close())
  await engine.infer({ x })
  await failure('SHAPE_OUT_OF_PROFILE', () => engine.infer({ x: new trt.Tensor('float32', new Float32Array(9)) }))
  await failure('INVALID_INPUT', () => engine.infer(null as never))
  stop()
  await engine.infer({ x })

  expect(started).toHaveBeenCalledTimes(6)

  const spans = exporter.getFinishedSpans()
  expect(spans.map(({ name }) => name)).toEqual([
    'tensorrt-node build',
    'tensorrt-node load',
    'tensorrt-node infer',
    'tensorrt-node infer',
    'tensorrt-node infer',
  ])
  const [built, , good, bad] = spans
  const about = { 'tensorrt_node.backend': 'onnxruntime', 'tensorrt_node.version': version }
  expect(built?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId)
  expect(built?.attributes).toEqual({
    ...about,
    'tensorrt_node.model': `${model.byteLength} bytes`,
    'tensorrt_node.precision': 'fp32',
  })
  expect(good?.status.code).toBe(SpanStatusCode.UNSET)
  expect(good?.attributes).toEqual({
    ...about,
    'tensorrt_node.inputs': ['x float32[2]'],
    'tensorrt_node.outputs': ['y float32[2]'],
  })
  expect(bad?.status).toMatchObject({ code: SpanStatusCode.ERROR, message: expect.stringContaining('x [9]') })
  expect(bad?.attributes).toMatchObject({
    'error.type': 'SHAPE_OUT_OF_PROFILE',
    'tensorrt_node.inputs': ['x float32[9]'],
  })
  expect(bad?.events).toMatchObject([{ name: 'exception' }])
})
