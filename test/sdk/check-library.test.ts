import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLibrary } from '#dist/sdk/check-library.js'
import { type LibraryFaults, standInLibrary } from './helpers/libraries.js'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'check-library-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

function problemOf(bytes: Uint8Array): string | undefined {
  const path = join(dir, 'library.so')
  writeFileSync(path, bytes)
  const check = checkLibrary(path)
  return check.ok ? undefined : check.problem
}

it.each<[LibraryFaults, RegExp]>([
  [{ machine: process.arch === 'arm64' ? 62 : 183 }, /^built for (AArch64|x86-64), this is/],
  [{ machine: 0xbeef }, /ELF machine 48879/],
  [{ bits: 32 }, /32-bit/],
  [{ bigEndian: true }, /big-endian/],
  [{ type: 2 }, /no shared library/],
])('refuses %j', (faults, problem) => {
  expect(problemOf(standInLibrary(faults))).toMatch(problem)
  expect(problemOf(standInLibrary())).toBeUndefined()
})

it('refuses what is no library, and says what it is', () => {
  expect(problemOf(Buffer.alloc(0))).toBe('an empty file')
  // As git-lfs leaves them.
  expect(problemOf(Buffer.from('version https://git-lfs.example/spec/v1\n'))).toBe('not an ELF library')
  expect(problemOf(Buffer.from([0x7f]))).toBe('not an ELF library')
  const folder = join(dir, 'folder')
  mkdirSync(folder)
  expect(checkLibrary(folder)).toEqual({ ok: false, problem: 'not a file' })
})

it('tells a dangling link from nothing at all', () => {
  const link = join(dir, 'link.so')
  symlinkSync(join(dir, 'nowhere.so'), link)
  expect(checkLibrary(link)).toEqual({ ok: false, problem: 'a dangling symbolic link' })
  expect(checkLibrary(join(dir, 'nowhere.so'))).toEqual({ ok: false, problem: undefined })
  expect(checkLibrary(join(dir, 'link.so', 'below'))).toEqual({ ok: false, problem: undefined })
})

it('refuses a cut-off library whose section table was stripped, by its segments', () => {
  expect(problemOf(standInLibrary().subarray(0, 2000))).toBe('truncated: 2000 of 4096 bytes')
})

describe('a library that the compiler made', () => {
  let library: Buffer
  beforeAll(() => {
    const path = join(dir, 'real.so')
    execFileSync('c++', ['-shared', '-fPIC', '-x', 'c++', '-o', path, '-'], { input: 'int answer() { return 42; }' })
    library = readFileSync(path)
  })

  it('is taken whole', () => {
    expect(problemOf(library)).toBeUndefined()
  })

  it('is refused wherever it is cut off', () => {
    for (let length = 4; length < library.length; length += 97) {
      expect(problemOf(library.subarray(0, length)), `at ${length} bytes`).toMatch(/^truncated|^a 32-bit library/)
    }
    expect(problemOf(library.subarray(0, -1))).toMatch(/^truncated: \d+ of \d+ bytes$/)
  })
})
