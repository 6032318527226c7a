/** The native addon of one TensorRT family: what it offers, and how it is found. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, TrtError, type TrtErrorCode } from '../../errors.js'
import type { BuildProgress, LogLevel } from '../../options.js'
import type { BuildSettings, ModelSource, Profile, TensorInfo } from '../backend.js'

/** The families that addons are built for. */
export type AddonFamily = 'rtx' | 'trt10' | 'trt11'

/** Every {@link AddonFamily}. */
export const ADDON_FAMILIES: readonly AddonFamily[] = ['rtx', 'trt11', 'trt10']

/** What a build says while it runs. */
export type NativeEvent =
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
  | ({ readonly type: 'progress' } & Omit<BuildProgress, 'elapsedMs'>)

/** What a build needs. Paths are absolute. */
export interface NativeBuildRequest {
  readonly nvinfer: string
  readonly onnxParser: string
  readonly model: ModelSource
  readonly profiles: readonly Profile[]
  /** Plugin libraries. */
  readonly plugins?: readonly string[]
  readonly settings: BuildSettings
  /** Whether `onEvent` hears of TensorRT's log. Default: true. */
  readonly log?: boolean
  /** Whether `onEvent` hears of the progress. Default: true. */
  readonly progress?: boolean
}

/** A built plan. */
export interface NativePlan {
  readonly plan: ArrayBuffer
  readonly version: string
  readonly precision: string
  readonly computeCapabilities: readonly string[]
  readonly warnings: readonly string[]
}

declare const handleKind: unique symbol
/** An opaque native object. */
export interface NativeHandle<Kind extends string> {
  readonly [handleKind]: Kind
}

/** A loaded engine. */
export interface NativeEngine {
  readonly handle: NativeHandle<'engine'>
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly profiles: readonly Profile[]
  readonly version: string
  readonly activationBytes: number
  /** Absent where TensorRT does not tell. */
  readonly weightsBytes?: number
  /** Both absent unless a budget was given. */
  readonly streamableBytes?: number
  readonly streamingBudget?: number
  /** The numbers of a {@link SlotExchange} for each slot, one after the other. */
  readonly exchange: ArrayBuffer
}

/** Data that a run takes: that of tensors which are on the device already by their handles. */
export type NativeFeed = ArrayBufferView | NativeHandle<'deviceTensor'>

/**
 * A binding: its memory, and functions that know it, which costs less than a handle does. Each slot does one thing at a
 * time, and throws where it has one already.
 */
export interface NativeBinding {
  readonly inputs: readonly ArrayBuffer[]
  readonly outputs: readonly ArrayBuffer[]
  run(slot: number): Promise<void>
  /** On the calling thread. */
  runSync(slot: number): void
  /** Detaches the buffers of the binding, which are to be given. */
  close(buffers: readonly ArrayBuffer[]): void
}

/** A creator of a plugin library. */
export interface NativePluginCreator {
  readonly name: string
  readonly version: string
  readonly namespace: string
  readonly interface: 'IPluginV2DynamicExt' | 'IPluginV2' | 'IPluginV3'
  readonly fields: readonly { readonly name: string; readonly type: string; readonly length: number }[]
}

/** A run of a plugin on the bench. */
export interface NativePluginRun {
  readonly name: string
  readonly version: string
  readonly namespace: string
  readonly fields: readonly {
    readonly name: string
    readonly type: string
    readonly data: Uint8Array
    readonly length: number
  }[]
  readonly inputs: readonly { readonly type: string; readonly dims: readonly number[]; readonly data: Uint8Array }[]
  readonly format: string
  readonly device: number
  readonly iterations: number
}

/** What came of it. */
export interface NativePluginResult {
  readonly interface: 'IPluginV2DynamicExt' | 'IPluginV3'
  readonly device: string
  readonly outputs: readonly { readonly type: string; readonly dims: readonly number[]; readonly data: ArrayBuffer }[]
  readonly inputFormats: readonly string[]
  readonly outputFormats: readonly string[]
  readonly workspaceBytes: number
  readonly serializedBytes: number
  /** Launches, allocations and synchronizations of one `enqueue`; empty on a GPU. */
  readonly calls: readonly number[]
  /** Of each timed `enqueue`. */
  readonly milliseconds: readonly number[]
  /** By one `enqueue`, if it touches every byte of its inputs and outputs once. */
  readonly bytesMoved: number
  /** Bytes a second; 0 where it is not known. */
  readonly peakBandwidth: number
}

/** What the CUDA driver says of this machine. */
export interface CudaInfo {
  /** The newest CUDA that the driver serves, as 1000 × major + 10 × minor; 0 where there is no driver. */
  readonly driverVersion: number
  /** The GPUs, in the driver's order. */
  readonly devices: readonly {
    readonly name: string
    /** E.g. `'8.9'`. */
    readonly computeCapability: string
    readonly memoryBytes: number
  }[]
  /** Why there is no GPU, where there is none. */
  readonly reason?: string
}

/**
 * The functions of an addon (native/binding). Each may throw, and reject with, an `Error` that has the `code` and `hint`
 * of a {@link TrtError}; {@link toTrtError} makes one of it.
 */
export interface Addon {
  readonly family: AddonFamily
  build(
    request: NativeBuildRequest,
    onEvent: (event: NativeEvent) => void,
  ): { readonly handle: NativeHandle<'build'>; readonly done: Promise<NativePlan> }
  /** Ends the build at TensorRT's next step; it then rejects with `ABORTED`. */
  cancelBuild(handle: NativeHandle<'build'>): void
  load(
    request: {
      readonly nvinfer: string
      readonly device: number
      readonly contexts: number
      readonly cudaGraphs: number
      readonly profile: boolean
      /** Below 0: as TensorRT thinks best. */
      readonly weightStreamingBudget?: number
      readonly allowHostCode: boolean
      readonly plugins: readonly string[]
    } & ({ readonly path: string } | { readonly bytes: Uint8Array }),
    onEvent: (event: NativeEvent) => void,
  ): Promise<NativeEngine>
  /**
   * Each slot does one thing at a time, and throws where it has one already. Its exchange says the inputs' shapes and which
   * outputs are wanted, and then the outputs' shapes and what the run took; the data of either is in the engine's order. The
   * bytes of inputs are copied before it returns. Outputs stay on the device where `toDevice` says so.
   */
  run<ToDevice extends boolean>(
    handle: NativeHandle<'engine'>,
    slot: number,
    profile: number,
    feeds: readonly NativeFeed[],
    toDevice: ToDevice,
  ): Promise<readonly ((ToDevice extends true ? NativeHandle<'deviceTensor'> : ArrayBuffer) | undefined)[]>
  /** A copy of its bytes. */
  readDeviceTensor(tensor: NativeHandle<'deviceTensor'>): Promise<ArrayBuffer>
  /** Lets go of its memory, which comes back to the engine that made it when no run uses it any more. */
  releaseDeviceTensor(tensor: NativeHandle<'deviceTensor'>): void
  /** For the inputs' shapes in the slot's exchange, which says the outputs' then. */
  createBinding(handle: NativeHandle<'engine'>, slot: number, profile: number): Promise<NativeBinding>
  /** Bytes of pinned host memory, and of device memory for inputs and outputs, that the engine holds now. */
  memory(handle: NativeHandle<'engine'>): readonly [pinned: number, device: number]
  /** Milliseconds, and how many runs they are of. */
  profile(
    handle: NativeHandle<'engine'>,
  ): readonly (readonly [name: string, runs: number, total: number, shortest: number, longest: number])[]
  /** TensorRT's JSON. */
  layers(handle: NativeHandle<'engine'>, slot: number): Promise<string>
  /** Name, type and data of each, one after the other; the bytes are copied before it returns. No slot may be running. */
  refit(handle: NativeHandle<'engine'>, slot: number, weights: readonly (string | ArrayBufferView)[]): Promise<void>
  /** An empty text where no run had to do without. */
  graphs(
    handle: NativeHandle<'engine'>,
  ): readonly [captured: number, launched: number, dropped: number, fallback: string]
  /** What runs ends; resolves when the engine's memory is free. */
  close(handle: NativeHandle<'engine'>): Promise<void>
  cudaInfo(): Promise<CudaInfo>
  /** Opens a plugin library, whose code then runs in this process, as it does in the two calls below. They block. */
  openPlugins(request: { readonly path: string; readonly preload: readonly string[] }): {
    readonly handle: NativeHandle<'plugins'>
    readonly creators: readonly NativePluginCreator[]
    readonly emulated: boolean
  }
  /** The interface of the plugin that a creator makes without fields. */
  pluginInterface(handle: NativeHandle<'plugins'>, creator: number): NativePluginCreator['interface']
  runPlugin(handle: NativeHandle<'plugins'>, request: NativePluginRun): NativePluginResult
}

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const require = createRequire(import.meta.url)
const bindings = require('bindings') as (options: { bindings: string; module_root: string }) => unknown

/**
 * The addon of `family`.
 * @throws {TrtError} `ADDON_NOT_BUILT` where it is not there, or does not load
 */
export function loadAddon(family: AddonFamily): Addon {
  const name = `tensorrt_node_${family}`
  try {
    return bindings({ bindings: name, module_root: ROOT }) as Addon
  } catch (error) {
    const path = join(ROOT, 'build', 'Release', `${name}.node`)
    const what = existsSync(path)
      ? `the native addon ${path} does not load: ${messageOf(error)}`
      : `the native addon for TensorRT (${family}) is not built: no ${path}`
    throw new TrtError('ADDON_NOT_BUILT', what, { hint: buildCommand(), cause: error })
  }
}

function buildCommand(): string {
  const inClone = existsSync(join(ROOT, 'src'))
  return inClone
    ? 'npm run build:native'
    : `npx tensorrt-node sdk install headers && npx cmake-js@8 compile --directory "${ROOT}"`
}

/** What an addon threw, as a {@link TrtError}. */
export function toTrtError(error: unknown): TrtError {
  if (error instanceof TrtError) return error
  const { code, hint } = error as { code?: TrtErrorCode; hint?: string }
  return new TrtError(code ?? 'BUILD_FAILED', messageOf(error), { hint, cause: error })
}

/**
 * The driver and the GPUs of this machine, or the reason why there is none. Never rejects. Asks the driver off the main
 * thread: its first call takes hundreds of milliseconds on some machines.
 */
export async function cudaInfo(): Promise<CudaInfo> {
  let reason = ''
  for (const family of ADDON_FAMILIES) {
    try {
      return await loadAddon(family).cudaInfo()
    } catch (error) {
      reason ||= messageOf(error)
    }
  }
  return { driverVersion: 0, devices: [], reason }
}
