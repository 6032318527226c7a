import { TrtError } from './errors.js'
import { type DataType, Tensor } from './tensor.js'

/** Memory of a device, as a backend gives it. */
export interface DeviceMemory {
  /** The CUDA device. */
  readonly device: number
  /** The bytes, in fresh memory. */
  read(): Promise<ArrayBuffer>
  /** Lets go of it. Called once; what still computes with it is not disturbed. */
  release(): void
}

/**
 * A tensor in a GPU's memory, as `engine.inferToDevice` gives it: to be an input of another engine on the same GPU, which
 * then reads it there.
 *
 * {@link DeviceTensor.dispose} gives the memory back to the engine that made it, for its next outputs; that engine may be
 * closed before. One that is merely forgotten goes when it is garbage-collected, which may be late: the collector sees
 * none of the GPU's memory.
 *
 * The data is complete: the promise of `inferToDevice` settles when the GPU is done, so that a failure is the failure of
 * the call that caused it, and no stream has to wait for another's event.
 *
 * @example
 * const { features } = await encoder.inferToDevice({ image })
 * const { text } = await decoder.infer({ features })
 * features.dispose()
 */
export class DeviceTensor<T extends DataType = DataType> {
  readonly type: T
  readonly dims: readonly number[]
  /** The CUDA device. */
  readonly device: number
  readonly #memory: DeviceMemory
  #holds = 0
  #disposed = false
  #released = false

  /** @internal use `engine.inferToDevice` */
  constructor(type: T, dims: readonly number[], memory: DeviceMemory) {
    this.type = type
    this.dims = Object.freeze([...dims])
    this.device = memory.device
    this.#memory = memory
  }

  /** Where the data is. */
  get location(): 'device' {
    return 'device'
  }

  /**
   * A copy on the host.
   *
   * @throws {TrtError} `CLOSED` (disposed of), `OUT_OF_MEMORY`, `GPU_LOST`
   */
  async toHost(): Promise<Tensor<T>> {
    const memory = this.hold('toHost')
    try {
      return Tensor.fromBuffer(this.type, await memory.read(), this.dims)
    } finally {
      this.letGo()
    }
  }

  /** Gives the memory back. May be called twice, and while calls compute with it or wait to: it goes after them. */
  dispose(): void {
    this.#disposed = true
    this.#releaseIfUnused()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /**
   * The memory, which stays until {@link letGo}.
   *
   * @internal @throws {TrtError} `CLOSED`
   */
  hold(what: string): DeviceMemory {
    if (this.#disposed) throw new TrtError('CLOSED', `${what}: the DeviceTensor was disposed of`)
    this.#holds++
    return this.#memory
  }

  /** @internal */
  letGo(): void {
    this.#holds--
    this.#releaseIfUnused()
  }

  /** Of a tensor that the caller holds. @internal */
  get memory(): DeviceMemory {
    return this.#memory
  }

  #releaseIfUnused(): void {
    if (!this.#disposed || this.#holds > 0 || this.#released) return
    this.#released = true
    this.#memory.release()
  }
}
