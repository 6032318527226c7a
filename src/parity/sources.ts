/** What the files are that a comparison is given. */
import { stat } from 'node:fs/promises'
import type { Engine } from '../api/engine.js'
import { loadEngine } from '../api/load-engine.js'
import { recogniseFile } from '../backends/recognise-file.js'
import { readError, toPath } from '../files.js'
import { readNpzFile } from '../npy/npz.js'
import { readNpyFolder } from '../npy/tensor-files.js'
import { type Model, read } from '../onnx/index.js'
import type { Tensor } from '../tensor.js'

/** An opened file. */
export type OpenedFile =
  | { readonly kind: 'model'; readonly model: Model }
  | { readonly kind: 'engine'; readonly engine: Engine }
  | { readonly kind: 'tensors'; readonly tensors: ReadonlyMap<string, Tensor> }

/**
 * Opens a model, an engine, a .npz file or a folder of .npy files.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`, and what reading or loading the file throws
 */
export async function openFile(source: string | URL): Promise<OpenedFile> {
  const path = toPath(source)
  const stats = await stat(path).catch((error: unknown) => {
    throw readError(path, error)
  })
  if (stats.isDirectory()) return { kind: 'tensors', tensors: await readNpyFolder(path) }
  if (/\.npz$/i.test(path)) return { kind: 'tensors', tensors: await readNpzFile(path) }
  const { file } = await recogniseFile(path)
  if (file.kind === 'onnx') return { kind: 'model', model: await read(path) }
  return { kind: 'engine', engine: await loadEngine(path) }
}
