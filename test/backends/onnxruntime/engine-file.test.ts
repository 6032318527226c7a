import { createHash } from 'node:crypto'
import * as trt from 'tensorrt-node'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  ORT_ENGINE_MAGIC,
  type OrtEngineHeader,
  packEngine,
  unpackEngine,
} from '#dist/backends/onnxruntime/engine-file.js'

const HEADER: Omit<OrtEngineHeader, 'modelSha256'> = {
  onnxruntime: '1.30.0',
  modelName: 'größe.onnx',
  precision: 'fp32',
  settings: { fp16: true, workspace: 2 ** 31 },
  profiles: [{ x: { min: [1, 2], opt: [4, 2], max: [8, 2] } }],
  inputs: [{ name: 'x', type: 'float32', shape: [-1, 2] }],
  outputs: [{ name: 'y', type: 'int64', shape: [] }],
}
const MODEL = Uint8Array.from({ length: 1000 }, (_, i) => i & 255)
const EXTERNAL = new Map([
  ['weights.bin', Uint8Array.of(1, 2, 3)],
  ['sub/more.bin', new Uint8Array(0)],
])

let file: Uint8Array
beforeAll(() => {
  file = Buffer.concat(packEngine(HEADER, { model: MODEL, external: EXTERNAL }))
})

function outcomeOf(bytes: Uint8Array): unknown {
  try {
    unpackEngine(bytes, 'model.engine')
    return 'taken'
  } catch (error) {
    return error instanceof trt.TrtError ? error.code : error
  }
}

/** What somebody could make who knows the format: changed, with the digest of the change. */
function forged(change: (file: Buffer) => void): Uint8Array {
  const copy = Buffer.from(file)
  change(copy)
  const digest = createHash('sha256').update(copy.subarray(0, 24)).update(copy.subarray(56)).digest()
  copy.set(digest, 24)
  return copy
}

function withHeader(edit: (header: Record<string, unknown>) => unknown): Uint8Array {
  const length = Buffer.from(file).readUInt32LE(12)
  return forged((copy) => {
    const header = edit(JSON.parse(copy.toString('utf8', 56, 56 + length)))
    // The same length, so that everything else stays where it is.
    copy.write(JSON.stringify(header).padEnd(length), 56)
  })
}

it('gives everything back', () => {
  const { header, model, external } = unpackEngine(file, 'model.engine')
  expect(header).toMatchObject(HEADER)
  expect(header.modelSha256).toBe(createHash('sha256').update(MODEL).digest('hex'))
  expect(Buffer.compare(model, MODEL)).toBe(0)
  expect([...external]).toEqual([...EXTERNAL].map(([location, bytes]) => [location, Buffer.from(bytes)]))
  expect(Buffer.from(file).subarray(0, 8).equals(ORT_ENGINE_MAGIC)).toBe(true)
})

describe('damage', () => {
  it('every truncation is INVALID_ENGINE', () => {
    for (let length = 0; length < file.length; length++) {
      expect(outcomeOf(file.subarray(0, length)), `at ${length}`).toBe('INVALID_ENGINE')
    }
  })

  it('every flipped bit is INVALID_ENGINE', () => {
    for (let at = 0; at < file.length; at++) {
      const copy = Uint8Array.from(file)
      copy[at] = (copy[at] as number) ^ (1 << (at & 7))
      expect(outcomeOf(copy), `at ${at}`).toBe('INVALID_ENGINE')
    }
  })

  it('something appended is INVALID_ENGINE', () => {
    expect(outcomeOf(Buffer.concat([file, Buffer.from('x')]))).toBe('INVALID_ENGINE')
  })
})

describe('made by others', () => {
  it('a sound file of a later version is ENGINE_MISMATCH, with the way out', () => {
    const later = forged((copy) => copy.writeUInt32LE(2, 8))
    expect(() => unpackEngine(later, 'model.engine')).toThrow(
      expect.objectContaining({ code: 'ENGINE_MISMATCH', hint: expect.stringContaining('npm install') }),
    )
  })

  it.each<[string, () => Uint8Array]>([
    ['a header that is no JSON', () => forged((copy) => copy.write('!', 56))],
    ['a header length beyond the file', () => forged((copy) => copy.writeUInt32LE(0xffffffff, 12))],
    ['a header of null', () => withHeader(() => null)],
    ['no profiles', () => withHeader((header) => ({ ...header, profiles: [] }))],
    ['profiles of null', () => withHeader((header) => ({ ...header, profiles: [null] }))],
    ['inputs that are no list', () => withHeader((header) => ({ ...header, inputs: 1 }))],
    ['a model that ends outside', () => withHeader((header) => ({ ...header, modelBytes: 9999 }))],
    ['a model of negative length', () => withHeader((header) => ({ ...header, modelBytes: -64 }))],
    ['a model of half a byte', () => withHeader((header) => ({ ...header, modelBytes: 0.5 }))],
    ['external data of null', () => withHeader((header) => ({ ...header, external: [null] }))],
  ])('%s is INVALID_ENGINE', (_, make) => {
    expect(outcomeOf(make())).toBe('INVALID_ENGINE')
  })
})
