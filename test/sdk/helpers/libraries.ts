import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What may be wrong with a stand-in library. */
export interface LibraryFaults {
  /** ELF's `e_machine`. Default: this processor's. */
  machine?: number
  bits?: 32 | 64
  bigEndian?: boolean
  /** ELF's `e_type`. Default 3, a shared library. */
  type?: number
}

export const THIS_MACHINE = process.arch === 'arm64' ? 183 : 62

/**
 * A stand-in for a shared library: sound ELF headers, one segment that spans the file, and no code. Enough for whoever
 * judges a library without loading it.
 */
export function standInLibrary({ machine = THIS_MACHINE, bits = 64, bigEndian = false, type = 3 }: LibraryFaults = {}) {
  const bytes = Buffer.alloc(4096)
  bytes.writeUInt32BE(0x7f454c46, 0)
  bytes[4] = bits / 32
  bytes[5] = bigEndian ? 2 : 1
  bytes[6] = 1
  bytes.writeUInt16LE(type, 16)
  bytes.writeUInt16LE(machine, 18)
  bytes.writeBigUInt64LE(64n, 32) // program headers follow
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(1, 56)
  bytes.writeUInt32LE(1, 64) // PT_LOAD
  bytes.writeBigUInt64LE(BigInt(bytes.length), 64 + 32)
  return bytes
}

/** Writes a stand-in library, and the folders that lead to it. */
export function writeLibrary(path: string, faults?: LibraryFaults): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, standInLibrary(faults))
  return path
}
