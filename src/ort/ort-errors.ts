/** What onnxruntime's messages mean. It has codes inside, but its Node binding gives only the texts (1.30). */
import { messageOf, TrtError } from '../errors.js'
import { elementTypeName } from '../onnx/data-types.js'
import { allNodeLists } from '../onnx/io/check-graph.js'
import { decodeModel } from '../onnx/io/decode-model.js'
import { type ModelSource, openSource } from '../onnx/io/source.js'

const UNKNOWN_OP =
  /No Op registered for (\S+)|(\S+?)\(-?\d+\) is not a registered function\/op|Could not find an implementation for (\S+?)\(/
const OUT_OF_MEMORY =
  /bad_alloc|Failed to allocate memory|Array buffer allocation failed|Cannot create a Buffer larger/i
const TOO_NEW = /Unsupported model IR version|is under development and support for this is limited/

/** Why a session could not be made. */
export function loadError(
  error: unknown,
  model: ModelSource,
  name: string,
  code: 'BUILD_FAILED' | 'LOAD_FAILED',
): TrtError {
  if (error instanceof TrtError) return error
  const text = messageOf(error)
  const said = `onnxruntime: ${text}`
  const op = UNKNOWN_OP.exec(text)
  if (op !== null) {
    const opName = (op[1] ?? op[2] ?? op[3]) as string
    const node = /\("([^"]*)", /.exec(text)?.[1] ?? /with name '([^']*)'/.exec(text)?.[1] ?? nodeOfOp(opName, model)
    return new TrtError(
      'UNSUPPORTED_OP',
      `${name}: onnxruntime has no op ${opName}, of node ${JSON.stringify(node)} (${said})`,
      {
        hint: 'Ops of TensorRT plugins run on TensorRT only. Otherwise: is the op spelt right, and its domain and opset imported?',
        cause: error,
      },
    )
  }
  const type = /Unsupported data type: (\d+)/.exec(text)?.[1]
  if (type !== undefined) {
    const typeName = elementTypeName(Number(type))
    return new TrtError(
      'UNSUPPORTED',
      `${name} has an input or output of type ${typeName}, which onnxruntime-node does not carry`,
      {
        hint: `Add a Cast to and from ${typeName} inside the model, or run it on TensorRT.`,
        cause: error,
      },
    )
  }
  if (OUT_OF_MEMORY.test(text)) return outOfMemory(name, error)
  if (/external (data|initializer)/i.test(text)) {
    return new TrtError('EXTERNAL_DATA', `${name}: ${said}`, {
      hint: 'Copy the files of the model again.',
      cause: error,
    })
  }
  if (TOO_NEW.test(text)) {
    return new TrtError('UNSUPPORTED', `${name}: ${said}`, {
      hint: 'Export the model with an older opset, or update onnxruntime-node.',
      cause: error,
    })
  }
  if (/protobuf|invalid model|Type Error|No graph was found/i.test(text)) {
    return new TrtError('INVALID_MODEL', `${name}: ${said}`, { hint: 'Export the model again.', cause: error })
  }
  return new TrtError(code, `${name}: ${said}`, { cause: error })
}

/** Why a run failed. */
export function runError(error: unknown): TrtError {
  if (error instanceof TrtError) return error
  const text = messageOf(error)
  if (OUT_OF_MEMORY.test(text)) return outOfMemory('infer', error)
  return new TrtError('INFERENCE_FAILED', `onnxruntime: ${text}`, {
    hint: 'Do the shapes of the inputs fit together, as the model wants them?',
    cause: error,
  })
}

function outOfMemory(what: string, cause: unknown): TrtError {
  return new TrtError('OUT_OF_MEMORY', `${what}: memory ran out (onnxruntime: ${messageOf(cause)})`, {
    hint: 'Use a smaller batch, or a machine with more memory.',
    cause,
  })
}

/** The first node with the op, for messages that name only `domain:Op`. */
function nodeOfOp(op: string, model: ModelSource): string {
  try {
    for (const { node } of allNodeLists(decodeModel(openSource(model)))) {
      const found = node.find(({ domain, opType }) => op === (domain ? `${domain}:${opType}` : opType))
      if (found !== undefined) return found.name || (found.output[0] ?? '')
    }
  } catch {
    // The message is about the op; that the model cannot be read either would only hide it.
  }
  return ''
}
