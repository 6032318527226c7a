import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspectModel } from 'tensorrt-node/onnx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TrtError } from '#dist/errors.js'
import { constant, external, makeModel, node } from '../helpers/onnx-model.js'
import { ocrModel } from './helpers/models.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inspect-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const inFolder = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const small = makeModel({
  name: 'small',
  inputs: { x: ['float32', ['N', 3, -1]], w: ['float16', [3]], any: ['int64'] },
  outputs: { y: ['float32', [2]] },
  initializers: { w: constant('float16', [3], [0, 1, 2]) },
  nodes: [
    node('Cast', ['w'], ['w32'], { to: 1 }),
    node('Add', ['x', 'w32'], ['s']),
    node('If', ['c'], ['y'], {
      then_branch: { outputs: { a: ['bfloat16'] }, nodes: [node('Neg', ['s'], ['a'])] },
      else_branch: { outputs: { b: ['float32'] }, nodes: [node('Custom', ['any'], ['b'], {}, { domain: 'my.ops' })] },
    }),
    node('Constant', [], ['c'], { value: constant('bool', [], [1]) }),
  ],
  opset: { '': 17, 'my.ops': 2 },
})

describe('inspectModel', () => {
  it('tells true inputs from initializers, counts nested nodes, and keeps symbols and unknowns apart', async () => {
    expect(await inspectModel({ bytes: small })).toEqual({
      irVersion: 8,
      producer: 'tensorrt-node tests',
      opsets: { '': 17, 'my.ops': 2 },
      graphName: 'small',
      inputs: [
        { name: 'x', type: 'float32', dims: ['N', 3, null] },
        { name: 'any', type: 'int64', dims: undefined },
      ],
      outputs: [{ name: 'y', type: 'float32', dims: [2] }],
      nodeCount: 6,
      ops: { Add: 1, Cast: 1, Constant: 1, If: 1, Neg: 1, 'my.ops:Custom': 1 },
      tensorTypes: ['bfloat16', 'bool', 'float16', 'float32', 'int64'],
      parameters: 4,
      externalFiles: [],
      sizeBytes: small.length,
    })
  })

  it('reads a real model', async () => {
    const info = await inspectModel({ path: ocrModel('ch_PP-OCRv4_rec_infer.onnx') })
    expect(info.inputs).toEqual([
      { name: 'x', type: 'float32', dims: ['p2o.DynamicDimension.0', 3, 48, 'p2o.DynamicDimension.1'] },
    ])
    expect(info.nodeCount).toBe(765)
    expect(info.parameters).toBe(2690312)
  })
})

describe('what is no model', () => {
  const failure = async (source: Parameters<typeof inspectModel>[0]): Promise<TrtError> => {
    const error = await inspectModel(source).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(error).toBeInstanceOf(TrtError)
    return error as TrtError
  }

  it.each([
    ['a missing file', () => join(folder, 'missing.onnx'), 'FILE_NOT_FOUND', 'does not exist'],
    ['a file used as a folder', () => join(inFolder('plain', 'x'), 'm.onnx'), 'FILE_NOT_FOUND', 'does not exist'],
    ['a folder', () => folder, 'IO_ERROR', 'is a directory'],
    ['a device that never ends', () => '/dev/zero', 'IO_ERROR', 'not a regular file'],
    ['an empty file', () => inFolder('empty', ''), 'INVALID_MODEL', 'is empty'],
    ['a text', () => inFolder('text', 'Nothing to see here.\n'), 'INVALID_MODEL', 'looks like text'],
    [
      'a Git LFS pointer',
      () => inFolder('lfs', 'version https://git-lfs.github.com/spec/v1\n'),
      'INVALID_MODEL',
      'LFS',
    ],
    ['a zip archive', () => inFolder('zip', 'PK\x03\x04\x14\x00'), 'INVALID_MODEL', 'zip'],
    ['a truncated model', () => inFolder('cut', small.subarray(0, 200)), 'INVALID_MODEL', 'ends inside'],
    ['a message that is no model', () => inFolder('other', Uint8Array.of(8, 8)), 'INVALID_MODEL', 'no graph'],
    [
      'a graph without nodes',
      () => inFolder('bare', makeModel({ outputs: {}, nodes: [] })),
      'INVALID_MODEL',
      'no nodes',
    ],
  ])('%s', async (_, path, code, text) => {
    const error = await failure({ path: path() })
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
  })

  const invalid = (nodes: Parameters<typeof makeModel>[0]['nodes']): Promise<TrtError> =>
    failure({ bytes: makeModel({ inputs: { x: ['float32'] }, outputs: { y: ['float32'] }, nodes }) })

  it.each([
    ['a cycle', [node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b']), node('Neg', ['x'], ['y'])], /"a".* cycle/],
    ['a node that needs itself', [node('Add', ['x', 'y'], ['y'])], /cycle/],
    ['a value given twice', [node('Neg', ['x'], ['y']), node('Abs', ['x'], ['y'])], /"y" is given twice/],
    ['a value from nowhere', [node('Add', ['x', 'gone'], ['y'])], /reads "gone"/],
    ['an output from nowhere', [node('Neg', ['x'], ['z'])], /outputs reads "y"/],
    ['a node without an op', [node('', ['x'], ['y'])], /no op type/],
  ])('%s', async (_, nodes, text) => {
    const error = await invalid(nodes)
    expect(error.code).toBe('INVALID_MODEL')
    expect(error.message).toMatch(text)
  })

  it('a cycle through what a subgraph reads from outside', async () => {
    const body = { outputs: { t: ['float32'] as const }, nodes: [node('Neg', ['y'], ['t'])] }
    const error = await invalid([node('If', ['x'], ['y'], { then_branch: body, else_branch: body })])
    expect(error.message).toContain('cycle')
  })

  it('accepts nodes in any order', async () => {
    const nodes = [node('Neg', ['a'], ['y']), node('Abs', ['x'], ['a'])]
    const bytes = makeModel({ inputs: { x: ['float32'] }, outputs: { y: ['float32'] }, nodes })
    expect((await inspectModel({ bytes })).nodeCount).toBe(2)
  })

  it('graphs nested without end', async () => {
    // Each level is an attribute of a node of a graph; the lengths are right, so only the depth can stop it.
    const wrap = (tag: number, bytes: Buffer): Buffer => {
      const length: number[] = []
      let rest = bytes.length
      for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
      return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes])
    }
    let graph: Buffer = Buffer.alloc(0)
    for (let depth = 0; depth < 2000; depth++) graph = wrap(0x0a, wrap(0x2a, wrap(0x32, graph)))
    const error = await failure({ bytes: Buffer.concat([Buffer.from([8, 8]), wrap(0x3a, graph)]) })
    expect(error.code).toBe('INVALID_MODEL')
    expect(error.message).toContain('deeper than 100')
  })

  it('a length of 2^60 bytes', async () => {
    const error = await failure({ bytes: Buffer.from('08083a808080808080808010', 'hex') })
    expect(error.message).toMatch(/ends inside a field: .* says 11529215\d+ bytes, 0 are left/)
  })
})

describe('external data', () => {
  const model = (location: string, range = {}): Uint8Array =>
    makeModel({
      outputs: { y: ['float32', [4]] },
      initializers: { w: external('float32', [4], location, range) },
      nodes: [node('Neg', ['w'], ['y'])],
    })

  it('is found beside the model, with its range', async () => {
    mkdirSync(join(folder, 'sub'), { recursive: true })
    inFolder('sub/w.bin', new Uint8Array(24))
    const path = inFolder('m.onnx', model('sub/w.bin', { offset: 8 }))
    expect((await inspectModel({ path })).externalFiles).toEqual([
      { location: 'sub/w.bin', offset: 8, length: 16, path: join(folder, 'sub/w.bin') },
    ])
  })

  it.each([
    ['missing', model('gone.bin'), /gone\.bin, which is missing/],
    ['too short', model('w.bin', { offset: 9 }), /needs bytes 9 to 25 .* has 24 bytes/],
    ['shorter than its shape', model('w.bin', { length: 8 }), /needs 16 bytes .* says 8/],
    ['absolute', model('/etc/passwd'), /outside the model's folder/],
    ['absolute on Windows', model('C:\\w.bin'), /outside the model's folder/],
    ['above', model('sub/../../w.bin'), /outside the model's folder/],
    ['a link to outside', model('link.bin'), /a link to outside/],
    ['a folder', model('sub'), /not a regular file/],
    ['without a place', model(''), /does not say which file/],
    ['with a negative offset', model('w.bin', { offset: -4 }), /offset "-4"/],
  ])('is refused: %s', async (_, bytes, text) => {
    const home = mkdtempSync(join(folder, 'home-'))
    mkdirSync(join(home, 'sub'))
    writeFileSync(join(home, 'w.bin'), new Uint8Array(24))
    symlinkSync('/etc/passwd', join(home, 'link.bin'))
    const path = join(home, 'm.onnx')
    writeFileSync(path, bytes)
    await expect(inspectModel({ path })).rejects.toMatchObject({
      code: 'EXTERNAL_DATA',
      message: expect.stringMatching(text),
    })
  })

  it('is refused for bytes, which have no folder', async () => {
    await expect(inspectModel({ bytes: model('w.bin') })).rejects.toMatchObject({
      code: 'EXTERNAL_DATA',
      message: expect.stringContaining('no folder'),
    })
  })
})
