import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MAX_WHOLE_FILE } from '#dist/onnx/io/limits.js'
import { constant, external, makeModel, node } from '../helpers/onnx-model.js'

let root: string
let folder: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'write-'))
})
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'))
})
afterAll(() => rmSync(root, { recursive: true }))

const negate = (initializer: ReturnType<typeof constant>): Uint8Array =>
  makeModel({ outputs: { y: ['float32'] }, initializers: { w: initializer }, nodes: [node('Neg', ['w'], ['y'])] })

const small = negate(constant('float32', [2], [1, 2]))

/** Longer than what is read whole, so it is read by ranges from an open file. */
const LARGE = MAX_WHOLE_FILE / 4 + 1000
const large = (): Uint8Array => negate({ type: 'float32', dims: [LARGE], bytes: new Uint8Array(LARGE * 4).fill(7) })

describe('writing', () => {
  it('takes a path, a URL or bytes', async () => {
    const path = join(folder, 'a model.onnx')
    writeFileSync(path, small)
    for (const source of [path, pathToFileURL(path), small]) {
      expect(Buffer.from((await onnx.read(source)).toBytes()).equals(small)).toBe(true)
    }
  })

  it('replaces the file that is being read by ranges', async () => {
    const path = join(folder, 'm.onnx')
    writeFileSync(path, large())
    const model = await onnx.read(path)
    model.graph.value('y')?.rename('z')
    await model.write(path)
    // The model goes on with the old file, which is open still.
    model.graph.value('z')?.rename('y')
    await model.write(join(folder, 'again.onnx'))
    expect(readFileSync(join(folder, 'again.onnx')).equals(large())).toBe(true)
    expect((await onnx.read(path)).graph.outputs[0]?.name).toBe('z')
    expect(readdirSync(folder).sort()).toEqual(['again.onnx', 'm.onnx'])
  })

  it('keeps permissions, and the file behind a link', async () => {
    const path = join(folder, 'm.onnx')
    writeFileSync(path, small)
    chmodSync(path, 0o640)
    symlinkSync('m.onnx', join(folder, 'link.onnx'))
    const model = await onnx.read(small)
    model.graph.name = 'new'
    await model.write(join(folder, 'link.onnx'))
    expect(lstatSync(join(folder, 'link.onnx')).isSymbolicLink()).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect((await onnx.read(path)).graph.name).toBe('new')
  })

  it.each([
    ['into a folder that is not there', () => join(folder, 'none', 'm.onnx')],
    ['over a folder', () => folder],
    ['under a file', () => join(folder, 'file', 'm.onnx')],
  ])('leaves nothing behind when it fails: %s', async (_, path) => {
    writeFileSync(join(folder, 'file'), '')
    const before = readdirSync(root).length
    const model = await onnx.read(small)
    await expect(model.write(path())).rejects.toMatchObject({ code: 'IO_ERROR' })
    expect(readdirSync(folder)).toEqual(['file'])
    expect(readdirSync(root)).toHaveLength(before)
  })

  it('says so when the file was written to after it had been read, and keeps the old output', async () => {
    const path = join(folder, 'm.onnx')
    const target = join(folder, 'out.onnx')
    writeFileSync(path, large())
    writeFileSync(target, 'old')
    const model = await onnx.read(path)
    utimesSync(path, 1, 1)
    await expect(model.write(target)).rejects.toMatchObject({
      code: 'IO_ERROR',
      message: expect.stringContaining('changed'),
    })
    expect(readFileSync(target, 'utf8')).toBe('old')
    expect(readdirSync(folder).sort()).toEqual(['m.onnx', 'out.onnx'])
  })

  it('refuses external data outside the folder, and leaves nothing behind', async () => {
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'secret.bin'), new Uint8Array(8))
    const path = join(folder, 'sub', 'm.onnx')
    writeFileSync(path, negate(external('float32', [2], '../secret.bin')))
    const model = await onnx.read(path)
    const refused = { code: 'EXTERNAL_DATA', message: expect.stringContaining('outside') }
    expect(() => model.graph.initializers[0]?.bytes()).toThrow(expect.objectContaining(refused))
    await expect(model.write(join(folder, 'inside.onnx'), { externalData: false })).rejects.toMatchObject(refused)
    await expect(model.write(join(folder, 'moved.onnx'))).rejects.toMatchObject(refused)
    await expect(model.write(join(folder, 'x.onnx'), { externalData: { location: '../x' } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    expect(readdirSync(folder).sort()).toEqual(['secret.bin', 'sub'])
  })
})

describe('a model over 2 GiB', () => {
  it('is inspected, looked at, changed and written in little memory', async () => {
    // Two weights: 2.2 GB of zeros, which take no room on the disk, and a small one behind them.
    const path = join(folder, 'big.onnx')
    const elements = 550_000_000
    writeBig(path, elements)
    const script = fileURLToPath(new URL('./fixtures/change-big-model.mjs', import.meta.url))
    const report = JSON.parse(
      execFileSync(process.execPath, [script, path, join(folder, 'out.onnx')], { encoding: 'utf8' }),
    )
    const { maxRssMiB, ...rest } = report
    expect(rest).toEqual({
      parameters: elements + 3,
      sizeBytes: statSync(path).size,
      tail: [1, 2, 3],
      written: statSync(path).size,
      output: 'longer',
      tailAfter: [1, 2, 3],
    })
    // Node alone takes 45 MiB.
    expect(maxRssMiB).toBeLessThan(130)
  })
})

/** Lengths around a payload of any size, and the payload itself left as a hole in the file. */
function writeBig(path: string, elements: number): void {
  const varint = (value: number): Buffer => {
    const bytes: number[] = []
    let rest = value
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
    return Buffer.from([...bytes, rest])
  }
  const field = (number: number, content: Buffer): Buffer =>
    Buffer.concat([varint(number * 8 + 2), varint(content.length), content])
  const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))
  const dims = (count: number): Buffer => Buffer.concat([Buffer.from([0x08]), varint(count)])

  const weightHead = Buffer.concat([
    dims(elements),
    Buffer.from([0x10, 1]),
    text(8, 'w'),
    varint(9 * 8 + 2),
    varint(elements * 4),
  ])
  const tail = Buffer.concat([
    field(
      5,
      Buffer.concat([
        dims(3),
        Buffer.from([0x10, 1]),
        text(8, 'tail'),
        field(9, Buffer.from(Float32Array.of(1, 2, 3).buffer)),
      ]),
    ),
    field(12, text(1, 'output')),
  ])
  const nodes = field(1, Buffer.concat([text(1, 'w'), text(1, 'tail'), text(2, 'output'), text(4, 'Op')]))
  const initializerHead = Buffer.concat([varint(5 * 8 + 2), varint(weightHead.length + elements * 4), weightHead])
  const graphLength = nodes.length + initializerHead.length + elements * 4 + tail.length
  const head = Buffer.concat([Buffer.from([8, 8]), varint(7 * 8 + 2), varint(graphLength), nodes, initializerHead])
  const fd = openSync(path, 'w')
  ftruncateSync(fd, head.length + elements * 4 + tail.length)
  writeSync(fd, head, 0, head.length, 0)
  writeSync(fd, tail, 0, tail.length, head.length + elements * 4)
  closeSync(fd)
}
