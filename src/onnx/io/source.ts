import { closeSync, fstatSync, openSync, readFileSync, readSync, type Stats, statSync } from 'node:fs'
import { messageOf, TrtError } from '../../errors.js'
import { allocate } from '../../memory.js'
import { MAX_WHOLE_FILE } from './limits.js'

/** Where a model comes from. */
export type ModelSource = { readonly path: string } | { readonly bytes: Uint8Array }

/** Bytes that can be read by range. Offsets are plain numbers: exact up to 8 PiB. */
export interface ByteSource {
  /** How messages name it: the path, or `the given bytes`. */
  readonly name: string
  /** The file's path; undefined for bytes. */
  readonly path: string | undefined
  readonly size: number
  /** The bytes from `from` up to but not with `to`; maybe a view, so not to be written into. */
  read(from: number, to: number): Uint8Array
  /** A range with what is around it, for those who go on from there: all of what is in memory, some of a file. */
  window(from: number, to: number): Window
  /** Fills `target` from `from` on; for copying without an allocation a range. */
  readInto(target: Uint8Array, from: number): void
}

/** Bytes of a source, from an offset on. */
export interface Window {
  readonly bytes: Buffer
  readonly from: number
}

/** A range of a source; `to` is exclusive. Nothing is read until somebody asks. */
export interface Span {
  readonly source: ByteSource
  readonly from: number
  readonly to: number
}

/** Bytes in memory. */
export class MemorySource implements ByteSource {
  readonly bytes: Uint8Array
  readonly name: string
  readonly path: string | undefined
  readonly size: number

  constructor(bytes: Uint8Array, name = 'the given bytes', path?: string) {
    this.bytes = bytes
    this.name = name
    this.path = path
    this.size = bytes.length
  }

  read(from: number, to: number): Uint8Array {
    return this.bytes.subarray(from, to)
  }

  window(): Window {
    const { buffer, byteOffset, byteLength } = this.bytes
    return { bytes: Buffer.from(buffer, byteOffset, byteLength), from: 0 }
  }

  readInto(target: Uint8Array, from: number): void {
    target.set(this.bytes.subarray(from, from + target.length))
  }
}

/** Bytes of a file that are read at once: few, as a tensor's head is tens of bytes and its payload is jumped over. */
const WINDOW = 2 ** 15

/**
 * Windows of a file that are kept. Nodes are looked at one after the other, and attributes, small tensors and heads of
 * weights lie in different places: with none kept, a third of the time to simplify a model of 20 MB went into reading.
 */
const WINDOWS = 8

/**
 * A file read by ranges. It stays open as long as the source is reachable, so that it can be renamed, deleted or
 * replaced (as an atomic write over it does) while a model still refers to its weights.
 */
export class FileSource implements ByteSource {
  static readonly #open = new FinalizationRegistry<number>((fd) => closeSync(fd))
  readonly name: string
  readonly path: string
  readonly size: number
  readonly #fd: number
  readonly #modified: number
  /** The last one used comes first. */
  readonly #windows: Window[] = []

  constructor(path: string) {
    this.name = path
    this.path = path
    this.#fd = openSync(path, 'r')
    FileSource.#open.register(this, this.#fd)
    const { size, mtimeMs } = fstatSync(this.#fd)
    this.size = size
    this.#modified = mtimeMs
  }

  read(from: number, to: number): Uint8Array {
    if (to - from <= WINDOW) {
      const window = this.window(from, to)
      return window.bytes.subarray(from - window.from, to - window.from)
    }
    return this.#fetch(from, to)
  }

  window(from: number, to: number): Window {
    const windows = this.#windows
    const index = windows.findIndex(({ from: start, bytes }) => from >= start && to <= start + bytes.length)
    const [found] = index < 0 ? [] : windows.splice(index, 1)
    const window = found ?? { bytes: this.#fetch(from, Math.min(Math.max(to, from + WINDOW), this.size)), from }
    windows.unshift(window)
    if (windows.length > WINDOWS) windows.pop()
    return window
  }

  #fetch(from: number, to: number): Buffer {
    const bytes = allocate(to - from, `${this.name}, bytes ${from} to ${to}`)
    this.readInto(bytes, from)
    return Buffer.from(bytes.buffer)
  }

  readInto(target: Uint8Array, from: number): void {
    for (let done = 0; done < target.length; ) {
      const count = this.#readSome(target, done, from + done)
      if (count === 0) {
        throw new TrtError('IO_ERROR', `${this.name} became shorter while it was in use`, { hint: 'Read it again.' })
      }
      done += count
    }
  }

  /** Throws `IO_ERROR` where somebody wrote into the file since it was opened: its ranges would be garbage. */
  checkUnchanged(): void {
    const { size, mtimeMs } = fstatSync(this.#fd)
    if (size === this.size && mtimeMs === this.#modified) return
    throw new TrtError('IO_ERROR', `${this.name} was changed after it had been read`, { hint: 'Read it again.' })
  }

  #readSome(target: Uint8Array, offset: number, position: number): number {
    try {
      // One call moves less than 2 GiB on Linux.
      return readSync(this.#fd, target, offset, Math.min(target.length - offset, 2 ** 30), position)
    } catch (error) {
      throw new TrtError('IO_ERROR', `${this.name} cannot be read: ${messageOf(error)}`, {
        hint: 'Is its disk still there?',
        cause: error,
      })
    }
  }
}

/**
 * Opens a model.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`; `IO_ERROR` for a directory, a device or an unreadable file; `INVALID_MODEL`
 * where it is empty; `INVALID_ARGUMENT` where `source` is neither path nor bytes
 */
export function openSource(source: ModelSource): ByteSource {
  const opened = 'bytes' in source ? new MemorySource(checkBytes(source.bytes)) : openFile(source.path, 'the model')
  if (opened.size === 0) {
    throw new TrtError('INVALID_MODEL', `${opened.name} is empty (0 bytes)`, { hint: 'Export or download it again.' })
  }
  return opened
}

function openFile(path: string, what: string): ByteSource {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new TrtError('INVALID_ARGUMENT', `${what}: expected a path, received ${JSON.stringify(path) ?? typeof path}`)
  }
  try {
    const stats = statSync(path)
    checkRegular(path, stats)
    return stats.size > MAX_WHOLE_FILE ? new FileSource(path) : new MemorySource(readFileSync(path), path, path)
  } catch (error) {
    throw fileError(path, error)
  }
}

/** A device or a pipe would block the process, or never end. */
function checkRegular(path: string, stats: Stats): void {
  if (stats.isFile()) return
  const kind = stats.isDirectory() ? 'a directory' : 'not a regular file'
  throw new TrtError('IO_ERROR', `${path} is ${kind}; expected an ONNX file`, { hint: 'Give the path of the file.' })
}

/** What `node:fs` threw about `path`, as a {@link TrtError}. */
export function fileError(path: string, error: unknown): TrtError {
  if (error instanceof TrtError) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new TrtError('FILE_NOT_FOUND', `${path} does not exist`, { cause: error, hint: 'Check the path.' })
  }
  return new TrtError('IO_ERROR', `${path} cannot be used: ${messageOf(error)}`, {
    hint: 'May this process read it?',
    cause: error,
  })
}

function checkBytes(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes
  throw new TrtError('INVALID_ARGUMENT', `the model: expected a Uint8Array, received ${typeof bytes}`)
}
