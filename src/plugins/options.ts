import type { Tensor, TensorLike } from '../tensor.js'
import type { PluginFieldInfo } from './messages.js'

/** TensorRT's tensor formats (`nvinfer1::TensorFormat`); those of DLA are not among them. */
export type PluginFormat = 'linear' | 'chw2' | 'hwc8' | 'chw4' | 'chw32' | 'dhwc8' | 'cdhw32' | 'hwc' | 'hwc16' | 'dhwc'

/** Every {@link PluginFormat}. */
export const PLUGIN_FORMATS: readonly PluginFormat[] = [
  'linear',
  'chw2',
  'hwc8',
  'chw4',
  'chw32',
  'dhwc8',
  'cdhw32',
  'hwc',
  'hwc16',
  'dhwc',
]

/** The types that a field of a plugin can have here (`nvinfer1::PluginFieldType`). */
export type FieldType = 'float16' | 'float32' | 'float64' | 'int8' | 'int16' | 'int32' | 'int64' | 'char' | 'bfloat16'

/**
 * A field of a node: a number, a text, or numbers. It goes to the plugin in the type that the creator announces for the
 * name; for a name that it does not announce, as `char`, as `int32` where every number is whole, or as `float32`.
 * `{ type, data }` says the type, whatever the creator announces.
 */
export type FieldValue =
  | number
  | boolean
  | string
  | readonly number[]
  | { readonly type: FieldType; readonly data: readonly number[] }

/** What to run; see {@link runPlugin}. */
export interface PluginRunOptions {
  /** A plugin library: a path, or `'builtin'` for this package's own (its emulated build on a machine without a GPU). */
  readonly library?: string
  /** The plugin's name, e.g. `'CustomPRelu'`. */
  readonly name: string
  /** Its version. Default `'1'`. */
  readonly version?: string
  /** Its namespace. Default: none. */
  readonly namespace?: string
  /** The node's fields. */
  readonly fields?: { readonly [name: string]: FieldValue }
  /** The inputs, row-major. */
  readonly inputs: readonly TensorLike[]
  /** The format of the first input, and of the outputs if the plugin agrees. Default `'linear'`. */
  readonly format?: PluginFormat
  /** The type to convert inputs of floating point to. Default: as they are. */
  readonly type?: 'float32' | 'float16' | 'bfloat16'
  /** The CUDA device. Default 0. */
  readonly device?: number
  /** On a GPU: time so many calls of `enqueue`, after ten that warm up. Default 0: none. */
  readonly iterations?: number
  /** A folder that holds TensorRT, for a library that needs it. */
  readonly tensorrt?: string
  /** Gives up: the process that runs the plugin is ended. */
  readonly signal?: AbortSignal
}

/** How long `enqueue` took on the GPU, by events in its stream. */
export interface PluginTiming {
  readonly iterations: number
  /** Microseconds. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** Bytes of all inputs and outputs, each once, over the median, in GB (1e9) a second. What fits L2 is read from there. */
  readonly gigabytesPerSecond: number
  /** Of the memory's peak as the driver tells it; absent where it does not. */
  readonly shareOfPeak?: number
}

/** What came of a run. */
export interface PluginRunResult {
  /** Row-major, whatever format the plugin wrote. */
  readonly outputs: readonly Tensor[]
  /** The library's path. */
  readonly library: string
  readonly interface: 'IPluginV2DynamicExt' | 'IPluginV3'
  /** `'emulated'`: kernels ran on the CPU, in an emulated build of the library. Else the GPU's name. */
  readonly device: string
  readonly inputFormats: readonly PluginFormat[]
  readonly outputFormats: readonly PluginFormat[]
  readonly workspaceBytes: number
  /** Bytes of its serialized form. */
  readonly serializedBytes: number
  /** What one `enqueue` asked of the CUDA runtime; on an emulated build only. */
  readonly calls?: { readonly launches: number; readonly allocations: number; readonly synchronizations: number }
  /** On a GPU, where `iterations` asked for it. */
  readonly timing?: PluginTiming
}

export type { PluginFieldInfo }
