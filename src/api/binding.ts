import type { BackendBinding } from '../backends/backend.js'
import { TrtError } from '../errors.js'
import type { Tensor } from '../tensor.js'

/** What a {@link Binding} needs of its engine. */
export interface BindingOwner {
  /** Calls `end` when the run is really over, which after an abort is later than the promise settles. */
  run(binding: BackendBinding, signal: AbortSignal | undefined, end: () => void): Promise<void>
  runSync(binding: BackendBinding): void
}

/**
 * The inputs and outputs of an engine at one set of shapes, in page-locked memory that the GPU reads and writes by itself:
 * a run copies nothing on the host. Made by {@link Engine.createBinding}; to be closed with {@link Binding.close}, or by
 * `using`.
 *
 * Write to `inputs.x.data`, run, read `outputs.y.data`. One run at a time: for overlapping calls make a binding for each.
 * The views stay valid until the binding is closed, after which they are empty; closing the engine leaves them as they are.
 */
export class Binding {
  /** Views to write to, by name. */
  readonly inputs: { readonly [input: string]: Tensor }
  /** Views to read from, by name; a run writes them anew. */
  readonly outputs: { readonly [output: string]: Tensor }

  readonly #binding: BackendBinding
  readonly #owner: BindingOwner
  #running = false
  #closed = false

  /** @internal use {@link Engine.createBinding} */
  constructor(binding: BackendBinding, owner: BindingOwner) {
    this.#binding = binding
    this.#owner = owner
    this.inputs = binding.inputs
    this.outputs = binding.outputs
  }

  /**
   * Computes {@link outputs} from {@link inputs}. Waits for its turn as {@link Engine.infer} does. Leave all views alone
   * until the promise settles; after an abort the run may still be writing, and the next one has to wait for it.
   *
   * @throws {TrtError} as {@link Engine.infer}; `INVALID_ARGUMENT` where it runs already; `CLOSED`
   */
  async run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#begin()
    const end = () => {
      this.#running = false
    }
    return this.#owner.run(this.#binding, options.signal, end)
  }

  /**
   * The same on the calling thread, which it holds until the GPU is done: for scripts, and for workers that do nothing
   * else. Takes a free context, and waits for none.
   *
   * @throws {TrtError} as {@link run}; `QUEUE_FULL` where every context computes
   */
  runSync(): void {
    this.#begin()
    try {
      this.#owner.runSync(this.#binding)
    } finally {
      this.#running = false
    }
  }

  /** Gives the memory back, and empties the views. May be called twice. @throws {TrtError} `INVALID_ARGUMENT` while it runs */
  close(): void {
    if (this.#closed) return
    if (this.#running) {
      throw new TrtError('INVALID_ARGUMENT', 'binding.close: the binding is running', { hint: 'await its run first' })
    }
    this.#closed = true
    this.#binding.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #begin(): void {
    if (this.#closed) throw new TrtError('CLOSED', 'binding.run: the binding was closed')
    if (this.#running) {
      throw new TrtError('INVALID_ARGUMENT', 'binding.run: the binding is running already', {
        hint: 'await the run before, or make a binding for each call that is to overlap',
      })
    }
    this.#running = true
  }
}
