/** What the files are that a comparison is given. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../api/engine.js'
import { loadEngine } from '../api/load-engine.js'
import { recogniseFile } from '../backends/recognise-file.js'
import { TrtError } from '../errors.js'
import { readError, toPath } from '../files.js'
import { readNpzFile } from '../npy/npz.js'
import { readTensorFile } from '../npy/tensor-files.js'
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
  if (stats.isDirectory()) return { kind: 'tensors', tensors: await readFolder(path) }
  if (/\.npz$/i.test(path)) return { kind: 'tensors', tensors: await readNpzFile(path) }
  const { file } = await recogniseFile(path)
  if (file.kind === 'onnx') return { kind: 'model', model: await read(path) }
  return { kind: 'engine', engine: await loadEngine(path) }
}

/** The .npy files of a folder, by name without the ending; `%2F` and the like stand for what a file's name cannot have. */
async function readFolder(path: string): Promise<Map<string, Tensor>> {
  const files = (await readdir(path)).filter((name) => name.endsWith('.npy')).sort()
  if (files.length === 0) {
    throw new TrtError('INVALID_ARGUMENT', `${path} has no .npy file`, {
      hint: 'numpy.save(f"{folder}/{urllib.parse.quote(name, safe=\'\')}.npy", array) writes one for each tensor',
    })
  }
  const tensors = new Map<string, Tensor>()
  for (const file of files) tensors.set(tensorName(file), await readTensorFile(join(path, file), 'float32'))
  return tensors
}

function tensorName(file: string): string {
  const name = file.slice(0, -'.npy'.length)
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
