import type { CalibrationSamples } from './onnx/calibration/calibrate.js'
import type { CalibrationMethod } from './onnx/calibration/thresholds.js'
import type { InputValues } from './onnx/lint/likely-values.js'
import type { Model } from './onnx/model/model.js'
import type { QuantizationSelection } from './onnx/passes/quantization/plan.js'

/** The engines that can stand behind an {@link Engine}. */
export type BackendName = 'tensorrt' | 'tensorrt-rtx' | 'onnxruntime'

/** A number of bytes: an integer, or a text such as `'512MiB'`, `'2GiB'`, `'1.5GB'` (KiB…TiB are powers of 1024, kB…TB of 1000). */
export type ByteSize = number | string

/** The range of shapes that one optimization profile allows for an input; TensorRT tunes for `opt`. */
export interface ShapeRange {
  readonly min: readonly number[]
  readonly opt: readonly number[]
  readonly max: readonly number[]
}

/** By input name: a fixed shape, or a range. Static inputs may be left out. One value is one optimization profile. */
export type Shapes = { readonly [input: string]: readonly number[] | ShapeRange }

/** GPU generations that TensorRT-RTX can build for without having them, as NVIDIA numbers compute capabilities. */
export type ComputeCapability = '7.5' | '8.0' | '8.6' | '8.9' | '12.0' | '12.1'

/** TensorRT's pools besides the workspace (`nvinfer1::MemoryPoolType`), each a limit in bytes. */
export interface MemoryPools {
  readonly dlaManagedSram?: ByteSize
  readonly dlaLocalDram?: ByteSize
  readonly dlaGlobalDram?: ByteSize
  readonly tacticDram?: ByteSize
  readonly tacticSharedMemory?: ByteSize
}

/** `nvinfer1::TacticSource`: the kernel libraries that the builder may choose from. */
export type TacticSource = 'cublas' | 'cublas-lt' | 'cudnn' | 'edge-mask-convolutions' | 'jit-convolutions'

/**
 * Where the ranges of activations come from: samples of real inputs; the path of a folder of samples; the path of a
 * calibration cache, as TensorRT writes it too; or ranges, as `onnx.calibrate` gives them.
 *
 * In a folder each `.npz` file is a sample with arrays by the names of the inputs, as is each folder in it of `.npy` files
 * of these names; where the model has a single input, each `.npy` file is a sample too.
 */
export type Calibration = CalibrationSamples | string | URL | { readonly [value: string]: number }

/**
 * How to quantise; what is selected is described at `onnx.quantize`. A model that carries QuantizeLinear and
 * DequantizeLinear already is not quantised again.
 */
export interface QuantizationOptions<Method extends CalibrationMethod = CalibrationMethod>
  extends Partial<QuantizationSelection> {
  readonly calibration: Calibration
  /** How ranges are chosen of samples. Default `'percentile'` for int8, `'max'` for fp8. */
  readonly method?: Method
  /** Of the method `percentile`: which share of the values is held, in percent. Default 99.99. */
  readonly percentile?: number
  /** Whether scales are powers of two. Default false. */
  readonly powerOfTwo?: boolean
  /**
   * A file of ranges, in the format of TensorRT's calibration caches: read instead of calibrating where it is there,
   * written where it is not. Take it away when model or samples change.
   */
  readonly cache?: string
}

/** What a build says about its progress. */
export interface BuildProgress {
  /** The innermost running phase, by TensorRT's own name for it; `'heartbeat'` says only that the build goes on. */
  readonly phase: string
  /** The phases around it, outermost first. */
  readonly parents: readonly string[]
  /** Steps of this phase that are done. */
  readonly step: number
  /** Steps of this phase in all; 0 where unknown. */
  readonly steps: number
  /** Milliseconds since the build began. */
  readonly elapsedMs: number
}

/** How severe a line of the log is, as TensorRT grades them. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Takes the log; `console`, pino and winston loggers fit. */
export type Logger = { readonly [Level in LogLevel]: (message: string) => void }

/** Options of {@link buildEngine}. Defaults are TensorRT's own unless stated. */
export interface BuildOptions {
  /** The model: a path, a `file:` URL, its bytes, or a model as `onnx.read` gives it, edits included. */
  readonly onnx: string | URL | Uint8Array | Model
  /**
   * Shapes of the dynamic inputs. An array gives several optimization profiles.
   * May be left out where every input is static.
   */
  readonly shapes?: Shapes | readonly Shapes[]
  /** Which engine to build for. Default `'auto'`: what can also infer on this machine. */
  readonly backend?: 'auto' | BackendName
  /** TensorRT-RTX: the GPUs to build for, which need not be here. Default: the GPU at hand, else every one it knows. */
  readonly target?: { readonly computeCapabilities: readonly ComputeCapability[] }
  /**
   * Compute in fp16 where that is safe. TensorRT 10 chooses by itself; for TensorRT 11, RTX, and with `stronglyTyped`, the
   * model is converted first, as `onnx.convertPrecision` does, inputs and outputs kept; one that carries fp16 or bf16
   * already is built as it is.
   */
  readonly fp16?: boolean
  /** Compute in bf16 where that is safe, as `fp16`. Needs compute capability 8.0. */
  readonly bf16?: boolean
  /**
   * Compute in int8 where that is fast: the model is calibrated on onnxruntime's CPU and quantised first, as
   * `onnx.calibrate` and `onnx.quantize` do, on every backend. What stays is fp32, or fp16 with `fp16`. With `repair` it is
   * the repaired model that is calibrated; inputs of samples that became constants are left out.
   */
  readonly int8?: QuantizationOptions
  /**
   * The same with float8 (e4m3fn), which needs compute capability 8.9. Its steps grow with the values, so that of the
   * methods only those make sense that do not presume even ones.
   */
  readonly fp8?: QuantizationOptions<'max' | 'percentile'>
  /** Allow TF32 for fp32 matrix products (TensorRT's default: on). */
  readonly tf32?: boolean
  /** Take every type from the model, and none from the builder (always so on TensorRT 11.x and RTX). */
  readonly stronglyTyped?: boolean
  /** Upper limit of the scratch memory that a layer may use. */
  readonly workspace?: ByteSize
  /** Upper limits of the other memory pools. */
  readonly memoryPools?: MemoryPools
  /** How long to search for fast kernels, 0 (shortest) to 5. */
  readonly optimizationLevel?: 0 | 1 | 2 | 3 | 4 | 5
  /** A file of kernel timings: read where it is there, merged, and written back atomically. */
  readonly timingCache?: string
  /** Use kernels for 2:4 structured sparse weights. */
  readonly sparsity?: boolean
  /** A plan that later TensorRT versions can load. */
  readonly versionCompatible?: boolean
  /** A plan that other GPUs can run: `'ampere+'` (8.0 and later), or those of the same compute capability. */
  readonly hardwareCompatibility?: 'none' | 'ampere+' | 'same-compute-capability'
  /** A plan whose weights can be replaced: `true`, or `'identical'` where they will be the same ones. */
  readonly refittable?: boolean | 'identical'
  /** A plan without weights, to be refitted before use. */
  readonly stripPlan?: boolean
  /** A plan whose weights can be streamed from host memory. Needs strong typing. */
  readonly weightStreaming?: boolean
  /** How much of the layers the plan remembers for profilers and inspectors. */
  readonly profilingVerbosity?: 'none' | 'layer-names' | 'detailed'
  /** Upper limit of the streams that TensorRT may run beside the main one. */
  readonly maxAuxStreams?: number
  /** Kernel libraries that the builder may choose from. */
  readonly tacticSources?: readonly TacticSource[]
  /**
   * TensorRT 10 and 11: libraries of plugins that the model's nodes need, as paths, or `'builtin'` for this package's own
   * (CustomLayerNormalization, CustomPRelu). The engine needs them again in {@link LoadOptions.plugins}.
   */
  readonly plugins?: readonly string[]
  /**
   * Mend the model first where TensorRT refuses it: see {@link repair}. Shapes that are left out are proposed. `values` says
   * what inputs are always fed with, so that they may become constants.
   */
  readonly repair?: boolean | { readonly values?: InputValues }
  /** `'process'` (default) builds in a child process; `'thread'` on a thread of this one. */
  readonly isolation?: 'process' | 'thread'
  /** A folder that holds TensorRT, before every other place that is searched. */
  readonly tensorrt?: string
  /** Cancels the build. */
  readonly signal?: AbortSignal
  /** Told of progress, and every second that TensorRT is silent. */
  readonly onProgress?: (progress: BuildProgress) => void
  /** Takes the log. Default: nothing is printed. */
  readonly logger?: Logger
}

/** Bounds of an engine's queue. */
export interface QueueOptions {
  /** Calls that may wait, besides those that compute; 0: none waits. Past it a call rejects at once, with `QUEUE_FULL`. */
  readonly maxWaiting?: number
  /** Milliseconds that a call may wait; then it rejects with `QUEUE_TIMEOUT`. */
  readonly maxWaitMs?: number
}

/** Which CUDA graphs an engine keeps. */
export interface CudaGraphOptions {
  /** The most graphs that each context keeps, from 1 to 64; past it the least recently used is dropped. Default 8. */
  readonly max?: number
}

/** Options of {@link loadEngine}. */
export interface LoadOptions {
  /** The CUDA device. Default 0. */
  readonly device?: number
  /**
   * Execution contexts, from 1 to 1024: as many calls compute at once, each on a stream and a thread of its own. Each takes
   * activation memory and memory for inputs and outputs of the largest shapes (see `Engine.memory`); the weights are there
   * once. Default 1. The CPU backend, where one inference uses all cores, takes no notice.
   */
  readonly contexts?: number
  /** How many calls may wait for a context, and how long; past it they are rejected. Default: no limits. */
  readonly queue?: QueueOptions
  /**
   * Hands the GPU the engine's work as one CUDA graph, instead of kernel by kernel, which helps where the host is slower
   * than the GPU (see `enqueue` in `EngineStats.latency`). A graph is for one set of shapes, in one context. From the
   * second call on that brings such shapes to a context they get a TensorRT context of their own, which costs that call
   * some time; the third call captures, and further ones launch. Where an engine or a call cannot have one, it computes
   * without, and `EngineStats.graphs` says why. On TensorRT-RTX a graph keeps the kernels that it was captured with, also
   * where better ones for its shapes are compiled later. Default false. The CPU backend has none, and says so in its log.
   */
  readonly cudaGraphs?: boolean | CudaGraphOptions
  /**
   * Times every layer of every call; see `Engine.profile`. Costs some time itself, and turns CUDA graphs off. Default false.
   * The CPU backend takes no notice, and says so in its log.
   */
  readonly profile?: boolean
  /**
   * Device memory for the weights of an engine that was built with {@link BuildOptions.weightStreaming}; what lies beyond is
   * copied from the host at each call, which takes time. `'auto'`: what TensorRT thinks that is free. Default: all of them
   * on the GPU. See `Engine.memory`. The CPU backend takes no notice, and says so in its log.
   */
  readonly weightStreamingBudget?: ByteSize | 'auto'
  /** `'auto'` (default) takes the backend that the file was made by. */
  readonly backend?: 'auto' | BackendName
  /** A folder that holds TensorRT, before every other place that is searched. */
  readonly tensorrt?: string
  /**
   * Lets TensorRT run the host code that the plan brings, which the plans of {@link BuildOptions.versionCompatible} do
   * (their runtime) and others do not. Default false: such a plan is a program with the rights of this process, so that a
   * plan from elsewhere would be code from elsewhere. TensorRT refuses a plan with host code otherwise (`LOAD_FAILED`).
   * The CPU backend's engines have none, and take no notice.
   */
  readonly allowHostCode?: boolean
  /** TensorRT 10 and 11: libraries of the plugins that the engine was built with; see {@link BuildOptions.plugins}. */
  readonly plugins?: readonly string[]
  /** Gives up loading. */
  readonly signal?: AbortSignal
  /** Takes the log. Default: nothing is printed. */
  readonly logger?: Logger
}

/** Options of `engine.infer`. */
export interface InferOptions {
  /** The outputs to give back. Default: all. */
  readonly outputs?: readonly string[]
  /** Rejects the call with `ABORTED`. What already computes is left to finish. */
  readonly signal?: AbortSignal
}
