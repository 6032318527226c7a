import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFileAtomic, writeFilesAtomic } from '#dist/files.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const NEW = Buffer.from('new')
const writeNew = (path: string) => ({
  path,
  write: (file: { writeFile(data: Buffer): Promise<void> }) => file.writeFile(NEW),
})

describe('a file that is replaced', () => {
  it('keeps its permissions, and the link that leads to it', async () => {
    const [path, link] = [join(folder, 'file'), join(folder, 'link')]
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    symlinkSync('file', link)
    await writeFileAtomic(link, NEW)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(folder).sort()).toEqual(['file', 'link'])
  })

  it('stays as it was where another one of the same write fails', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'old')
    const writing = writeFilesAtomic([writeNew(path), writeNew(join(folder, 'no/such/folder'))], { flush: false })
    await expect(writing).rejects.toMatchObject({
      code: 'IO_ERROR',
      message: expect.stringContaining('no/such/folder'),
    })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['file'])
  })
})

describe('what is no file', () => {
  it('is not replaced by one: a folder, a pipe, a pipe behind a link', async () => {
    const [pipe, link] = [join(folder, 'pipe'), join(folder, 'link')]
    execFileSync('mkfifo', [pipe])
    symlinkSync('pipe', link)
    for (const path of [folder, pipe, link]) {
      await expect(writeFileAtomic(path, NEW)).rejects.toMatchObject({ code: 'IO_ERROR' })
    }
    expect(statSync(pipe).isFIFO()).toBe(true)
    expect(readdirSync(folder).sort()).toEqual(['link', 'pipe'])
  })
})
