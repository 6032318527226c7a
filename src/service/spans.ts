/**
 * OpenTelemetry spans from the tracing channels, for any tracer of that shape; `@opentelemetry/api` is no dependency, not
 * even an optional one, since what is needed of it are four methods.
 */

import { tracingChannel } from 'node:diagnostics_channel'
import { messageOf, TrtError } from '../errors.js'
import { Model } from '../onnx/index.js'
import type { TensorLike } from '../tensor.js'
import type { BuildTrace, InferTrace, LoadTrace, Traces } from '../tracing.js'

type Attributes = Record<string, string | number | string[]>

/** What is needed of an OpenTelemetry `Span`. */
export interface SpanLike {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: 2; message: string }): unknown
  recordException(error: Error): unknown
  end(): void
}

/** What is needed of an OpenTelemetry `Tracer`. */
export interface TracerLike {
  startSpan(name: string, options: { attributes: Attributes }): SpanLike
}

/** `SpanStatusCode.ERROR` of OpenTelemetry's API. */
const ERROR = 2

/** What a span says: at its start of what was asked for, at its end of what came. */
const ATTRIBUTES: { [Name in keyof Traces]: (trace: Traces[Name]) => Attributes } = {
  build: ({ options, result }: BuildTrace) => ({
    'tensorrt_node.model': nameOf(options.onnx),
    ...(result && engineAttributes(result)),
    ...(result && { 'tensorrt_node.precision': result.precision }),
  }),
  load: ({ engine, result }: LoadTrace) => ({
    'tensorrt_node.engine': nameOf(engine),
    ...(result && engineAttributes(result)),
  }),
  infer: ({ engine, feeds, result }: InferTrace) => ({
    ...engineAttributes(engine),
    'tensorrt_node.inputs': shapesOf(feeds),
    ...(result && { 'tensorrt_node.outputs': shapesOf(result) }),
  }),
}

/**
 * Makes a span of every build (`tensorrt-node build`), load and inference from now on, as a child of the span that is
 * active where the call is made. A failed one has the error's code as `error.type`.
 *
 * @example
 * import { trace } from '@opentelemetry/api'
 * const stop = trt.traceTo(trace.getTracer('tensorrt-node'))
 *
 * @returns ends it; operations under way still end their spans
 */
export function traceTo(tracer: TracerLike): () => void {
  if (typeof tracer?.startSpan !== 'function') {
    throw new TrtError('INVALID_ARGUMENT', 'traceTo: expected an OpenTelemetry Tracer, with a function startSpan')
  }
  const stops = (['build', 'load', 'infer'] as const).map((operation) => subscribe(tracer, operation))
  return () => {
    for (const stop of stops) stop()
  }
}

function subscribe<Name extends keyof Traces>(tracer: TracerLike, operation: Name): () => void {
  const { start, asyncEnd } = tracingChannel(`tensorrt-node:${operation}`)
  /** By message, which is the same object in all events of one operation. */
  const spans = new Map<unknown, SpanLike>()
  let stopped = false
  const open = (trace: unknown): void => {
    const attributes = ATTRIBUTES[operation](trace as Traces[Name])
    spans.set(trace, tracer.startSpan(`tensorrt-node ${operation}`, { attributes }))
  }
  const close = (trace: unknown): void => {
    const span = spans.get(trace)
    if (span !== undefined) finish(span, ATTRIBUTES[operation](trace as Traces[Name]), trace as Traces[Name])
    spans.delete(trace)
    if (stopped && spans.size === 0) asyncEnd.unsubscribe(close)
  }
  start.subscribe(open)
  asyncEnd.subscribe(close)
  return () => {
    stopped = true
    start.unsubscribe(open)
    if (spans.size === 0) asyncEnd.unsubscribe(close)
  }
}

function finish(span: SpanLike, attributes: Attributes, { error }: { readonly error?: TrtError }): void {
  span.setAttributes(attributes)
  if (error !== undefined) {
    // A program's own onProgress or logger may have thrown, which is no TrtError.
    span.setAttributes({ 'error.type': error instanceof TrtError ? error.code : 'Error' })
    span.setStatus({ code: ERROR, message: messageOf(error) })
    span.recordException(error)
  }
  span.end()
}

function engineAttributes({ backend, version }: { backend: string; version: string }): Attributes {
  return { 'tensorrt_node.backend': backend, 'tensorrt_node.version': version }
}

function nameOf(source: string | URL | Uint8Array | Model): string {
  if (source instanceof Model) return source.path ?? 'an onnx.Model'
  return source instanceof Uint8Array ? `${source.byteLength} bytes` : String(source)
}

/** E.g. `images float32[1,3,224,224]`. A call may be traced whose feeds are about to be refused. */
function shapesOf(tensors: { readonly [name: string]: Pick<TensorLike, 'type' | 'dims'> }): string[] {
  return Object.entries(tensors ?? {}).map(([name, tensor]) => `${name} ${tensor?.type}[${tensor?.dims}]`)
}
