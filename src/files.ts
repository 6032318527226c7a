import { randomBytes } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
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
    throw new TrtError('INVALID_ARGUMENT', `expected a path or a file: URL: ${messageOf(error)}`, {
      hint: "e.g. 'model.engine', or new URL('model.engine', import.meta.url)",
      cause: error,
    })
  }
}

/** A file to be written. */
export interface OutputFile {
  readonly path: string
  /** Puts the whole content into the file, which is new and empty. */
  write(file: FileHandle): Promise<void>
}

/** Options of {@link writeFilesAtomic}. */
export interface WriteOptions {
  /**
   * Whether to wait until the disk has the content, so that the promise holds at a power failure too. Of 525 MB that
   * takes 0.9 s here, where writing takes 0.4 s: worth it for an engine, which took minutes to build, and not for a
   * model that was made from another one in a moment.
   */
  readonly flush: boolean
}

/**
 * Writes files so that each path holds either what it held before or all of the new content, however this process ends:
 * each into a temporary file beside it first, then all are renamed, the last one last. A file keeps its permissions, and
 * a symbolic link goes on leading to it. The content may come from the very files that are replaced.
 *
 * @throws {TrtError} `IO_ERROR`, also where a path is a folder or a device; what `write` throws, if a {@link TrtError}.
 *   Nothing is left behind
 */
export async function writeFilesAtomic(files: readonly OutputFile[], { flush }: WriteOptions): Promise<void> {
  const written: { temporary: string; target: string }[] = []
  let current = ''
  try {
    for (const { path, write } of files) {
      current = path
      // A rename would replace a symbolic link, not the file that it leads to.
      const target = await realpath(path).catch(() => path)
      const mode = await modeOf(target)
      const random = randomBytes(4).toString('hex')
      const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.${random}.tmp`)
      written.push({ temporary, target })
      const file = await open(temporary, 'wx')
      try {
        await write(file)
        if (mode !== undefined) await file.chmod(mode)
        if (flush) await file.sync()
      } finally {
        await file.close()
      }
    }
    for (const { temporary, target } of written) await rename(temporary, target)
  } catch (error) {
    // Fails where the folder itself is none; the error to tell is the first one.
    await Promise.allSettled(written.map(({ temporary }) => rm(temporary, { force: true })))
    if (error instanceof TrtError) throw error
    throw new TrtError('IO_ERROR', `could not write ${current}: ${messageOf(error)}`, {
      hint: `is ${dirname(current)} a folder that you may write to, with room for the file?`,
      cause: error,
    })
  }
}

/** One file of {@link writeFilesAtomic}, flushed. @throws {TrtError} `IO_ERROR` */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  await writeFilesAtomic([{ path, write: (file) => file.writeFile(bytes) }], { flush: true })
}

/** The permissions of the file that is to be replaced, if there is one. Anything but a file must not be replaced. */
async function modeOf(path: string): Promise<number | undefined> {
  const old = await stat(path).catch(() => undefined)
  if (old === undefined) return undefined
  if (old.isFile()) return old.mode & 0o777
  throw new TrtError('IO_ERROR', `could not write ${path}: it is ${old.isDirectory() ? 'a folder' : 'no file'}`, {
    hint: 'give the path of a file',
  })
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
    if (!found.isFile())
      throw new TrtError('IO_ERROR', `${path} is ${found.isDirectory() ? 'a folder' : 'no file'}`, {
        hint: 'give the path of a file',
      })
    return { file: await open(path, 'r'), size: found.size }
  } catch (error) {
    throw readError(path, error)
  }
}

/** What a failure to read `path` means: `FILE_NOT_FOUND`, `IO_ERROR`, or the {@link TrtError} that it already is. */
export function readError(path: string, error: unknown): TrtError {
  if (error instanceof TrtError) return error
  if ((error as NodeJS.ErrnoException)?.code === 'ENOENT') {
    return new TrtError('FILE_NOT_FOUND', `${path} does not exist`, {
      hint: `check the path; a relative one starts from ${process.cwd()}`,
      cause: error,
    })
  }
  return new TrtError('IO_ERROR', `could not read ${path}: ${messageOf(error)}`, {
    hint: 'may this process read it?',
    cause: error,
  })
}
