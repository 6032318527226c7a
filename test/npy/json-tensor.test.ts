import { describe, expect, test } from 'vitest'
import { parseJsonTensor } from '#dist/npy/json-tensor.js'
import { failure } from '../helpers/errors.js'

describe('reads', () => {
  test.each([
    [
      'nested arrays',
      '[[1, 2, 3], [4, 5, 6]]',
      { type: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    ],
    ['a number, as a scalar', '0.5', { type: 'float32', dims: [], data: Float32Array.of(0.5) }],
    ['an empty array', '[]', { type: 'float32', dims: [0], data: new Float32Array() }],
    [
      'type, dims and flat data',
      '{"type":"uint8","dims":[2,1],"data":[7,8]}',
      { type: 'uint8', dims: [2, 1], data: Uint8Array.of(7, 8) },
    ],
    ['nested data', '{"data":[[1],[2]],"type":"int16"}', { type: 'int16', dims: [2, 1], data: Int16Array.of(1, 2) }],
    ['booleans', '{"type":"bool","data":[true,0,1]}', { type: 'bool', dims: [3], data: Uint8Array.of(1, 0, 1) }],
    [
      'halves',
      '{"type":"float16","data":[1,-2]}',
      { type: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0xc000) },
    ],
    [
      'what JSON numbers cannot say',
      '["NaN", "-Infinity"]',
      { type: 'float32', dims: [2], data: Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY) },
    ],
    [
      '64-bit integers as text',
      '{"type":"int64","data":["-9223372036854775808",5]}',
      { type: 'int64', dims: [2], data: BigInt64Array.of(-(2n ** 63n), 5n) },
    ],
  ])('%s', (_what, text, expected) => {
    const { type, dims, data } = parseJsonTensor(text, 'float32')
    expect({ type, dims, data }).toEqual(expected)
  })
})

describe('refuses', () => {
  test.each([
    ['no JSON', '[1, 2', /JSON/],
    ['ragged arrays', '[[1, 2], [3]]', /array of 2 at \[1\].*received \[3\]/],
    ['arrays of different depth', '[[1], 2]', /array of 1 at \[1\]/],
    ['text', '["one"]', /expected a number at \[0\], received "one"/],
    ['null', '[null]', /received null/],
    ['an unknown type', '{"type":"string","data":["a"]}', /expected a type, one of/],
    ['an unknown key', '{"shape":[1],"data":[1]}', /unknown key "shape"/],
    ['no data', '{"type":"float32"}', /expected a number/],
    ['too few elements', '{"dims":[2,2],"data":[1,2,3]}', /expected 4 elements for dims \[2,2\], received 3/],
    ['negative dims', '{"dims":[-1],"data":[1]}', /expected dims/],
    ['a fraction for an integer', '{"type":"int32","data":[0.5]}', /integer from -2147483648 to 2147483647 at \[0\]/],
    ['an integer too large', '{"type":"uint8","data":[256]}', /integer from 0 to 255/],
    ['a bool of 2', '{"type":"bool","data":[2]}', /true, false, 0 or 1/],
    ['bottomless nesting', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, /more than 32 dimensions/],
  ])('%s', async (_what, text, message) => {
    const error = await failure('INVALID_ARGUMENT', () => parseJsonTensor(text, 'float32', 'x.json'))
    expect(error.message).toMatch(/^x\.json is not a JSON tensor: /)
    expect(error.message).toMatch(message)
    expect(error.hint).toContain('nested arrays')
  })
})
