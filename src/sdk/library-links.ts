import { closeSync, openSync, readSync } from 'node:fs'

/** What a shared library says of itself to the loader. */
export interface LibraryLinks {
  /** The libraries that it needs, as it names them (`DT_NEEDED`), e.g. `'libnvinfer.so.10'`. */
  readonly needed: readonly string[]
  /** The names that it defines for others. */
  readonly exports: ReadonlySet<string>
}

interface Section {
  readonly type: number
  readonly offset: number
  readonly size: number
  /** Index of the section that holds the names. */
  readonly link: number
}

/** ELF's section types (`sh_type`), and the tag of a needed library (`d_tag`). */
const SHT_DYNAMIC = 6
const SHT_DYNSYM = 11
const DT_NEEDED = 1n
const SYMBOL_BYTES = 24
const DYNAMIC_BYTES = 16

/**
 * Reads from a 64-bit little-endian ELF library what it needs and what it gives, without loading it: to load it would
 * run its constructors. To be called for what `checkLibrary` found sound.
 *
 * @returns undefined where the file has no section table, which no common tool takes away
 */
export function readLibraryLinks(path: string): LibraryLinks | undefined {
  const fd = openSync(path, 'r')
  try {
    const read = (offset: number, size: number): Buffer => {
      const bytes = Buffer.alloc(size)
      readSync(fd, bytes, 0, size, offset)
      return bytes
    }
    const sections = sectionsOf(read)
    const symbols = sections.find(({ type }) => type === SHT_DYNSYM)
    const dynamic = sections.find(({ type }) => type === SHT_DYNAMIC)
    if (symbols === undefined || dynamic === undefined) return undefined
    const namesOf = ({ link }: Section): ((at: number) => string) => {
      const { offset, size } = sections[link] as Section
      const text = read(offset, size)
      return (at) => text.toString('utf8', at, text.indexOf(0, at))
    }
    return {
      needed: neededBy(read(dynamic.offset, dynamic.size), namesOf(dynamic)),
      exports: definedIn(read(symbols.offset, symbols.size), namesOf(symbols)),
    }
  } finally {
    closeSync(fd)
  }
}

function sectionsOf(read: (offset: number, size: number) => Buffer): Section[] {
  const header = read(0, 64)
  const start = Number(header.readBigUInt64LE(40))
  const entry = header.readUInt16LE(58)
  const count = header.readUInt16LE(60)
  const table = read(start, entry * count)
  return Array.from({ length: count }, (_, index) => ({
    type: table.readUInt32LE(index * entry + 4),
    offset: Number(table.readBigUInt64LE(index * entry + 24)),
    size: Number(table.readBigUInt64LE(index * entry + 32)),
    link: table.readUInt32LE(index * entry + 40),
  }))
}

function neededBy(dynamic: Buffer, nameAt: (at: number) => string): string[] {
  const needed: string[] = []
  for (let at = 0; at + DYNAMIC_BYTES <= dynamic.length; at += DYNAMIC_BYTES) {
    if (dynamic.readBigInt64LE(at) === DT_NEEDED) needed.push(nameAt(Number(dynamic.readBigUInt64LE(at + 8))))
  }
  return needed
}

function definedIn(symbols: Buffer, nameAt: (at: number) => string): ReadonlySet<string> {
  const names = new Set<string>()
  for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
    // A section index of 0 is for names that others have to bring.
    if (symbols.readUInt16LE(at + 6) !== 0) names.add(nameAt(symbols.readUInt32LE(at)))
  }
  return names
}
