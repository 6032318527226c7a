import { TrtError } from '../../errors.js'
import { checkModelGraphs } from './check-graph.js'
import { decodeSource } from './decode.js'
import type { GraphProto, ModelProto } from './proto.js'
import type { ByteSource } from './source.js'

/** A model that has a graph. */
export type CompleteModelProto = ModelProto & { graph: GraphProto }

/**
 * Decodes a model and checks that it is one.
 *
 * @throws {TrtError} `INVALID_MODEL`, saying what the bytes look like instead
 */
export function decodeModel(source: ByteSource): CompleteModelProto {
  const model = decodeOrExplain(source)
  if (!hasGraph(model)) throw notAModel(source, 'it has no graph')
  if (!model.irVersion) throw notAModel(source, 'it has no IR version')
  if (model.graph.node.length === 0) throw notAModel(source, 'its graph has no nodes')
  checkModelGraphs(model, source.name)
  return model
}

function decodeOrExplain(source: ByteSource): ModelProto {
  try {
    return decodeSource(source, 'ModelProto')
  } catch (error) {
    const kind = error instanceof TrtError && error.code === 'INVALID_MODEL' ? otherKind(source) : undefined
    throw kind === undefined ? error : notAModel(source, kind, error)
  }
}

function hasGraph(model: ModelProto): model is CompleteModelProto {
  return model.graph !== undefined
}

function notAModel(source: ByteSource, why: string, cause?: unknown): TrtError {
  const kind = why.startsWith('it') ? otherKind(source) : undefined
  const pointer = (kind ?? why).includes('Git LFS')
  return new TrtError('INVALID_MODEL', `${source.name} is no ONNX model: ${kind ?? why}`, {
    cause,
    hint: pointer ? 'Fetch the file itself: git lfs pull' : 'Give a file made by an ONNX exporter.',
  })
}

/** What a file looks like that people take for a model by mistake. */
function otherKind(source: ByteSource): string | undefined {
  const head = source.read(0, Math.min(source.size, 1024))
  const text = Buffer.from(head).toString('latin1')
  if (text.startsWith('version https://git-lfs')) return 'it is a Git LFS pointer'
  if (text.startsWith('PK\x03\x04')) return 'it is a zip archive (as PyTorch saves .pt files)'
  if (text.startsWith('\x1f\x8b')) return 'it is gzip-compressed'
  if (text.startsWith('\x89HDF')) return 'it is an HDF5 file (as Keras saves .h5 files)'
  if (text.slice(4, 8) === 'TFL3') return 'it is a TensorFlow Lite model'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary from text
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text) ? undefined : 'it looks like text'
}
