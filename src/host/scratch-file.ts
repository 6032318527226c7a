/**
 * Memory that two processes share by way of a file without a name: the way of bulk data between an owner and its child.
 *
 * A child process is needed anyway (see backends/onnxruntime), and
 * of the ways to hand it data,
 * - IPC messages (`serialization: 'advanced'`) serialise on the event loop: 79–126 ms for 100 MB;
 * - a pipe moves 64 KiB per turn of the event loop, so it holds the loop for the sum of all copies;
 * - a SharedArrayBuffer reaches worker threads only, and the end of such a thread in native code ends the process;
 * - positional reads and writes of a file in memory run on libuv's pool and leave the event loop alone.
 *
 * The file is opened without a name (or unlinked at once), so nothing is left on disk whatever dies.
 */
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, TrtError } from '../errors.js'

const readAt = promisify(fs.read)
const writeAt = promisify(fs.write)
const truncate = promisify(fs.ftruncate)

/** Up to here a copy (about 50 µs for 256 KiB) is done at once: a round trip to libuv's pool costs as much. */
const AT_ONCE_BYTES = 256 * 1024

/** A read or write on the pool takes at most this much, so that one tensor does not hold a pool thread for long. */
const CHUNK_BYTES = 16 * 1024 * 1024

const SHARED_MEMORY = '/dev/shm'

/** Below this much free, shared memory is left alone: Docker gives a container 64 MiB. */
const AMPLE_BYTES = 1024 ** 3

/** See the head of this file. Positions and lengths are in bytes. */
export class ScratchFile {
  #fd: number | undefined

  private constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * Opens a new file, in shared memory where there is ample room, else in the folder for temporary files.
   * @throws {TrtError} `IO_ERROR` where neither can be written
   */
  static create(): ScratchFile {
    const folder = hasAmpleRoom(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir()
    try {
      return new ScratchFile(openNameless(folder))
    } catch (error) {
      throw new TrtError('IO_ERROR', `No temporary file in ${folder}: ${messageOf(error)}`, {
        hint: 'Name a folder that can be written: TMPDIR=/some/folder',
        cause: error,
      })
    }
  }

  /** The child's view of a file that its owner created and let it inherit. */
  static inherited(fd: number): ScratchFile {
    return new ScratchFile(fd)
  }

  /** @throws {TrtError} `CLOSED` */
  get fd(): number {
    if (this.#fd === undefined) throw new TrtError('CLOSED', 'The scratch file is closed')
    return this.#fd
  }

  /**
   * Writes all of `data`. What is small is copied before this returns; larger data must stay unchanged until the promise
   * resolves.
   * @throws {TrtError} `OUT_OF_MEMORY` where the file system is full, else `IO_ERROR`
   */
  async write(data: ArrayBufferView, position: number): Promise<void> {
    if (data.byteLength <= AT_ONCE_BYTES) return this.writeSync(data, position)
    const { fd } = this
    const bytes = bytesOf(data)
    await inChunks(bytes.byteLength, async (offset, length) => {
      return (await writeAt(fd, bytes, offset, length, position + offset)).bytesWritten
    })
  }

  /** As {@link write}, but blocks: for the child, whose event loop has nothing else to do. */
  writeSync(data: ArrayBufferView, position: number): void {
    const bytes = bytesOf(data)
    try {
      for (let offset = 0; offset < bytes.byteLength; ) {
        offset += fs.writeSync(this.fd, bytes, offset, bytes.byteLength - offset, position + offset)
      }
    } catch (error) {
      throw fileError(error)
    }
  }

  /**
   * Fills `target` from `position` on.
   * @throws {TrtError} `IO_ERROR`, also where the file is shorter
   */
  async read(target: ArrayBufferView, position: number): Promise<void> {
    if (target.byteLength <= AT_ONCE_BYTES) return this.readSync(target, position)
    const { fd } = this
    const bytes = bytesOf(target)
    await inChunks(bytes.byteLength, async (offset, length) => {
      return (await readAt(fd, bytes, offset, length, position + offset)).bytesRead
    })
  }

  /** As {@link read}, but blocks: for the child, whose event loop has nothing else to do. */
  readSync(target: ArrayBufferView, position: number): void {
    const bytes = bytesOf(target)
    try {
      for (let offset = 0; offset < bytes.byteLength; ) {
        const count = fs.readSync(this.fd, bytes, offset, bytes.byteLength - offset, position + offset)
        if (count === 0) throw new Error('unexpected end of the scratch file')
        offset += count
      }
    } catch (error) {
      throw fileError(error)
    }
  }

  /** Empties the file and gives its memory back. */
  async clear(): Promise<void> {
    await truncate(this.fd, 0)
  }

  /** Closes the file, which gives its memory back. Twice is fine. To be called when no read or write is in flight. */
  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd)
    this.#fd = undefined
  }
}

function hasAmpleRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = fs.statfsSync(folder)
    return bavail * bsize >= AMPLE_BYTES
  } catch {
    return false
  }
}

/** Linux opens a file that never has a name (O_TMPFILE, which Node does not list); elsewhere it has one for an instant. */
function openNameless(folder: string): number {
  if (process.platform === 'linux') {
    const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY
    try {
      return fs.openSync(folder, O_TMPFILE | fs.constants.O_RDWR, 0o600)
    } catch {
      // This file system has no such files.
    }
  }
  const path = join(folder, `tensorrt-node-${randomUUID()}`)
  const fd = fs.openSync(path, 'wx+', 0o600)
  fs.unlinkSync(path)
  return fd
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** Moves `total` bytes by asynchronous steps, each of which may do less than it was asked for. */
async function inChunks(total: number, step: (offset: number, length: number) => Promise<number>): Promise<void> {
  try {
    for (let offset = 0; offset < total; ) {
      const count = await step(offset, Math.min(CHUNK_BYTES, total - offset))
      if (count === 0) throw new Error('unexpected end of the scratch file')
      offset += count
    }
  } catch (error) {
    throw fileError(error)
  }
}

function fileError(error: unknown): TrtError {
  if (error instanceof TrtError) return error
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new TrtError('OUT_OF_MEMORY', 'No room for the tensors in the folder for temporary files', {
      hint: 'Give a container more shared memory (`docker run --shm-size=4g`), or name a larger folder: TMPDIR=/some/folder',
      cause: error,
    })
  }
  return new TrtError('IO_ERROR', `The scratch file could not be read or written: ${messageOf(error)}`, {
    cause: error,
  })
}
