import { createHistogram, type Histogram } from 'node:perf_hooks'
import type { GraphStats, StageTimes } from '../backends/backend.js'

/** What an engine has done since it was loaded, and does now. A snapshot, but for the histograms, which go on. */
export interface EngineStats {
  /** Calls that gave results. */
  readonly completed: number
  /** Calls that failed while they computed. */
  readonly failed: number
  /** Calls whose signal fired before they gave results. */
  readonly aborted: number
  /** Calls that the queue turned away: `QUEUE_FULL` and `QUEUE_TIMEOUT`. */
  readonly rejected: number
  /** Calls that compute now. */
  readonly running: number
  /** Calls that wait now. */
  readonly waiting: number
  /** The most that ever waited at once. */
  readonly mostWaiting: number
  /**
   * Nanoseconds, as `node:perf_hooks` histograms. `queue` is from the call to its turn, and 1 where it had it at once;
   * `total` from the call to its results, of `runSync` as the addon measures it, without the part of a microsecond that
   * JavaScript takes. `hostToDevice`, `compute` and `deviceToHost` are of the GPU's own clock, between events of the
   * stream: the copy of the inputs, the engine, and the copy of the outputs. `enqueue` is what the host took to hand the
   * engine's work to the GPU, as trtexec defines it: where it is no less than `compute`, the GPU waits for the host. On the
   * CPU backend, which does not measure these four, they stay empty.
   */
  readonly latency: { readonly [Stage in LatencyStage]: Histogram }
  /** CUDA graphs; absent unless the engine was loaded with `cudaGraphs`, and on the CPU backend. */
  readonly graphs?: GraphStats
}

/** What {@link EngineStats.latency} tells apart. */
export type LatencyStage = 'queue' | 'hostToDevice' | 'compute' | 'deviceToHost' | 'enqueue' | 'total'

/** Keeps {@link EngineStats}. */
export class StatsKeeper {
  readonly #latency = {
    queue: createHistogram(),
    hostToDevice: createHistogram(),
    compute: createHistogram(),
    deviceToHost: createHistogram(),
    enqueue: createHistogram(),
    total: createHistogram(),
  }
  completed = 0
  failed = 0
  aborted = 0
  rejected = 0
  mostWaiting = 0

  /** Notes a call that waited `ms` for its turn. */
  noteTurn(ms: number): void {
    this.#latency.queue.record(nanoseconds(ms))
  }

  /** Notes a call that gave results after `ms`. */
  noteResults(ms: number, times: StageTimes | undefined): void {
    this.completed++
    this.#latency.total.record(nanoseconds(ms))
    if (times === undefined) return
    this.#latency.hostToDevice.record(nanoseconds(times.hostToDevice))
    this.#latency.compute.record(nanoseconds(times.compute))
    this.#latency.deviceToHost.record(nanoseconds(times.deviceToHost))
    this.#latency.enqueue.record(nanoseconds(times.enqueue))
  }

  snapshot(running: number, waiting: number, graphs: GraphStats | undefined): EngineStats {
    const { completed, failed, aborted, rejected, mostWaiting } = this
    const counts = { completed, failed, aborted, rejected, running, waiting, mostWaiting }
    return { ...counts, latency: this.#latency, ...(graphs && { graphs }) }
  }
}

// A histogram takes integers from 1.
function nanoseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1e6))
}
