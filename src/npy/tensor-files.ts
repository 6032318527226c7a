import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrtError } from '../errors.js'
import { readError, writeFileAtomic } from '../files.js'
import type { DataType, Tensor } from '../tensor.js'
import { parseJsonTensor } from './json-tensor.js'
import { formatNpy, parseNpy } from './npy.js'
import { isNpy } from './npy-header.js'

/**
 * Reads a tensor from a .npy file, recognised by how it begins, or a JSON file (see {@link parseJsonTensor}).
 *
 * @param type the element type of a JSON file that names none
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`, or `INVALID_ARGUMENT` where it is neither, or damaged
 */
export async function readTensorFile(path: string, type: DataType): Promise<Tensor> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readError(path, error)
  })
  if (bytes.length === 0) throw new TrtError('INVALID_ARGUMENT', `${path} is empty`)
  if (isNpy(bytes) || /\.npy$/i.test(path)) return parseNpy(bytes, path)
  return parseJsonTensor(bytes.toString('utf8'), type, path)
}

/**
 * Writes a tensor as a .npy file, atomically.
 *
 * @throws {TrtError} `IO_ERROR`; nothing is left behind
 */
export async function writeNpyFile(path: string, tensor: Tensor): Promise<void> {
  await writeFileAtomic(path, formatNpy(tensor))
}

/**
 * Reads the .npy files of a folder.
 *
 * @returns the tensors by name without the ending; `%2F` and the like stand for what a file's name cannot have
 * @throws {TrtError} `INVALID_ARGUMENT` where there are none; as {@link readTensorFile}
 */
export async function readNpyFolder(path: string): Promise<Map<string, Tensor>> {
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
