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
  type NativeFeed,
  type NativeHandle,
  toTrtError,
} from './addon.js'
import { SlotExchange } from './slot-exchange.js'

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
  readonly #exchanges: readonly SlotExchange[]
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
    const length = engine.exchange.byteLength / Float64Array.BYTES_PER_ELEMENT / contexts
    this.#exchanges = Array.from({ length: contexts }, (_, slot) => {
      const numbers = new Float64Array(engine.exchange, slot * length * Float64Array.BYTES_PER_ELEMENT, length)
      return new SlotExchange(numbers, engine.inputs.length)
    })
  }

  async run(slot: number, request: RunRequest): Promise<RunOutcome> {
    const exchange = this.#exchanges[slot] as SlotExchange
    const buffers = await this.#run(slot, request, false)
    return { results: tensorsOf(this.outputs, buffers, (index) => exchange.outputDims(index)), times: exchange }
  }

  async runToDevice(slot: number, request: RunRequest): Promise<DeviceRunOutcome> {
    const exchange = this.#exchanges[slot] as SlotExchange
    const handles = await this.#run(slot, request, true)
    const results: DeviceRunOutcome['results'] = {}
    for (const [index, { name, type }] of this.outputs.entries()) {
      const handle = handles[index]
      if (handle === undefined) continue
      const memory = new TensorrtMemory(this.#addon, handle, this.#device)
      results[name] = new DeviceTensor(type, exchange.outputDims(index), memory)
    }
    return { results, times: exchange }
  }

  async #run<ToDevice extends boolean>(slot: number, { feeds, outputs, profile }: RunRequest, toDevice: ToDevice) {
    const exchange = this.#exchanges[slot] as SlotExchange
    const all = outputs.length === this.outputs.length
    for (const [index, { name }] of this.outputs.entries()) exchange.tellWanted(index, all || outputs.includes(name))
    const data = feeds.map((feed, index) => {
      exchange.tellInput(index, feed.dims)
      return feed instanceof DeviceTensor ? this.#handleOf(feed, index) : feed.data
    })
    try {
      return await this.#addon.run(this.#engine.handle, slot, profile, data, toDevice)
    } catch (error) {
      throw toTrtError(error)
    }
  }

  #handleOf({ memory }: DeviceTensor, index: number): NativeFeed {
    if (memory instanceof TensorrtMemory && memory.addon === this.#addon && memory.device === this.#device) {
      return memory.handle
    }
    const expected = `expected a DeviceTensor of device ${this.#device} and of this TensorRT`
    const what = `infer: input ${JSON.stringify(this.inputs[index]?.name)}`
    throw new TrtError('INVALID_INPUT', `${what}: ${expected}, received one of another, on device ${memory.device}`, {
      hint: 'await feed.toHost()',
    })
  }

  async createBinding(slot: number, shapes: readonly (readonly number[])[], profile: number): Promise<BackendBinding> {
    const exchange = this.#exchanges[slot] as SlotExchange
    for (const [index, dims] of shapes.entries()) exchange.tellInput(index, dims)
    try {
      const native = await this.#addon.createBinding(this.#engine.handle, slot, profile)
      const inputs = tensorsOf(this.inputs, native.inputs, (index) => shapes[index] as number[])
      const outputs = tensorsOf(this.outputs, native.outputs, (index) => exchange.outputDims(index))
      return new TensorrtBinding(native, this.#exchanges, inputs, outputs)
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
  readonly #binding: NativeBinding
  readonly #exchanges: readonly SlotExchange[]

  constructor(
    binding: NativeBinding,
    exchanges: readonly SlotExchange[],
    inputs: BackendBinding['inputs'],
    outputs: BackendBinding['outputs'],
  ) {
    this.#binding = binding
    this.#exchanges = exchanges
    this.inputs = inputs
    this.outputs = outputs
  }

  async run(slot: number): Promise<StageTimes> {
    try {
      await this.#binding.run(slot)
      return this.#exchanges[slot] as StageTimes
    } catch (error) {
      throw toTrtError(error)
    }
  }

  runSync(slot: number): StageTimes {
    try {
      this.#binding.runSync(slot)
      return this.#exchanges[slot] as StageTimes
    } catch (error) {
      throw toTrtError(error)
    }
  }

  close(): void {
    const tensors = [...Object.values(this.inputs), ...Object.values(this.outputs)]
    this.#binding.close(tensors.map(({ data }) => data.buffer as ArrayBuffer))
  }
}

/** Tensors over buffers that the addon gave; there is none of an output that was not wanted. */
function tensorsOf(
  infos: readonly TensorInfo[],
  buffers: readonly (ArrayBuffer | undefined)[],
  dimsOf: (index: number) => readonly number[],
): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {}
  for (const [index, { name, type }] of infos.entries()) {
    const buffer = buffers[index]
    if (buffer !== undefined) tensors[name] = Tensor.fromBuffer(type, buffer, dimsOf(index))
  }
  return tensors
}
