// The CPU backend says bit for bit what onnxruntime-node's own run() says.
import ort from 'onnxruntime-node'
import * as trt from 'tensorrt-node'
import { afterEach, describe, expect, it } from 'vitest'
import { cpuEngine, noise, OCR } from '../../helpers/engine.js'
import { makeModel, node } from '../../helpers/onnx-model.js'

const engines: trt.Engine[] = []
async function engineOf(...args: Parameters<typeof cpuEngine>): Promise<trt.Engine> {
  const engine = await cpuEngine(...args)
  engines.push(engine)
  return engine
}
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

function bytesOf(data: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = data as Uint8Array
  return Buffer.from(buffer, byteOffset, byteLength)
}

describe('trained models', () => {
  it.each([
    ['classification', [2, 3, 48, 192]],
    ['recognition', [1, 3, 48, 320]],
    ['detection', [1, 3, 320, 256]],
  ] as const)('%s', async (name, dims) => {
    const data = noise(dims.reduce((product: number, dim) => product * dim, 1))
    const session = await ort.InferenceSession.create(OCR[name])
    const theirs = await session.run({ x: new ort.Tensor('float32', data, dims) })
    const engine = await engineOf(OCR[name], { x: [...dims] })
    const ours = await engine.infer({ x: new trt.Tensor('float32', data, dims) })
    expect(Object.keys(ours)).toEqual(session.outputNames)
    for (const output of session.outputNames) {
      expect(ours[output]?.dims).toEqual(theirs[output]?.dims)
      expect(Buffer.compare(bytesOf(ours[output]?.data), bytesOf(theirs[output]?.data))).toBe(0)
    }
  })
})

/** Passes its input on, in any type. */
function identity(type: trt.DataType, dims: readonly (number | string)[]): Uint8Array {
  return makeModel({
    inputs: { x: [type, dims] },
    outputs: { y: [type, dims] },
    nodes: [node('Identity', ['x'], ['y'])],
  })
}

const SAMPLES: { readonly [Type in Exclude<trt.DataType, 'bfloat16' | 'float8e4m3fn'>]: trt.Tensor<Type>['data'] } = {
  float32: Float32Array.of(1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY),
  float64: Float64Array.of(1.5, -0, Number.MAX_VALUE, 1e-300),
  float16: Uint16Array.of(0x3c00, 0x8000, 0x7c00, 0x0001),
  int8: Int8Array.of(-128, 127, 0, 1),
  uint8: Uint8Array.of(255, 0, 1, 2),
  int16: Int16Array.of(-32768, 32767, 0, 1),
  uint16: Uint16Array.of(65535, 0, 1, 2),
  int32: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1),
  uint32: Uint32Array.of(2 ** 32 - 1, 0, 1, 2),
  int64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n),
  uint64: BigUint64Array.of(2n ** 64n - 1n, 0n, 1n, 2n),
  bool: Uint8Array.of(1, 0, 1, 1),
}

describe('types and shapes', () => {
  it('every type goes in and out as it is', async () => {
    const types = Object.keys(SAMPLES) as (keyof typeof SAMPLES)[]
    const values = (prefix: string) =>
      Object.fromEntries(types.map((type) => [`${prefix}_${type}`, [type, ['N', 2]] as const]))
    const model = makeModel({
      inputs: values('in'),
      outputs: values('out'),
      nodes: types.map((type) => node('Identity', [`in_${type}`], [`out_${type}`])),
    })
    const range = { min: [0, 2], opt: [2, 2], max: [9, 2] }
    const engine = await engineOf(model, Object.fromEntries(types.map((type) => [`in_${type}`, range])))
    expect(engine.inputs).toEqual(types.map((type) => ({ name: `in_${type}`, type, shape: [-1, 2] })))
    const feeds = types.map((type) => [`in_${type}`, new trt.Tensor(type, SAMPLES[type] as never, [2, 2])] as const)
    const results = await engine.infer(Object.fromEntries(feeds))
    for (const type of types) {
      const out = results[`out_${type}`]
      expect(out).toBeInstanceOf(trt.Tensor)
      expect(out).toMatchObject({ type, dims: [2, 2] })
      expect(out?.data.constructor).toBe(SAMPLES[type].constructor)
      expect(bytesOf(out?.data).equals(bytesOf(SAMPLES[type])), type).toBe(true)
    }
  })

  it('takes Float16Array where Node has it', async (ctx) => {
    const { Float16Array } = globalThis as unknown as { Float16Array?: { of(...values: number[]): Uint16Array } }
    if (Float16Array === undefined) return ctx.skip('this Node has no Float16Array')
    const engine = await engineOf(identity('float16', [2]))
    const { y } = await engine.infer({ x: { type: 'float16', dims: [2], data: Float16Array.of(1, -2) } })
    expect(y?.data).toEqual(Uint16Array.of(0x3c00, 0xc000))
  })

  it('refuses a bfloat16 input, which onnxruntime-node does not carry', async () => {
    await expect(engineOf(identity('bfloat16', [2]))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('bfloat16'),
      hint: expect.stringContaining('Cast'),
    })
  })

  it('carries scalars', async () => {
    const engine = await engineOf(identity('float32', []))
    const { y } = await engine.infer({ x: new trt.Tensor('float32', Float32Array.of(7), []) })
    expect(y).toMatchObject({ dims: [], data: Float32Array.of(7) })
  })

  it('carries tensors of no elements', async () => {
    const engine = await engineOf(identity('float32', ['N', 2]), { x: { min: [0, 2], opt: [2, 2], max: [9, 2] } })
    const { y } = await engine.infer({ x: new trt.Tensor('float32', new Float32Array(0), [0, 2]) })
    expect(y).toMatchObject({ dims: [0, 2], data: new Float32Array(0) })
  })

  it('gives outputs whose shape depends on the data', async () => {
    const engine = await engineOf(
      makeModel({
        inputs: { x: ['float32', [4]] },
        outputs: { y: ['int64', [1, 'found']] },
        nodes: [node('NonZero', ['x'], ['y'])],
      }),
    )
    expect(engine.outputs).toEqual([{ name: 'y', type: 'int64', shape: [1, -1] }])
    const found = async (...values: number[]) =>
      (await engine.infer({ x: new trt.Tensor('float32', Float32Array.from(values)) })).y
    expect(await found(0, 5, 0, 6)).toMatchObject({ dims: [1, 2], data: BigInt64Array.of(1n, 3n) })
    expect(await found(0, 0, 0, 0)).toMatchObject({ dims: [1, 0] })
    expect(await found(1, 1, 1, 1)).toMatchObject({ dims: [1, 4] })
  })

  it('takes a view into a larger array, and one on shared memory', async () => {
    const engine = await engineOf(identity('float32', [2]))
    const part = Float32Array.of(9, 1, 2, 9).subarray(1, 3)
    expect((await engine.infer({ x: new trt.Tensor('float32', part) })).y?.data).toEqual(Float32Array.of(1, 2))
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([3, 4])
    expect((await engine.infer({ x: new trt.Tensor('float32', shared) })).y?.data).toEqual(Float32Array.of(3, 4))
  })
})

describe('inputs and outputs', () => {
  // Two inputs of different types and odd sizes, three outputs.
  const model = makeModel({
    inputs: { a: ['uint8', ['N']], b: ['float32', [3]] },
    outputs: { sum: ['float32', [3]], twice: ['float32', [3]], copy: ['uint8', ['N']] },
    nodes: [
      node('Add', ['b', 'b'], ['twice']),
      node('Add', ['twice', 'b'], ['sum']),
      node('Identity', ['a'], ['copy']),
    ],
  })
  const shapes = { a: { min: [1], opt: [5], max: [9] } }
  const feeds = {
    a: new trt.Tensor('uint8', Uint8Array.of(1, 2, 3, 4, 5)),
    b: new trt.Tensor('float32', Float32Array.of(1, 2, 3)),
  }

  it('are told apart, whatever their types and sizes', async () => {
    const { sum, twice, copy } = await (await engineOf(model, shapes)).infer(feeds)
    expect(sum?.data).toEqual(Float32Array.of(3, 6, 9))
    expect(twice?.data).toEqual(Float32Array.of(2, 4, 6))
    expect(copy?.data).toEqual(feeds.a.data)
  })

  it('are given as asked for, and no others', async () => {
    const results = await (await engineOf(model, shapes)).infer(feeds, { outputs: ['copy', 'sum'] })
    expect(Object.keys(results).sort()).toEqual(['copy', 'sum'])
    expect(results.sum?.data).toEqual(Float32Array.of(3, 6, 9))
  })

  it('go into and come from onnxruntime-node', async () => {
    const engine = await engineOf(identity('float32', [2]))
    const { y } = await engine.infer({ x: new ort.Tensor('float32', [1, 2], [2]) })
    const session = await ort.InferenceSession.create(identity('float32', [2]))
    const { y: back } = await session.run({ x: y as unknown as ort.Tensor })
    expect(back?.data).toEqual(Float32Array.of(1, 2))
  })

  it('results are in memory of their own: later calls leave them alone', async () => {
    const engine = await engineOf(identity('float32', [2]))
    const infer = async (value: number) =>
      (await engine.infer({ x: new trt.Tensor('float32', Float32Array.of(value, value)) })).y
    const first = await infer(1)
    await infer(2)
    expect(first?.data).toEqual(Float32Array.of(1, 1))
  })
})

describe('many calls', () => {
  it('overlap, each with its own answer, and are served in order', async () => {
    const engine = await engineOf(identity('int32', ['N']), { x: { min: [1], opt: [9], max: [200_000] } })
    const order: number[] = []
    // Every third is large enough to travel asynchronously.
    const calls = Array.from({ length: 60 }, async (_, i) => {
      const data = new Int32Array(i % 3 === 0 ? 200_000 : 9).fill(i)
      const { y } = await engine.infer({ x: new trt.Tensor('int32', data) })
      order.push(i)
      return y?.data.every((value) => value === i) && y.data.length === data.length
    })
    expect((await Promise.all(calls)).every(Boolean)).toBe(true)
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })

  it('two engines run at once, unaware of each other', async () => {
    const double = makeModel({
      inputs: { x: ['float32', [2]] },
      outputs: { y: ['float32', [2]] },
      nodes: [node('Add', ['x', 'x'], ['y'])],
    })
    const [one, two] = await Promise.all([engineOf(identity('float32', [2])), engineOf(double)])
    const x = new trt.Tensor('float32', Float32Array.of(1, 2))
    const both = await Promise.all(
      Array.from({ length: 20 }, async () => [(await one.infer({ x })).y?.data, (await two.infer({ x })).y?.data]),
    )
    for (const pair of both) expect(pair).toEqual([Float32Array.of(1, 2), Float32Array.of(2, 4)])
  })
})
