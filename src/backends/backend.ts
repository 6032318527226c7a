/**
 * What a backend is: the one interface between the public API and the engines behind it.
 *
 * The API has validated everything before a backend sees it: option types and ranges (`api/validate-options`), shapes
 * against the model (`api/resolve-profiles`), feeds against the engine (`api/engine`). A backend refuses, with
 * `UNSUPPORTED`, what its engine cannot do; it never drops an option in silence.
 */

import type { DeviceTensor } from '../device-tensor.js'
import type { QuantizeOptions } from '../onnx/index.js'
import type {
  BackendName,
  BuildOptions,
  BuildProgress,
  ComputeCapability,
  Logger,
  ShapeRange,
  TacticSource,
} from '../options.js'
import type { DataType, Tensor } from '../tensor.js'

/** An input or output of an engine. */
export interface TensorInfo {
  readonly name: string
  readonly type: DataType
  /** The shape, -1 where a dimension is dynamic. */
  readonly shape: readonly number[]
}

/** One optimization profile: the range of every input, by name. */
export type Profile = { readonly [input: string]: ShapeRange }

/** The model to build from, whichever way it was given. */
export type ModelSource = { readonly path: string } | { readonly bytes: Uint8Array }

/** {@link BuildOptions} after validation: shapes resolved against the model, byte sizes as numbers. */
export interface BuildRequest {
  readonly model: ModelSource
  /** At least one; each holds every input of the model, the static ones as min = opt = max. */
  readonly profiles: readonly Profile[]
  /** The options that the user set, byte sizes as numbers; an absent one was not set. */
  readonly settings: BuildSettings
}

/** How a model is quantised: the calibrated ranges, and what else the pass `quantize` takes. */
export type QuantizationSettings = Pick<QuantizeOptions, 'ranges'> & Partial<Omit<QuantizeOptions, 'to' | 'ranges'>>

/** The options that shape a plan. Absent means: as TensorRT's default. All plain data, so it crosses processes. */
export interface BuildSettings
  extends Pick<
    BuildOptions,
    | 'fp16'
    | 'bf16'
    | 'tf32'
    | 'stronglyTyped'
    | 'optimizationLevel'
    | 'sparsity'
    | 'versionCompatible'
    | 'hardwareCompatibility'
    | 'refittable'
    | 'stripPlan'
    | 'weightStreaming'
    | 'profilingVerbosity'
    | 'maxAuxStreams'
    | 'plugins'
  > {
  readonly int8?: QuantizationSettings
  readonly fp8?: QuantizationSettings
  readonly computeCapabilities?: readonly ComputeCapability[]
  readonly tacticSources?: readonly TacticSource[]
  /** Bytes. */
  readonly workspace?: number
  /** Bytes by pool. */
  readonly memoryPools?: {
    readonly dlaManagedSram?: number
    readonly dlaLocalDram?: number
    readonly dlaGlobalDram?: number
    readonly tacticDram?: number
    readonly tacticSharedMemory?: number
  }
  /** Absolute path of the timing cache. */
  readonly timingCache?: string
}

/** How a build talks back while it runs. */
export interface BuildControl {
  readonly isolation: 'process' | 'thread'
  /**
   * The caller left the choice of backend to the package. Options that only make a TensorRT engine faster or smaller
   * then become warnings where the chosen backend lacks them; asked for by name, a backend refuses them.
   */
  readonly lenient: boolean
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: BuildProgress) => void) | undefined
  /** Undefined where nobody listens, so that a log of thousands of lines need not be carried. */
  readonly logger: Logger | undefined
}

/** What a backend's build gives back. */
export interface BuildOutcome {
  /** The engine file's bytes. */
  readonly plan: Uint8Array
  /** What really computes, e.g. `'fp32'`, `'fp16'` (as the model or builder flags have it). */
  readonly precision: string
  /** The library's version, e.g. `'1.7.1.116'`. */
  readonly version: string
  /** The GPUs that the plan runs on, as compute capabilities; empty where it needs none. */
  readonly computeCapabilities: readonly string[]
  /** What the user should know, e.g. that fp16 was computed in fp32. */
  readonly warnings: readonly string[]
}

/** How to load. */
export interface LoadRequest {
  readonly device: number
  /** Execution contexts, each of which serves a call at a time. */
  readonly contexts: number
  /** CUDA graphs of each context; 0: none. */
  readonly cudaGraphs: number
  /** Whether each layer is timed. */
  readonly profile: boolean
  /** Bytes of device memory for weights that can be streamed. */
  readonly weightStreamingBudget: number | 'auto' | undefined
  /** Whether the plan may run host code of its own. */
  readonly allowHostCode: boolean
  /** Plugin libraries, as `'builtin'` or absolute paths. */
  readonly plugins: readonly string[]
  /** Ends the load with `ABORTED`, after which nothing of it is left that could be ended. */
  readonly signal: AbortSignal | undefined
  readonly logger: Logger
}

/**
 * Milliseconds that the stages of a slot's last run took: by the GPU's own clock, and by the host's `enqueue`, which is what
 * it took to hand the computation to the GPU, and `run`, which is all together. A slot has one such object, and its next
 * run writes it anew.
 */
export interface StageTimes {
  readonly hostToDevice: number
  readonly compute: number
  readonly deviceToHost: number
  readonly enqueue: number
  readonly run: number
}

/** What an engine did with CUDA graphs, in all its contexts. */
export interface GraphStats {
  /** Graphs that were captured. */
  readonly captured: number
  /** Calls that launched one. */
  readonly launched: number
  /** Graphs that made room for others, or were no longer valid. */
  readonly dropped: number
  /** Why a call had to do without, the first time that one had to. */
  readonly fallback?: string
}

/** What a run takes. */
export interface RunRequest {
  /** Of all inputs, in their order. */
  readonly feeds: readonly (Tensor | DeviceTensor)[]
  /** The outputs to give, in the engine's order. */
  readonly outputs: readonly string[]
  readonly profile: number
}

/** What a run gives back. */
export interface RunOutcome {
  readonly results: Record<string, Tensor>
  /** Absent where the backend does not measure them. */
  readonly times?: StageTimes
}

/** What a run gives back whose outputs stay on the device. */
export interface DeviceRunOutcome {
  readonly results: Record<string, DeviceTensor>
  readonly times: StageTimes
}

/** What the calls of an engine took in one of its layers, by the GPU's clock. */
export interface LayerProfile {
  /** As TensorRT names it, often after several nodes of the model that it joined. */
  readonly name: string
  /** Calls that are in these figures. */
  readonly runs: number
  /** Milliseconds of a call, on average. */
  readonly meanMs: number
  readonly minMs: number
  readonly maxMs: number
  /** Of the time of all layers, from 0 to 1. */
  readonly share: number
}

/** A layer of an engine. */
export interface LayerInfo {
  readonly name: string
  /** TensorRT's own description: its type, inputs, outputs, tactic. Of plans with `profilingVerbosity: 'detailed'` only. */
  readonly details?: { readonly [key: string]: unknown }
}

/** Bytes that an engine takes; see `Engine.memory`. */
export interface EngineMemory {
  /** Of the weights, on the GPU unless they are streamed. Absent where TensorRT is older than 10.11 and does not tell. */
  readonly weights?: number
  /** Device memory for intermediate results, of each execution context. */
  readonly activationPerContext: number
  /** Of the weights that can be streamed; absent unless the engine was loaded with `weightStreamingBudget`. */
  readonly streamableWeights?: number
  /** Device memory for these; absent likewise. As much as they are: none is streamed. */
  readonly weightStreamingBudget?: number
  /** Page-locked host memory of the contexts and the bindings. */
  readonly pinned: number
  /** Device memory of the inputs and outputs of the contexts, and of each `DeviceTensor`, also for those to come. */
  readonly device: number
}

/** Inputs and outputs at fixed shapes, in memory that the backend computes from and to. */
export interface BackendBinding {
  readonly inputs: Record<string, Tensor>
  readonly outputs: Record<string, Tensor>
  run(slot: number): Promise<StageTimes>
  /** The same on the calling thread. */
  runSync(slot: number): StageTimes
  /** Empties the views. Not called while it runs. */
  close(): void
}

/** A loaded engine as a backend gives it. */
export interface BackendEngine {
  /** How many calls it serves at a time, each in a slot of its own: 0 to `slots` − 1. */
  readonly slots: number
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  /** At least one; each names every input. */
  readonly profiles: readonly Profile[]
  readonly precision: string
  readonly version: string
  /**
   * Computes in `slot`, which is free (`api/call-queue` sees to it) until the promise settles. Settles when the call is
   * really over: the API rejects an aborted one at once, and `signal` is here for a stage that has not begun.
   */
  run(slot: number, request: RunRequest, signal?: AbortSignal): Promise<RunOutcome>
  /** The same; absent where the backend computes on no device. */
  runToDevice?(slot: number, request: RunRequest): Promise<DeviceRunOutcome>
  /** @param shapes of all inputs, in their order; absent where the backend has no such memory */
  createBinding?(slot: number, shapes: readonly (readonly number[])[], profile: number): Promise<BackendBinding>
  /** Absent where the backend does not tell. */
  memory?(): EngineMemory
  /** What the layers took, where they are timed; may be called when it is closed. Absent where the backend has no layers of its own. */
  profile?(): readonly LayerProfile[] | undefined
  layers?(slot: number): Promise<readonly LayerInfo[]>
  /** While no other slot runs. */
  refit?(slot: number, weights: readonly (readonly [name: string, tensor: Tensor])[]): Promise<void>
  /** Gives `undefined` where there are to be none; may be called when it is closed. */
  graphs?(): GraphStats | undefined
  /** Ends it. Called once, when no run is in flight. */
  close(): Promise<void>
}

/** An engine behind the API. */
export interface Backend {
  readonly name: BackendName
  /** @throws {TrtError} see {@link TrtErrorCode}; leaves no file and no process behind */
  build(request: BuildRequest, control: BuildControl): Promise<BuildOutcome>
  /** @param engine the engine file's bytes, or its path, whose header the API has recognised already */
  load(engine: { readonly path: string } | { readonly bytes: Uint8Array }, request: LoadRequest): Promise<BackendEngine>
}
