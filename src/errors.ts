/**
 * Every way in which this package can fail, as one documented union.
 *
 * A service decides on `code`; a person reads `message` (what was expected, what came) and `hint` (how to fix it).
 *
 * | code | meaning |
 * |---|---|
 * | `INVALID_ARGUMENT` | an option or argument has the wrong type, name or range |
 * | `FILE_NOT_FOUND` | a path that was given does not exist |
 * | `IO_ERROR` | a file could not be read or written (permissions, full disk, a directory) |
 * | `INVALID_MODEL` | not an ONNX model, or a damaged one |
 * | `UNSUPPORTED_OP` | the model is valid, but the backend has no implementation of a node's op |
 * | `EXTERNAL_DATA` | the model's external data is missing, too short, or outside the model's folder |
 * | `INVALID_SHAPES` | `shapes` is missing for a dynamic input, or does not fit the model |
 * | `INVALID_ENGINE` | the file is no engine, or a damaged one |
 * | `ENGINE_MISMATCH` | a sound engine, made by another version or family of TensorRT than the one at hand |
 * | `INVALID_INPUT` | `infer` got a missing or unknown input, a wrong type, rank or length |
 * | `INVALID_PLUGIN` | a plugin library that cannot be used: what it lacks, or the TensorRT that it was made for, is in the message |
 * | `PLUGIN_FAILED` | a plugin refused what it was asked for, or failed at it; its own messages are in `message` |
 * | `SHAPE_OUT_OF_PROFILE` | an input's shape lies outside every optimization profile |
 * | `UNSUPPORTED` | this backend or TensorRT family cannot do what the option asks for |
 * | `TENSORRT_NOT_FOUND` | no TensorRT library was found; the message lists where it was looked for |
 * | `ADDON_NOT_BUILT` | the native addon for this TensorRT family is not there or does not load |
 * | `ONNXRUNTIME_NOT_FOUND` | onnxruntime-node, an optional dependency, is not installed or does not load |
 * | `GPU_NOT_FOUND` | no NVIDIA driver or no GPU, for something that needs one |
 * | `BUILD_FAILED` | TensorRT refused or failed to build the engine; its own messages are in `message` |
 * | `LOAD_FAILED` | the backend refused or failed to load a model or engine |
 * | `INFERENCE_FAILED` | the backend failed while computing |
 * | `OUT_OF_MEMORY` | host or device memory ran out |
 * | `QUEUE_FULL` | as many calls wait for the engine as `queue.maxWaiting` allows |
 * | `QUEUE_TIMEOUT` | a call waited for the engine longer than `queue.maxWaitMs` |
 * | `GPU_LOST` | CUDA gives no more work to this process: a kernel crashed, or the driver or the GPU is gone |
 * | `PROCESS_CRASHED` | the child process that did the work ended by itself or by a signal |
 * | `VERIFICATION_FAILED` | a rewritten model does not compute what it did before |
 * | `ABORTED` | the caller's `AbortSignal` fired; `cause` is the signal's reason |
 * | `CLOSED` | the engine was closed before or during the call |
 * | `SDK_INSTALL_FAILED` | `sdk install` could not fetch, check or unpack a package |
 *
 * What a service does about a call that failed:
 *
 * | do | codes |
 * |---|---|
 * | mend the call | `INVALID_INPUT`, `SHAPE_OUT_OF_PROFILE`, `INVALID_ARGUMENT` |
 * | try again later, or elsewhere | `QUEUE_FULL`, `QUEUE_TIMEOUT`, `OUT_OF_MEMORY`; once: `INFERENCE_FAILED` |
 * | load the engine again | `CLOSED`, `PROCESS_CRASHED` |
 * | build the engine again | `ENGINE_MISMATCH`, `INVALID_ENGINE`, `LOAD_FAILED` |
 * | restart the process | `GPU_LOST` |
 *
 * After `GPU_LOST` and `PROCESS_CRASHED` the engine refuses all further calls with the same error.
 */
export type TrtErrorCode =
  | 'INVALID_ARGUMENT'
  | 'FILE_NOT_FOUND'
  | 'IO_ERROR'
  | 'INVALID_MODEL'
  | 'UNSUPPORTED_OP'
  | 'EXTERNAL_DATA'
  | 'INVALID_SHAPES'
  | 'INVALID_ENGINE'
  | 'ENGINE_MISMATCH'
  | 'INVALID_INPUT'
  | 'INVALID_PLUGIN'
  | 'PLUGIN_FAILED'
  | 'SHAPE_OUT_OF_PROFILE'
  | 'UNSUPPORTED'
  | 'TENSORRT_NOT_FOUND'
  | 'ADDON_NOT_BUILT'
  | 'ONNXRUNTIME_NOT_FOUND'
  | 'GPU_NOT_FOUND'
  | 'BUILD_FAILED'
  | 'LOAD_FAILED'
  | 'INFERENCE_FAILED'
  | 'OUT_OF_MEMORY'
  | 'QUEUE_FULL'
  | 'QUEUE_TIMEOUT'
  | 'GPU_LOST'
  | 'PROCESS_CRASHED'
  | 'VERIFICATION_FAILED'
  | 'ABORTED'
  | 'CLOSED'
  | 'SDK_INSTALL_FAILED'

/** What {@link TrtError} takes besides its code and message. */
export interface TrtErrorOptions {
  /** How to fix it, as a command where there is one. */
  hint?: string | undefined
  /** The error underneath. */
  cause?: unknown
}

/** The one error class of this package. */
export class TrtError extends Error {
  override readonly name = 'TrtError'
  /** What went wrong, to decide on. */
  readonly code: TrtErrorCode
  /** How to fix it, as a command where there is one. */
  readonly hint: string | undefined

  constructor(code: TrtErrorCode, message: string, options: TrtErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.hint = options.hint
  }

  /** A plain object that crosses a process boundary; {@link TrtError.fromJSON} is the way back. */
  toJSON(): SerializedTrtError {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    }
  }

  /** Rebuilds an error that {@link TrtError.toJSON} flattened. */
  static fromJSON(json: SerializedTrtError): TrtError {
    return new TrtError(json.code, json.message, { hint: json.hint })
  }
}

/** A {@link TrtError} as plain data. */
export interface SerializedTrtError {
  code: TrtErrorCode
  message: string
  hint?: string
}

/** The error of an aborted call: `code` is `ABORTED`, `cause` the signal's reason. */
export function abortedError(what: string, signal: AbortSignal): TrtError {
  return new TrtError('ABORTED', `${what} was aborted`, { cause: signal.reason })
}

/** Throws {@link abortedError} where `signal` has fired already. */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(what, signal)
}

/**
 * Settles with `promise`, or rejects with {@link abortedError} as soon as `signal` fires, whichever comes first. What
 * `promise` stands for goes on.
 */
export function orAborted<T>(what: string, promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortedError(what, signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
