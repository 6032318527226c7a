import { openForReading } from '../files.js'
import { type EngineKind, HEADER_BYTES, recogniseEngine } from './recognise-engine.js'

/** What a file is, as its first bytes tell. */
export type FileKind = EngineKind | { readonly kind: 'onnx' }

/**
 * Tells models and engines apart by how they begin, and not by their names.
 *
 * ONNX has no magic number. Every exporter writes `ir_version` first (byte 08); a file that begins in another way counts
 * as a model where it is named `.onnx`, so that the message about a damaged one is about models.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`, or `INVALID_ENGINE` where it is neither, or a truncated engine
 */
export async function recogniseFile(path: string): Promise<{ file: FileKind; bytes: number }> {
  const { file, size } = await openForReading(path)
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0)
    const start = header.subarray(0, bytesRead)
    return { file: recognise(start, size, path), bytes: size }
  } finally {
    await file.close()
  }
}

function recognise(start: Uint8Array, size: number, path: string): FileKind {
  if (start[0] === 0x08) return { kind: 'onnx' }
  try {
    return recogniseEngine(start, size, path)
  } catch (error) {
    if (/\.onnx$/i.test(path)) return { kind: 'onnx' }
    throw error
  }
}
