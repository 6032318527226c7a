import { type DeviceMemory, DeviceTensor } from '../../device-tensor.js'
import { TrtError } from '../../errors.js'
import { Tensor } from '../../tensor.js'
import type {
  BackendBinding,
  BackendEngine,
  DeviceRunOutcome,
  EngineMemory,
  GraphStats,
  LayerInfo,
  LayerProfile,
  LoadRequest,
  RunOutcome,
  RunRequest,
  StageTimes,
  TensorInfo,
} from '../backend.js'
import {
  type Addon,
  type NativeBinding,
  type NativeEngine,
  type NativeFeeds,
  type NativeHandle,
  type NativeTimes,
  toTrtError,
} from './addon.js'

type Loading = Pick<LoadRequest, 'device' | 'contexts' | 'cudaGraphs' | 'profile'>

/** An engine that TensorRT runs on the GPU: each slot is an execution context with a native thread of its own. */
export class TensorrtEngine implements BackendEngine {
  readonly slots: number
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly profiles: BackendEngine['profiles']
  /** A plan does not tell what it computes in; the report of its build does. */
  readonly precision = 'as built'
  readonly version: string
  readonly #addon: Addon
  readonly #engine: NativeEngine
  readonly #device: number
  readonly #isProfiled: boolean
  /** Once it is closed. */
  #lastProfile: readonly LayerProfile[] | undefined
  readonly #hasGraphs: boolean
  /** Once it is closed. */
  #lastGraphs: GraphStats | undefined

  constructor(addon: Addon, engine: NativeEngine, { device, contexts, cudaGraphs, profile }: Loading) {
    this.#addon = addon
    this.#engine = engine
    this.slots = contexts
    this.#device = device
    this.#isProfiled = profile
    this.#hasGraphs = cudaGraphs > 0
    this.inputs = engine.inputs
    this.outputs = engine.outputs
    this.profiles = engine.profiles
    this.version = engine.version
  }

  async run(slot: number, request: RunRequest): Promise<RunOutcome> {
    const { given, tensors, times } = await this.#run(slot, request, false)
    return { results: tensorsOf(given, tensors), times }
  }

  async runToDevice(slot: number, request: RunRequest): Promise<DeviceRunOutcome> {
    const { given, tensors, times } = await this.#run(slot, request, true)
    const results = given.map(({ name, type }, index) => {
      const [dims, tensor] = [tensors[2 * index] as number[], tensors[2 * index + 1] as NativeHandle<'deviceTensor'>]
      return [name, new DeviceTensor(type, dims, new TensorrtMemory(this.#addon, tensor, this.#device))]
    })
    return { results: Object.fromEntries(results), times }
  }

  async #run<ToDevice extends boolean>(slot: number, { feeds, outputs, profile }: RunRequest, toDevice: ToDevice) {
    const native = this.#toNative(feeds)
    const wanted = this.outputs.map(({ name }) => outputs.includes(name))
    try {
      const [times, ...tensors] = await this.#addon.run(this.#engine.handle, slot, profile, native, wanted, toDevice)
      return { given: this.outputs.filter((_, index) => wanted[index]), tensors, times: timesOf(times) }
    } catch (error) {
      throw toTrtError(error)
    }
  }

  #toNative(feeds: RunRequest['feeds']): NativeFeeds {
    return this.inputs.flatMap<NativeFeeds[number]>(({ name }) => {
      const feed = feeds.get(name) as Tensor | DeviceTensor
      if (!(feed instanceof DeviceTensor)) return [feed.dims, feed.data]
      const { memory } = feed
      if (memory instanceof TensorrtMemory && memory.addon === this.#addon && memory.device === this.#device) {
        return [feed.dims, memory.handle]
      }
      const expected = `expected a DeviceTensor of device ${this.#device} and of this TensorRT`
      const what = `infer: input ${JSON.stringify(name)}`
      throw new TrtError('INVALID_INPUT', `${what}: ${expected}, received one of another, on device ${memory.device}`, {
        hint: 'await feed.toHost()',
      })
    })
  }

  async createBinding(slot: number, shapes: readonly (readonly number[])[], profile: number): Promise<BackendBinding> {
    try {
      const native = await this.#addon.createBinding(this.#engine.handle, slot, profile, shapes)
      return new TensorrtBinding(this.#addon, this.#engine, native, shapes)
    } catch (error) {
      throw toTrtError(error)
    }
  }

  profile(): readonly LayerProfile[] | undefined {
    if (!this.#isProfiled || this.#lastProfile !== undefined) return this.#lastProfile
    const times = this.#addon.profile(this.#engine.handle)
    const whole = times.reduce((sum, [, , total]) => sum + total, 0)
    return times.map(([name, runs, total, minMs, maxMs]) => {
      return { name, runs, meanMs: total / runs, minMs, maxMs, share: whole === 0 ? 0 : total / whole }
    })
  }

  async layers(slot: number): Promise<readonly LayerInfo[]> {
    try {
      const text = await this.#addon.layers(this.#engine.handle, slot)
      const { Layers = [] } = JSON.parse(text) as { Layers?: readonly (string | { readonly Name?: string })[] }
      return Layers.map((layer) =>
        typeof layer === 'string' ? { name: layer } : { name: layer.Name ?? '', details: { ...layer } },
      )
    } catch (error) {
      throw toTrtError(error)
    }
  }

  async refit(slot: number, weights: readonly (readonly [name: string, tensor: Tensor])[]): Promise<void> {
    try {
      const flat = weights.flatMap(([name, { type, data }]) => [name, type, data])
      await this.#addon.refit(this.#engine.handle, slot, flat)
    } catch (error) {
      throw toTrtError(error)
    }
  }

  memory(): EngineMemory {
    const { activationBytes, weightsBytes, streamableBytes, streamingBudget } = this.#engine
    const [pinned, device] = this.#addon.memory(this.#engine.handle)
    return {
      ...(weightsBytes !== undefined && { weights: weightsBytes }),
      activationPerContext: activationBytes,
      ...(streamableBytes !== undefined && { streamableWeights: streamableBytes }),
      ...(streamingBudget !== undefined && { weightStreamingBudget: streamingBudget }),
      pinned,
      device,
    }
  }

  graphs(): GraphStats | undefined {
    if (!this.#hasGraphs || this.#lastGraphs !== undefined) return this.#lastGraphs
    const [captured, launched, dropped, fallback] = this.#addon.graphs(this.#engine.handle)
    return { captured, launched, dropped, ...(fallback !== '' && { fallback }) }
  }

  async close(): Promise<void> {
    this.#lastGraphs = this.graphs()
    this.#lastProfile = this.profile()
    await this.#addon.close(this.#engine.handle)
  }
}

class TensorrtMemory implements DeviceMemory {
  readonly addon: Addon
  readonly handle: NativeHandle<'deviceTensor'>
  readonly device: number

  constructor(addon: Addon, handle: NativeHandle<'deviceTensor'>, device: number) {
    this.addon = addon
    this.handle = handle
    this.device = device
  }

  async read(): Promise<ArrayBuffer> {
    try {
      return await this.addon.readDeviceTensor(this.handle)
    } catch (error) {
      throw toTrtError(error)
    }
  }

  release(): void {
    this.addon.releaseDeviceTensor(this.handle)
  }
}

class TensorrtBinding implements BackendBinding {
  readonly inputs: BackendBinding['inputs']
  readonly outputs: BackendBinding['outputs']
  readonly #addon: Addon
  readonly #engine: NativeEngine
  readonly #binding: NativeBinding

  constructor(addon: Addon, engine: NativeEngine, binding: NativeBinding, shapes: readonly (readonly number[])[]) {
    this.#addon = addon
    this.#engine = engine
    this.#binding = binding
    const inputs = binding.inputs.flatMap((buffer, index) => [shapes[index] as number[], buffer])
    this.inputs = tensorsOf(engine.inputs, inputs)
    this.outputs = tensorsOf(engine.outputs, binding.outputs as (number[] | ArrayBuffer)[])
  }

  async run(slot: number): Promise<StageTimes> {
    try {
      return timesOf(await this.#addon.runBinding(this.#engine.handle, slot, this.#binding.handle))
    } catch (error) {
      throw toTrtError(error)
    }
  }

  runSync(slot: number): StageTimes {
    try {
      return timesOf(this.#addon.runBindingSync(this.#engine.handle, slot, this.#binding.handle))
    } catch (error) {
      throw toTrtError(error)
    }
  }

  close(): void {
    const tensors = [...Object.values(this.inputs), ...Object.values(this.outputs)]
    this.#addon.closeBinding(
      this.#binding.handle,
      tensors.map(({ data }) => data.buffer as ArrayBuffer),
    )
  }
}

/** Tensors over the dims and buffers that the addon gave, one after the other. */
function tensorsOf(infos: readonly TensorInfo[], flat: readonly (readonly number[] | ArrayBuffer)[]) {
  return Object.fromEntries(
    infos.map(({ name, type }, index) => [
      name,
      Tensor.fromBuffer(type, flat[2 * index + 1] as ArrayBuffer, flat[2 * index] as number[]),
    ]),
  )
}

function timesOf([hostToDevice, compute, deviceToHost, enqueue]: NativeTimes): StageTimes {
  return { hostToDevice, compute, deviceToHost, enqueue }
}
