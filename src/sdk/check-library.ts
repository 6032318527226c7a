import { closeSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs'

/** ELF's `e_machine` for the processors that TensorRT exists for. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }
const MACHINE_NAMES = new Map([
  [3, 'x86 (32 bit)'],
  [40, 'ARM (32 bit)'],
  [62, 'x86-64'],
  [183, 'AArch64'],
])
const ELF64_HEADER_SIZE = 64
const ELF64_PROGRAM_HEADER_SIZE = 56

/** What stands at a path: nothing, a library this process can load as far as its headers say, or one it cannot. */
export type LibraryCheck = { readonly ok: true } | { readonly ok: false; readonly problem: string | undefined }

const ABSENT: LibraryCheck = { ok: false, problem: undefined }

function unusable(problem: string): LibraryCheck {
  return { ok: false, problem }
}

/**
 * Judges a shared library by its ELF headers, without loading it: loading runs its constructors, and a truncated library
 * kills the process with SIGBUS rather than failing to load.
 *
 * @returns `problem: undefined` where there is no file at all
 */
export function checkLibrary(path: string): LibraryCheck {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      // The name may be there and lead nowhere, e.g. after half an uninstall.
      return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
        ? unusable('a dangling symbolic link')
        : ABSENT
    }
    return unusable(`cannot be read (${code})`)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return unusable('not a file')
    return checkElf(fd, stat.size)
  } finally {
    closeSync(fd)
  }
}

function checkElf(fd: number, size: number): LibraryCheck {
  const header = Buffer.alloc(ELF64_HEADER_SIZE)
  const headerBytes = readSync(fd, header, 0, ELF64_HEADER_SIZE, 0)
  if (size === 0) return unusable('an empty file')
  if (header.readUInt32BE(0) !== 0x7f454c46) return unusable('not an ELF library')
  if (header[4] !== 2) return unusable('a 32-bit library')
  if (headerBytes < ELF64_HEADER_SIZE) return unusable(`truncated at ${size} bytes`)
  if (header[5] !== 1) return unusable('a big-endian library')
  const machine = header.readUInt16LE(18)
  if (machine !== MACHINES[process.arch]) {
    return unusable(`built for ${MACHINE_NAMES.get(machine) ?? `ELF machine ${machine}`}, this is ${process.arch}`)
  }
  if (header.readUInt16LE(16) !== 3) return unusable('an ELF file, but no shared library')

  const sectionsEnd = header.readBigUInt64LE(40) + BigInt(header.readUInt16LE(58) * header.readUInt16LE(60))
  const end = [sectionsEnd, ...segmentEnds(fd, header)].reduce((a, b) => (a > b ? a : b))
  if (end > BigInt(size)) return unusable(`truncated: ${size} of ${end} bytes`)
  return { ok: true }
}

/** Where each segment's bytes end in the file. The section table ends a file as linkers write it, but may be stripped. */
function segmentEnds(fd: number, header: Buffer): bigint[] {
  const count = header.readUInt16LE(56)
  const start = header.readBigUInt64LE(32)
  const table = Buffer.alloc(count * ELF64_PROGRAM_HEADER_SIZE)
  const read = readSync(fd, table, 0, table.length, start)
  if (read < table.length) return [start + BigInt(table.length)]
  return Array.from({ length: count }, (_, i) => {
    const at = i * ELF64_PROGRAM_HEADER_SIZE
    return table.readBigUInt64LE(at + 8) + table.readBigUInt64LE(at + 32)
  })
}
