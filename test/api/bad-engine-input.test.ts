import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.js'
import { affine, build } from './helpers/affine.js'
import { refusal } from './helpers/refusal.js'

// What users really hand to loadEngine, infer and close, on the backend that every machine has.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trt-bad-input-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe('engine files', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(), /empty/],
    ['text', Buffer.from('this is not an engine'), /text/],
    ['an ONNX model', affine, /ONNX model/],
    ['zeros', new Uint8Array(4096), /no engine/],
    ['a plan cut off in its header', Buffer.from('vtrt\0\0\0\0'), /header/],
    ['a truncated plan', rtxPlan({ says: 4096, has: 1024 }), /says it has 4096 bytes, and has 1024/],
  ])('%s', async (name, bytes, says) => {
    expect((await refusal('INVALID_ENGINE', () => trt.loadEngine(bytes))).message).toMatch(says)
    const path = await file(`${name}.engine`, bytes)
    expect((await refusal('INVALID_ENGINE', () => trt.loadEngine(path))).message).toMatch(says)
  })

  it('missing', async () => {
    await refusal('FILE_NOT_FOUND', () => trt.loadEngine(join(folder, 'nowhere.engine')))
  })

  // Truncated at every length: test/backends/onnxruntime/engine-file.test.ts, without a process for each.
  it('of the CPU backend, truncated in its preamble, its header and its model', async () => {
    const { plan } = await build({})
    for (const length of [1, 8, 40, 56, 200, plan.length - 1]) {
      await refusal('INVALID_ENGINE', () => trt.loadEngine(plan.slice(0, length)))
    }
  })

  it('asked for by another backend', async () => {
    const { plan } = await build({})
    const error = await refusal('ENGINE_MISMATCH', () => trt.loadEngine(plan, { backend: 'tensorrt' }))
    expect(error.message).toContain('onnxruntime')
  })

  it.each([3, {}, null, '', new URL('https://example.com/a')])('%s instead of one', async (value) => {
    await refusal('INVALID_ARGUMENT', () => trt.loadEngine(value as never))
  })

  it.each([{ device: Number.NaN }, { device: -1 }, { devices: 1 }, { backend: 'gpu' }])(
    'options %o',
    async (options) => {
      // They are looked at before the engine is.
      await refusal('INVALID_ARGUMENT', () => trt.loadEngine(join(folder, 'no.engine'), options as never))
    },
  )
})

/** As much of a TensorRT-RTX plan as can be told apart without TensorRT: magic, length, version. */
function rtxPlan({ says, has }: { says: number; has: number }): Uint8Array {
  const bytes = Buffer.alloc(has)
  bytes.write('vtrt', 0, 'latin1')
  bytes.writeBigUInt64LE(BigInt(says), 16)
  bytes.set([1, 7, 1, 0x74], 24)
  return bytes
}

describe('feeds', () => {
  let engine: trt.Engine
  beforeAll(async () => {
    engine = await trt.loadEngine((await build({})).plan)
  })
  afterAll(() => engine.close())

  const x = new trt.Tensor('float32', new Float32Array(6), [2, 3])
  const bias = new trt.Tensor('float32', new Float32Array(3), [3])

  it.each<[string, object, RegExp]>([
    ['missing', { x }, /"bias" is missing/],
    ['unknown', { x, bias, z: x }, /no input "z"/],
    [
      'of the wrong type',
      { x: new trt.Tensor('float64', new Float64Array(6), [2, 3]), bias },
      /expected type float32, received float64/,
    ],
    [
      'of the wrong length',
      { x: { type: 'float32', data: new Float32Array(5), dims: [2, 3] }, bias },
      /6 elements.*received 5/,
    ],
    ['in the wrong array', { x: { type: 'float32', data: new Float64Array(6), dims: [2, 3] }, bias }, /Float32Array/],
    [
      'of the wrong rank',
      { x: new trt.Tensor('float32', new Float32Array(6)), bias },
      /expected dims \[\?,3\], received \[6\]/,
    ],
    ['that are bare arrays', { x: new Float32Array(6), bias }, /type/],
    ['null', { x: null, bias }, /Tensor/],
  ])('%s', async (_, feeds, says) => {
    expect((await refusal('INVALID_INPUT', () => engine.infer(feeds as never))).message).toMatch(says)
  })

  it('outside the profile: says which shapes are allowed', async () => {
    const large = new trt.Tensor('float32', new Float32Array(15), [5, 3])
    const error = await refusal('SHAPE_OUT_OF_PROFILE', () => engine.infer({ x: large, bias }))
    expect(error.message).toContain('x [1,3] to [4,3]')
  })

  it('none', async () => {
    await refusal('INVALID_INPUT', () => engine.infer(undefined as never))
  })

  it('an output that is not there', async () => {
    await refusal('INVALID_ARGUMENT', () => engine.infer({ x, bias }, { outputs: ['nope'] }))
  })

  it('leaves the engine working', async () => {
    const { y } = await engine.infer({ x, bias })
    expect(y?.dims).toEqual([2, 3])
  })
})

describe('names and sizes that are rare', () => {
  it('an input called constructor, and an empty tensor behind another', async () => {
    const onnx = makeModel({
      inputs: { a: ['float32', [2]], ['constructor' as string]: ['float32', ['n']] },
      outputs: { y: ['float32', ['m']] },
      nodes: [node('Concat', ['a', 'constructor'], ['y'], { axis: 0 })],
    })
    const missing = await refusal('INVALID_SHAPES', () => build({ onnx, shapes: undefined }))
    expect(missing.message).toContain('"constructor"')
    const built = await build({ onnx, shapes: { constructor: { min: [0], opt: [1], max: [4] } } })
    await using engine = await trt.loadEngine(built.plan)
    const a = new trt.Tensor('float32', new Float32Array([1, 2]))
    await refusal('INVALID_INPUT', () => engine.infer({ a }))
    const { y } = await engine.infer({ a, constructor: new trt.Tensor('float32', new Float32Array(0)) } as never)
    expect(y?.data).toEqual(new Float32Array([1, 2]))
  })

  it('a pipe where a file is expected, which would wait for ever', async () => {
    const pipe = join(folder, 'pipe.engine')
    execFileSync('mkfifo', [pipe])
    await refusal('IO_ERROR', () => trt.loadEngine(pipe))
    await refusal('IO_ERROR', () => build({ onnx: pipe }))
  })

  it.each(['file://host/x', 'file:///a%2Fb'])('the URL %s, which names no local file', async (url) => {
    await refusal('INVALID_ARGUMENT', () => trt.loadEngine(new URL(url)))
    await refusal('INVALID_ARGUMENT', () => build({ onnx: new URL(url) }))
  })

  it('saving to nowhere', async () => {
    const built = await build({})
    await refusal('INVALID_ARGUMENT', () => built.save(undefined as never))
  })
})

describe('closing', () => {
  const feeds = () => ({
    x: new trt.Tensor('float32', new Float32Array(6).fill(1), [2, 3]),
    bias: new trt.Tensor('float32', new Float32Array(3), [3]),
  })

  it('twice, and infer afterwards', async () => {
    const engine = await trt.loadEngine((await build({})).plan)
    await Promise.all([engine.close(), engine.close()])
    await engine.close()
    await refusal('CLOSED', () => engine.infer(feeds()))
  })

  it('while inferring: what was called before is answered', async () => {
    const engine = await trt.loadEngine((await build({})).plan)
    const running = Array.from({ length: 8 }, () => engine.infer(feeds()))
    const closed = engine.close()
    await refusal('CLOSED', () => engine.infer(feeds()))
    for (const { y } of await Promise.all(running)) expect(y?.data).toEqual(new Float32Array(6).fill(1))
    await closed
  })

  it('by await using', async () => {
    const { plan } = await build({})
    let kept: trt.Engine
    {
      await using engine = await trt.loadEngine(plan)
      kept = engine
    }
    await refusal('CLOSED', () => kept.infer(feeds()))
  })
})
