import { readdirSync, readlinkSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { ScratchFile } from '#dist/host/scratch-file.js'

const files: ScratchFile[] = []
function create(): ScratchFile {
  const file = ScratchFile.create()
  files.push(file)
  return file
}
afterEach(() => {
  for (const file of files.splice(0)) file.close()
})

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255
  return bytes
}

it.each([0, 1, 256 * 1024, 256 * 1024 + 1, 40 * 1024 * 1024 + 3])(
  'gives %i bytes back as they were',
  async (length) => {
    const file = create()
    const data = pattern(length)
    await file.write(data, 5)
    const target = new Uint8Array(length)
    await file.read(target, 5)
    expect(Buffer.compare(target, data)).toBe(0)
  },
)

it('takes views: the bytes of the part, of any element type', async () => {
  const file = create()
  await file.write(new Float32Array([1, 2, 3, 4]).subarray(1, 3), 0)
  const target = new Float32Array(4)
  file.readSync(target.subarray(2), 0)
  expect([...target]).toEqual([0, 0, 2, 3])
})

it('copies small data before it returns', async () => {
  const file = create()
  const data = pattern(1000)
  const written = file.write(data, 0)
  data.fill(0)
  await written
  const target = new Uint8Array(1000)
  await file.read(target, 0)
  expect(Buffer.compare(target, pattern(1000))).toBe(0)
})

it('has no name on any disk', () => {
  const { fd } = create()
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toMatch(/\(deleted\)$/)
})

it('reading past the end is an error, small or large', async () => {
  const file = create()
  await file.write(new Uint8Array(10), 0)
  await expect(file.read(new Uint8Array(11), 0)).rejects.toMatchObject({ code: 'IO_ERROR' })
  await expect(file.read(new Uint8Array(1e6), 0)).rejects.toMatchObject({ code: 'IO_ERROR' })
})

it('close() gives the descriptor back, and later use is refused', async () => {
  const before = readdirSync('/proc/self/fd').length
  const file = ScratchFile.create()
  file.close()
  file.close()
  expect(readdirSync('/proc/self/fd').length).toBe(before)
  await expect(file.write(new Uint8Array(1), 0)).rejects.toMatchObject({ code: 'CLOSED' })
})

it('a full file system is OUT_OF_MEMORY with the fix', async () => {
  // Linux keeps a device that is always full.
  const { openSync } = await import('node:fs')
  const file = ScratchFile.inherited(openSync('/dev/full', 'r+'))
  files.push(file)
  for (const size of [10, 1e6]) {
    await expect(file.write(new Uint8Array(size), 0)).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      hint: expect.stringContaining('--shm-size'),
    })
  }
})
