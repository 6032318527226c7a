import { throwIfAborted } from '../../errors.js'
import { Tensor } from '../../tensor.js'
import type { BackendEngine, Profile, TensorInfo } from '../backend.js'
import { type Addon, type NativeEngine, toTrtError } from './addon.js'

/** An engine that TensorRT runs on the GPU, on a native thread of its own. */
export class TensorrtEngine implements BackendEngine {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly profiles: readonly Profile[]
  /** A plan does not tell what it computes in; the report of its build does. */
  readonly precision = 'as built'
  readonly version: string
  readonly #addon: Addon
  readonly #handle: NativeEngine['handle']

  constructor(addon: Addon, engine: NativeEngine) {
    this.#addon = addon
    this.#handle = engine.handle
    this.inputs = engine.inputs
    this.outputs = engine.outputs
    this.profiles = engine.profiles
    this.version = engine.version
  }

  async run(
    feeds: ReadonlyMap<string, Tensor>,
    outputs: readonly string[],
    profile: number,
    signal?: AbortSignal,
  ): Promise<Record<string, Tensor>> {
    throwIfAborted('infer', signal)
    const native = [...feeds].map(([name, { dims, data }]) => ({ name, dims, data }))
    try {
      const results = await this.#addon.run(this.#handle, { feeds: native, outputs, profile })
      return Object.fromEntries(
        results.map(({ name, type, dims, data }) => [name, Tensor.fromBuffer(type, data, dims)]),
      )
    } catch (error) {
      throw toTrtError(error)
    }
  }

  async close(): Promise<void> {
    await this.#addon.close(this.#handle)
  }
}
