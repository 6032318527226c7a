/** onnxruntime-node itself, used in the child process only. */
import { createRequire } from 'node:module'
import type * as Ort from 'onnxruntime-node'
import { messageOf, TrtError } from '../../errors.js'
import { isDataType } from '../../tensor.js'
import type { TensorInfo } from '../backend.js'
import type { PackedModel } from './engine-file.js'
import { loadError } from './ort-errors.js'

export type OrtModule = typeof Ort

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
    throw new TrtError('ONNXRUNTIME_NOT_FOUND', `The CPU backend needs onnxruntime-node, which ${what}`, {
      hint: INSTALL,
      cause: error,
    })
  }
}

/** A model that onnxruntime can run, and what it takes and gives. */
export interface OrtSession {
  readonly session: Ort.InferenceSession
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
}

/**
 * onnxruntime's defaults, as its own run() has them, except that its threads do not spin between runs: they would take a
 * core from the owner, which writes the next inputs meanwhile. Throughput of the PP-OCR classifier (1.3 ms a run, two
 * calls at a time, 2 cores, median of 72 rounds) against run() in the owner's process: 0.87 with spinning, 1.04 without.
 */
const SESSION_OPTIONS: Ort.InferenceSession.SessionOptions = { extra: { session: { force_spinning_stop: '1' } } }

/**
 * @param name how messages name the model
 * @throws {TrtError} `UNSUPPORTED_OP`, `INVALID_MODEL`, `EXTERNAL_DATA`, `UNSUPPORTED`, `OUT_OF_MEMORY`, or else `code`
 */
export async function createSession(
  ort: OrtModule,
  packed: PackedModel,
  name: string,
  code: 'BUILD_FAILED' | 'LOAD_FAILED',
): Promise<OrtSession> {
  const externalData = [...packed.external].map(([path, data]) => ({ path, data }))
  let session: Ort.InferenceSession
  try {
    session = await ort.InferenceSession.create(packed.model, {
      ...SESSION_OPTIONS,
      ...(externalData.length > 0 && { externalData }),
    })
  } catch (error) {
    throw loadError(error, packed, name, code)
  }
  return {
    session,
    inputs: session.inputMetadata.map((value) => tensorInfo(value, 'input')),
    outputs: session.outputMetadata.map((value) => tensorInfo(value, 'output')),
  }
}

function tensorInfo(value: Ort.InferenceSession.ValueMetadata, what: string): TensorInfo {
  const type = value.isTensor ? value.type : 'no tensor'
  if (!value.isTensor || !isDataType(type)) {
    throw new TrtError(
      'UNSUPPORTED',
      `The ${what} ${JSON.stringify(value.name)} has type ${type}, which infer cannot carry`,
      {
        hint: 'Export the model with tensors of numbers or booleans as its inputs and outputs.',
      },
    )
  }
  return { name: value.name, type, shape: value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)) }
}
