import { fileURLToPath } from 'node:url'
import { decodeModel } from '../io/decode-model.js'
import { type ModelSource, openSource } from '../io/source.js'
import { Model } from './model.js'

/**
 * Reads a model of any size: its structure, not its weights. A file stays open as long as the model is in use.
 *
 * @param source a path, a `file:` URL, or bytes (which are not copied, so leave them alone)
 * @throws {TrtError} `FILE_NOT_FOUND`; `IO_ERROR` for a directory or an unreadable file; `INVALID_MODEL` for anything
 *   that is no whole ONNX model; `INVALID_ARGUMENT`. External data is looked for when it is asked for
 */
export async function read(source: string | URL | Uint8Array): Promise<Model> {
  const from =
    source instanceof Uint8Array ? { bytes: source } : { path: source instanceof URL ? fileURLToPath(source) : source }
  return readSource(from)
}

/** As {@link read}, for those who have made a source of it. */
export function readSource(source: ModelSource): Model {
  const opened = openSource(source)
  return new Model(decodeModel(opened), opened.path)
}
