import { readFile } from 'node:fs/promises'
import { unzipSync } from 'fflate'
import { messageOf } from '../errors.js'
import { readError } from '../files.js'
import type { Tensor } from '../tensor.js'
import { parseNpy } from './npy.js'
import { damaged } from './npy-header.js'

/**
 * Reads the arrays of a .npz file, as `numpy.savez` and `numpy.savez_compressed` write it: a zip archive of .npy files.
 *
 * @returns the arrays by name, without the `.npy` of their files
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`; `INVALID_ARGUMENT` where it is damaged, or holds an array that
 *   {@link parseNpy} does not take
 */
export async function readNpzFile(path: string): Promise<Map<string, Tensor>> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readError(path, error)
  })
  let files: Record<string, Uint8Array>
  try {
    files = unzipSync(bytes, { filter: ({ name }) => name.endsWith('.npy') })
  } catch (error) {
    throw damaged(path, `it is no zip archive that can be read: ${messageOf(error)}`)
  }
  return new Map(
    Object.entries(files).map(([name, content]) => [name.slice(0, -4), parseNpy(content, `${path}: ${name}`)]),
  )
}
