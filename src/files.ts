import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, TrtError } from './errors.js'

/**
 * The path of a path or `file:` URL.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` where it is neither, or a URL that names no local file
 */
export function toPath(file: string | URL): string {
  if (typeof file === 'string' && file !== '') return file
  try {
    return fileURLToPath(file as URL)
  } catch (error) {
    throw new TrtError('INVALID_ARGUMENT', `expected a path or a file: URL: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Writes a file so that, whatever happens, `path` holds either what it held before or all of the new bytes: into a
 * temporary file beside it, flushed, then renamed over it.
 *
 * @throws {TrtError} `IO_ERROR`; nothing is left behind
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    // Fails where the folder itself is none; the error to tell is the first one.
    await rm(temporary, { force: true }).catch(() => {})
    throw new TrtError('IO_ERROR', `could not write ${path}: ${messageOf(error)}`, {
      hint: `is ${dirname(path)} a folder that you may write to, with room for ${bytes.byteLength} bytes?`,
      cause: error,
    })
  }
}

/**
 * Opens a file for reading.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`, or `IO_ERROR` for a folder or a file that may not be read
 */
export async function openForReading(path: string): Promise<{ file: FileHandle; size: number }> {
  try {
    // Before it is opened: to open a pipe would wait for somebody to write into it.
    const found = await stat(path)
    if (!found.isFile()) throw new TrtError('IO_ERROR', `${path} is ${found.isDirectory() ? 'a folder' : 'no file'}`)
    return { file: await open(path, 'r'), size: found.size }
  } catch (error) {
    throw readError(path, error)
  }
}

/** What a failure to read `path` means: `FILE_NOT_FOUND`, `IO_ERROR`, or the {@link TrtError} that it already is. */
export function readError(path: string, error: unknown): TrtError {
  if (error instanceof TrtError) return error
  if ((error as NodeJS.ErrnoException)?.code === 'ENOENT') {
    return new TrtError('FILE_NOT_FOUND', `${path} does not exist`, { cause: error })
  }
  return new TrtError('IO_ERROR', `could not read ${path}: ${messageOf(error)}`, { cause: error })
}
