/** onnxruntime-node itself, used in child processes only. */
import { createRequire } from 'node:module'
import type * as Ort from 'onnxruntime-node'
import { messageOf, TrtError } from '../errors.js'
import { type DataType, isDataType } from '../tensor.js'
import { loadError } from './ort-errors.js'

export type OrtModule = typeof Ort
export type SessionOptions = Ort.InferenceSession.SessionOptions

/** The install line that works everywhere: without the variable, its postinstall downloads CUDA libraries. */
const INSTALL = 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node'

/**
 * Loads onnxruntime-node, an optional dependency.
 * @throws {TrtError} `ONNXRUNTIME_NOT_FOUND`
 */
export function requireOrt(): OrtModule {
  // onnxruntime-common would put float16 into Float16Arrays, which onnxruntime-node's binding does not take (1.30).
  Reflect.deleteProperty(globalThis, 'Float16Array')
  try {
    return createRequire(import.meta.url)('onnxruntime-node') as OrtModule
  } catch (error) {
    const message = messageOf(error)
    const absent =
      message.includes("'onnxruntime-node'") && (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
    const what = absent ? 'is not installed' : `is installed, but does not load: ${message.split('\n')[0]}`
    throw new TrtError('ONNXRUNTIME_NOT_FOUND', `Running a model on the CPU needs onnxruntime-node, which ${what}`, {
      hint: INSTALL,
      cause: error,
    })
  }
}

/** A model in memory, with its external data by the location that the model has for each file. */
export interface PackedModel {
  readonly model: Uint8Array
  readonly external: ReadonlyMap<string, Uint8Array>
}

/** What a session takes or gives. */
export interface SessionValue {
  readonly name: string
  readonly type: DataType
  /** The shape, -1 where a dimension is dynamic. */
  readonly shape: readonly number[]
}

/** A model that onnxruntime can run, and what it takes and gives. */
export interface OrtSession {
  readonly session: Ort.InferenceSession
  readonly inputs: readonly SessionValue[]
  readonly outputs: readonly SessionValue[]
}

/**
 * onnxruntime's defaults, as its own run() has them, except that its threads do not spin between runs: they would take a
 * core from the owner, which writes the next inputs meanwhile. Throughput of the PP-OCR classifier (1.3 ms a run, two
 * calls at a time, 2 cores, median of 72 rounds) against run() in the owner's process: 0.87 with spinning, 1.04 without.
 */
const SESSION_ENTRIES = { force_spinning_stop: '1' }

/**
 * @param model in memory, or the path of a file
 * @param name how messages name the model
 * @param options besides the ones that every session has; of `extra.session` the entries are joined
 * @throws {TrtError} `UNSUPPORTED_OP`, `INVALID_MODEL`, `EXTERNAL_DATA`, `UNSUPPORTED`, `OUT_OF_MEMORY`, or else `code`
 */
export async function createSession(
  ort: OrtModule,
  model: PackedModel | { readonly path: string },
  name: string,
  code: 'BUILD_FAILED' | 'LOAD_FAILED',
  options: SessionOptions = {},
): Promise<OrtSession> {
  const packed = 'path' in model ? undefined : model
  const externalData = [...(packed?.external ?? [])].map(([path, data]) => ({ path, data }))
  const all = {
    ...options,
    extra: { session: { ...SESSION_ENTRIES, ...(options.extra?.session as object | undefined) } },
    ...(externalData.length > 0 && { externalData }),
  }
  let session: Ort.InferenceSession
  try {
    session = await (packed === undefined
      ? ort.InferenceSession.create((model as { path: string }).path, all)
      : ort.InferenceSession.create(packed.model, all))
  } catch (error) {
    throw loadError(error, packed === undefined ? (model as { path: string }) : { bytes: packed.model }, name, code)
  }
  return {
    session,
    inputs: session.inputMetadata.map((value) => valueInfo(value, 'input')),
    outputs: session.outputMetadata.map((value) => valueInfo(value, 'output')),
  }
}

function valueInfo(value: Ort.InferenceSession.ValueMetadata, what: 'input' | 'output'): SessionValue {
  const type = value.isTensor ? value.type : 'no tensor'
  if (!value.isTensor || !isDataType(type)) throw unsupportedValue(what, value.name, type)
  return { name: value.name, type, shape: value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)) }
}

/** The error of a value that no {@link Tensor} can hold. */
export function unsupportedValue(what: 'input' | 'output', name: string, type: string): TrtError {
  return new TrtError('UNSUPPORTED', `The ${what} ${JSON.stringify(name)} has type ${type}, which infer cannot carry`, {
    hint: 'Export the model with tensors of numbers or booleans as its inputs and outputs.',
  })
}
