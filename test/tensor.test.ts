import { createRequire } from 'node:module'
import * as trt from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { failure } from './helpers/errors.js'

describe('Tensor', () => {
  it('holds the array that it was given, without copying it', () => {
    const data = new Float32Array(6)
    const tensor = new trt.Tensor('float32', data, [2, 3])
    expect(tensor.data).toBe(data)
    expect(tensor.size).toBe(6)
  })

  it('has one dimension where none is given', () => {
    expect(new trt.Tensor('int64', new BigInt64Array(4)).dims).toEqual([4])
  })

  it('does not follow changes to the dims that it was given', () => {
    const dims = [2, 3]
    const tensor = new trt.Tensor('float32', new Float32Array(6), dims)
    dims[0] = 7
    expect(tensor.dims).toEqual([2, 3])
  })

  it('may be a scalar, or empty', () => {
    expect(new trt.Tensor('float32', new Float32Array(1), []).size).toBe(1)
    expect(new trt.Tensor('float32', new Float32Array(0), [0, 3]).size).toBe(0)
  })

  it('takes clamped bytes as they are', () => {
    const data = new Uint8ClampedArray([1, 2, 3])
    const tensor = new trt.Tensor('uint8', data as never)
    expect(tensor.data).toEqual(new Uint8Array([1, 2, 3]))
    expect(tensor.data.buffer).toBe(data.buffer)
  })

  it('takes a Float16Array as the bits that it holds', (context) => {
    const { Float16Array } = globalThis as unknown as { Float16Array?: new (values: number[]) => Uint16Array }
    if (Float16Array === undefined) return context.skip('this Node has no Float16Array: 24 and later have')
    expect(new trt.Tensor('float16', new Float16Array([1])).data).toEqual(new Uint16Array([0x3c00]))
  })

  it("goes into onnxruntime's Tensor, and comes out of it", () => {
    const ort = createRequire(import.meta.url)('onnxruntime-node')
    const theirs = new ort.Tensor('float32', new Float32Array([1, 2]), [1, 2])
    const ours = new trt.Tensor(theirs.type, theirs.data, theirs.dims)
    expect(new ort.Tensor(ours.type, ours.data, ours.dims).data).toEqual(theirs.data)
  })

  it.each<[string, unknown, unknown, unknown]>([
    ['a wrong type', 'float8', new Uint8Array(1), [1]],
    ['the array of another type', 'float32', new Float64Array(1), [1]],
    ['too few elements', 'float32', new Float32Array(5), [2, 3]],
    ['a negative dimension', 'float32', new Float32Array(0), [-1, 0]],
    ['a fraction', 'float32', new Float32Array(1), [0.5, 2]],
    ['dims that are no array', 'float32', new Float32Array(1), '1'],
    ['a plain array', 'float32', [1], [1]],
    ['nothing', 'float32', undefined, undefined],
  ])('refuses %s', async (_, type, data, dims) => {
    await failure('INVALID_ARGUMENT', () => new trt.Tensor(type as never, data as never, dims as never))
  })
})
