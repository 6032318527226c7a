/**
 * What happens here, for who wants to watch: tracing channels of `node:diagnostics_channel`. They cost a check of a flag
 * where nobody listens, need no dependency, and are what tracing libraries (OpenTelemetry, Datadog, Sentry) listen to.
 *
 * | channel | an operation is | its message |
 * |---|---|---|
 * | `tensorrt-node:build` | one `buildEngine` | {@link BuildTrace} |
 * | `tensorrt-node:load` | one `loadEngine` | {@link LoadTrace} |
 * | `tensorrt-node:infer` | one call that reaches an engine; a batcher's joined calls are one | {@link InferTrace} |
 *
 * Each has the events of a `TracingChannel` that follows a promise: `start` and `end` around the synchronous part,
 * `asyncStart` and `asyncEnd` when the promise settles, `error` before these where it rejects. All events of one operation
 * share one message object, which gets `result` or `error` in the end.
 */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { DeviceTensor } from './device-tensor.js'
import type { TrtError } from './errors.js'
import type { BuildOptions, InferOptions, LoadOptions } from './options.js'
import type { TensorLike } from './tensor.js'

/** What is known of an operation once it is over; both are absent before. */
interface Outcome<Result> {
  readonly result?: Result
  readonly error?: TrtError
}

/** The message of `tensorrt-node:build`. */
export interface BuildTrace
  extends Outcome<{ readonly backend: string; readonly version: string; readonly precision: string }> {
  readonly options: BuildOptions
}

/** The message of `tensorrt-node:load`. */
export interface LoadTrace extends Outcome<{ readonly backend: string; readonly version: string }> {
  readonly engine: string | URL | Uint8Array
  readonly options: LoadOptions
}

/** The message of `tensorrt-node:infer`. */
export interface InferTrace extends Outcome<{ readonly [output: string]: TensorLike | DeviceTensor }> {
  readonly engine: { readonly backend: string; readonly version: string }
  readonly feeds: { readonly [input: string]: TensorLike | DeviceTensor }
  readonly options: InferOptions
}

/** The messages by operation. */
export interface Traces {
  readonly build: BuildTrace
  readonly load: LoadTrace
  readonly infer: InferTrace
}

const CHANNELS = {
  build: tracingChannel('tensorrt-node:build'),
  load: tracingChannel('tensorrt-node:load'),
  infer: tracingChannel('tensorrt-node:infer'),
} as const satisfies Record<keyof Traces, TracingChannel>

/** Does `work`, told on the channel of `operation` where somebody listens. */
export function traced<Name extends keyof Traces, Result>(
  operation: Name,
  message: Traces[Name],
  work: () => Promise<Result>,
): Promise<Result> {
  const channel: TracingChannel = CHANNELS[operation]
  return channel.hasSubscribers ? channel.tracePromise(work, message) : work()
}
