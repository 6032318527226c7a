import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Tensor } from 'tensorrt-node'
import { afterAll, describe, expect, test } from 'vitest'
import { formatNpy, parseNpy } from '#dist/npy/npy.js'
import { readTensorFile, writeNpyFile } from '#dist/npy/tensor-files.js'
import { BYTES_PER_ELEMENT, type DataType } from '#dist/tensor.js'
import { failure } from '../helpers/errors.js'
import { numpyPython } from './helpers/python.js'

const folder = mkdtempSync(join(tmpdir(), 'trt-npy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const TYPES = Object.keys(BYTES_PER_ELEMENT) as DataType[]

/** A file with a header as given, in format `major`.0. */
function npy(dict: string, data: Uint8Array = new Uint8Array(), major = 1): Uint8Array {
  const text = Buffer.from(`${dict}\n`)
  const head = Buffer.alloc(major === 1 ? 10 : 12)
  head.write('\x93NUMPY', 'latin1')
  head[6] = major
  if (major === 1) head.writeUInt16LE(text.length, 8)
  else head.writeUInt32LE(text.length, 8)
  return Buffer.concat([head, text, data])
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('what is written is read back', () => {
  test.each(TYPES)('%s', (type) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), (dims) => {
        const length = dims.reduce((product, dim) => product * dim, BYTES_PER_ELEMENT[type])
        const raw = Uint8Array.from({ length }, (_, index) => (type === 'bool' ? index % 2 : (index * 37) % 251))
        const tensor = Tensor.fromBuffer(type, raw.buffer, dims)
        const again = parseNpy(formatNpy(tensor))
        expect(again.type).toBe(type)
        expect(again.dims).toEqual(dims)
        expect(again.data).toEqual(tensor.data)
      }),
      { seed: 13 },
    )
  })

  test('the elements begin at a multiple of 64 bytes, so that they can be mapped', () => {
    const file = formatNpy(new Tensor('float32', new Float32Array(6), [2, 3]))
    expect(file.length % 64).toBe(24)
    expect(Buffer.from(file).toString('latin1', 10, 63)).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".slice(0, 53),
    )
  })
})

describe('reading', () => {
  test('a file that lies unaligned in a larger buffer', () => {
    const file = formatNpy(new Tensor('float64', Float64Array.of(1.5, -2), [2]))
    const larger = new Uint8Array(file.length + 3)
    larger.set(file, 3)
    expect(parseNpy(larger.subarray(3)).data).toEqual(Float64Array.of(1.5, -2))
  })

  test('big-endian elements, leaving the file as it was', () => {
    const file = npy("{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }", bytes(0, 0, 0, 1, 255, 255, 255, 254))
    const before = Uint8Array.from(file)
    expect(parseNpy(file).data).toEqual(Int32Array.of(1, -2))
    expect(Uint8Array.from(file)).toEqual(before)
  })

  test('Fortran order', () => {
    const file = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", bytes(11, 21, 12, 22, 13, 23))
    const { dims, data } = parseNpy(file)
    expect(dims).toEqual([2, 3])
    expect([...(data as Uint8Array)]).toEqual([11, 12, 13, 21, 22, 23])
  })

  test.each([1, 2, 3])('format %d.0, keys in any order, double quotes and the L of Python 2', (major) => {
    const file = npy(`{"shape": (2L, 1L), "fortran_order": False, "descr": "|i1"}`, bytes(1, 255), major)
    expect(parseNpy(file)).toMatchObject({ type: 'int8', dims: [2, 1], data: Int8Array.of(1, -1) })
  })
})

describe('a damaged file is refused', () => {
  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
  const eight = new Uint8Array(8)
  test.each([
    ['no .npy at all', Buffer.from('hello, I am a text'), /does not begin with/],
    ['format 9', npy(good, eight, 9), /format 1.0, 2.0 or 3.0, received 9.0/],
    ['cut inside the header', npy(good, eight).subarray(0, 30), /header should end at byte/],
    ['cut inside the first bytes', npy(good, eight).subarray(0, 9), /ends within its header/],
    ['too few elements', npy(good, eight.subarray(1)), /has 8 bytes, the file holds 7/],
    ['bytes behind the array', npy(good, new Uint8Array(9)), /has 8 bytes, the file holds 9/],
    ['a negative dimension', npy(good.replace('(2,)', '(-2,)'), eight), /header is damaged/],
    ['a dimension beyond 2^53', npy(good.replace('(2,)', '(99999999999999999999,)'), eight), /lacks descr/],
    [
      'dimensions whose product overflows',
      npy(good.replace('(2,)', '(4294967296, 4294967296)'), eight),
      /the file holds 8/,
    ],
    ['no shape', npy("{'descr': '<f4', 'fortran_order': False, }", eight), /lacks descr, fortran_order or shape/],
    ['a key of its own', npy(good.replace(', }', ", 'evil': 'x', }"), eight), /unknown key "evil"/],
    ['no dict', npy('[1, 2]', eight), /no dict/],
    ['Python objects', npy(good.replace('<f4', '|O'), eight), /dtype "\|O" is none of/],
    ['complex numbers', npy(good.replace('<f4', '<c8'), eight), /dtype "<c8" is none of/],
    ['records', npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", eight), /structured dtype/],
    ['a bool of 7', npy(good.replace('<f4', '|b1'), bytes(1, 7)), /bool that is neither 0 nor 1/],
  ])('%s', async (_what, file, message) => {
    const error = await failure('INVALID_ARGUMENT', () => parseNpy(file, 'x.npy'))
    expect(error.message).toMatch(/^x\.npy /)
    expect(error.message).toMatch(message)
  })

  test('whatever bytes change, it is read or refused, and never crashes', () => {
    const file = formatNpy(new Tensor('int16', Int16Array.of(1, 2, 3, 4), [2, 2]))
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.nat(file.length), (at, value, end) => {
        const damaged = Uint8Array.from(file)
        damaged[at] = value
        try {
          parseNpy(damaged.subarray(0, end))
        } catch (error) {
          expect(error).toMatchObject({ name: 'TrtError', code: 'INVALID_ARGUMENT' })
        }
      }),
      { numRuns: 2000, seed: 12 },
    )
  })
})

describe('files', () => {
  test('are written whole, and nothing else', async () => {
    const path = join(folder, 'out.npy')
    const tensor = new Tensor('float32', Float32Array.of(1, 2), [1, 2])
    await writeNpyFile(path, tensor)
    expect((await readTensorFile(path, 'int8')).data).toEqual(tensor.data)
    expect(readdirSync(folder).filter((name) => name.includes('out.npy'))).toEqual(['out.npy'])
    await failure('IO_ERROR', () => writeNpyFile(join(folder, 'no-such-folder/out.npy'), tensor))
  })

  test('that are missing, empty, or folders', async () => {
    writeFileSync(join(folder, 'empty.npy'), '')
    await failure('FILE_NOT_FOUND', () => readTensorFile(join(folder, 'none.npy'), 'float32'))
    await failure('INVALID_ARGUMENT', () => readTensorFile(join(folder, 'empty.npy'), 'float32'))
    await failure('IO_ERROR', () => readTensorFile(folder, 'float32'))
  })
})

describe('NumPy', () => {
  const NUMPY_TYPES = TYPES.filter((type) => type !== 'bfloat16' && type !== 'float8e4m3fn')

  test('writes what we read: every type, byte order and memory order', async (ctx) => {
    const python = numpyPython(ctx)
    execFileSync(python, [
      '-c',
      `
import sys, numpy as np
for name in sys.argv[2:]:
    for order in '<>':
        for layout in 'CF':
            array = (np.arange(24) % 2 if name == 'bool' else np.arange(24)).reshape(2, 3, 4)
            array = np.asarray(array, dtype=np.dtype(name).newbyteorder(order), order=layout)
            np.save(f'{sys.argv[1]}/{name}{"le" if order == "<" else "be"}{layout}.npy', array)
`,
      folder,
      ...NUMPY_TYPES,
    ])
    for (const type of NUMPY_TYPES) {
      const files = readdirSync(folder).filter((name) => name.startsWith(`${type}le`) || name.startsWith(`${type}be`))
      expect(files).toHaveLength(4)
      const [first, ...others] = files.map((name) => parseNpy(readFileSync(join(folder, name)), name))
      expect(first).toMatchObject({ type, dims: [2, 3, 4] })
      for (const other of others) expect(other).toEqual(first)
      if (type === 'int64') expect(first?.data[23]).toBe(23n)
      if (type === 'float32') expect(first?.data[23]).toBe(23)
    }
  })

  test('reads what we write', async (ctx) => {
    const python = numpyPython(ctx)
    for (const type of NUMPY_TYPES) {
      const raw = Uint8Array.from({ length: 6 * BYTES_PER_ELEMENT[type] }, (_, index) =>
        type === 'bool' ? index % 2 : index,
      )
      await writeNpyFile(join(folder, `ours-${type}.npy`), Tensor.fromBuffer(type, raw.buffer, [3, 2]))
      await writeNpyFile(
        join(folder, `scalar-${type}.npy`),
        Tensor.fromBuffer(type, raw.buffer.slice(0, BYTES_PER_ELEMENT[type]), []),
      )
    }
    const script = `
import sys, numpy as np
for name in sys.argv[2:]:
    array, scalar = (np.load(f'{sys.argv[1]}/{kind}-{name}.npy') for kind in ('ours', 'scalar'))
    print(name, array.dtype.name, array.shape, scalar.shape, array.tobytes().hex())
`
    const lines = execFileSync(python, ['-c', script, folder, ...NUMPY_TYPES], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(lines).toEqual(
      NUMPY_TYPES.map((type) => {
        const raw = Uint8Array.from({ length: 6 * BYTES_PER_ELEMENT[type] }, (_, index) =>
          type === 'bool' ? index % 2 : index,
        )
        return `${type} ${type} (3, 2) () ${Buffer.from(raw).toString('hex')}`
      }),
    )
  })
})
