import type { FileHandle } from 'node:fs/promises'
import { writeFilesAtomic } from '../../files.js'
import type { Rope } from './rope.js'
import { type ByteSource, FileSource } from './source.js'

/** A file to be written. */
export interface OutputFile {
  readonly path: string
  readonly content: Rope
}

/**
 * Bytes copied at once. Two such buffers are all the memory that writing takes: one is filled while the other is
 * written. Processor time to read, change and write 525 MB, best of 3: 128 KiB 0.53 s, 512 KiB 0.46 s, 1 MiB 0.38 s,
 * 4 MiB 0.44 s.
 */
const CHUNK = 2 ** 20

/**
 * Writes files together: see {@link writeFilesAtomic}. The sources may be the very files that are replaced.
 *
 * @throws {TrtError} `IO_ERROR`; nothing is left behind
 */
export async function writeFiles(files: readonly OutputFile[]): Promise<void> {
  const outputs = files.map(({ path, content }) => ({
    path,
    write: (file: FileHandle) => writeRope(file, content),
  }))
  await writeFilesAtomic(outputs, { flush: false })
}

async function writeRope(file: FileHandle, content: Rope): Promise<void> {
  const writer = new ChunkWriter(file)
  for (const { source, from, to } of content.spans) await writer.span(source, from, to)
  await writer.end()
  for (const source of new Set(content.spans.map((span) => span.source))) {
    if (source instanceof FileSource) source.checkUnchanged()
  }
}

/** Gathers parts of any size into chunks, and fills one chunk while the last one is on its way to the disk. */
class ChunkWriter {
  readonly #file: FileHandle
  #filling = Buffer.allocUnsafeSlow(CHUNK)
  #writing = Buffer.allocUnsafeSlow(CHUNK)
  #used = 0
  #pending: Promise<unknown> = Promise.resolve()

  constructor(file: FileHandle) {
    this.#file = file
  }

  async span(source: ByteSource, from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      const count = Math.min(to - at, CHUNK - this.#used)
      source.readInto(this.#filling.subarray(this.#used, this.#used + count), at)
      at += count
      this.#used += count
      if (this.#used === CHUNK) await this.#swap()
    }
  }

  async end(): Promise<void> {
    await this.#swap()
    await this.#pending
  }

  async #swap(): Promise<void> {
    await this.#pending
    const chunk = this.#filling.subarray(0, this.#used)
    this.#filling = this.#writing
    this.#writing = chunk.length === CHUNK ? chunk : Buffer.alloc(0)
    this.#used = 0
    this.#pending = writeAll(this.#file, chunk)
    // The next await sees a failure; without this, Node would call it unhandled in between.
    this.#pending.catch(() => undefined)
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at)
    at += bytesWritten
  }
}
