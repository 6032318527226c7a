import { resolve } from 'node:path'
import type { ModelSource } from '../backends/backend.js'
import { toPath } from '../files.js'
import { Model } from '../onnx/index.js'
import type { BuildOptions } from '../options.js'

/**
 * Where the model of a build comes from. A {@link Model} is taken as it is now, edits included; weights outside of it are
 * looked for as those of bytes are: `EXTERNAL_DATA`, as bytes have no folder.
 *
 * @throws {TrtError} `INVALID_MODEL` where an edit made a cycle, `UNSUPPORTED` where a model is longer than an array can be
 */
export function toModelSource(onnx: BuildOptions['onnx']): ModelSource {
  if (onnx instanceof Model) return { bytes: onnx.toBytes() }
  return onnx instanceof Uint8Array ? { bytes: onnx } : { path: resolve(toPath(onnx)) }
}
