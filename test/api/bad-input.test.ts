import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failure } from '../helpers/errors.js'
import { external, makeModel, node } from '../helpers/onnx-model.js'

// What users really hand in, on the backend that every machine has. TensorRT's own refusals are in
// test/backends/tensorrt. Each case names what was expected and what came, and leaves no file behind.

const affine = makeModel({
  inputs: { x: ['float32', ['batch', 3]], bias: ['float32', [3]] },
  outputs: { y: ['float32', ['batch', 3]] },
  nodes: [node('Add', ['x', 'bias'], ['y'])],
})
const SHAPES = { x: { min: [1, 3], opt: [2, 3], max: [4, 3] } }
const build = (options: object) =>
  trt.buildEngine({ onnx: affine, shapes: SHAPES, backend: 'onnxruntime', ...options } as trt.BuildOptions)

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

describe('models', () => {
  it('missing', async () => {
    const error = await failure('FILE_NOT_FOUND', () => build({ onnx: join(folder, 'nowhere.onnx') }))
    expect(error.message).toContain('nowhere.onnx')
  })

  it('a folder', async () => {
    await failure('IO_ERROR', () => build({ onnx: folder }))
  })

  it.each([
    ['empty', '', /empty/],
    ['a text file', 'hello, this is no model\n', /text/],
    ['the page of a login screen', '<!DOCTYPE html><html><body>Sign in</body></html>', /text|HTML/],
    [
      'a pointer to large file storage',
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
      /LFS|text/,
    ],
  ])('%s', async (name, content, says) => {
    const error = await failure('INVALID_MODEL', async () => build({ onnx: await file(`${name}.onnx`, content) }))
    expect(error.message).toMatch(says)
  })

  it('no bytes at all', async () => {
    await failure('INVALID_MODEL', () => build({ onnx: new Uint8Array() }))
  })

  it('truncated, at every length', async () => {
    for (let length = 1; length < affine.length; length++) {
      await expect(build({ onnx: affine.slice(0, length) }), `${length} bytes`).rejects.toBeInstanceOf(trt.TrtError)
    }
  })

  it('with any one bit flipped: builds, or fails with a TrtError', async () => {
    // Every 19th bit: each field of the model is met, and the test stays short.
    for (let bit = 0; bit < affine.length * 8; bit += 19) {
      const damaged = affine.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const outcome = await build({ onnx: damaged }).catch((error: unknown) => error)
      expect(outcome instanceof trt.TrtError || outcome instanceof trt.BuildResult, `bit ${bit}: ${outcome}`).toBe(true)
    }
  })

  it('an op that nobody knows: names node and op', async () => {
    const onnx = makeModel({
      inputs: { x: ['float32', [2]] },
      outputs: { y: ['float32', [2]] },
      nodes: [node('Frobnicate', ['x'], ['y'], {}, { name: 'the_node' })],
    })
    const error = await failure('UNSUPPORTED_OP', () => build({ onnx, shapes: undefined }))
    expect(error.message).toContain('Frobnicate')
    expect(error.message).toContain('the_node')
  })
})

describe('external data', () => {
  const withData = (location: string) =>
    makeModel({
      inputs: { x: ['float32', [4]] },
      outputs: { y: ['float32', [4]] },
      initializers: { w: external('float32', [4], location) },
      nodes: [node('Add', ['x', 'w'], ['y'])],
    })
  const buildWith = async (location: string) =>
    build({ onnx: await file('external.onnx', withData(location)), shapes: undefined })

  it('missing', async () => {
    const error = await failure('EXTERNAL_DATA', () => buildWith('weights.bin'))
    expect(error.message).toContain('weights.bin')
  })

  it('too short', async () => {
    await file('short.bin', new Uint8Array(15))
    await failure('EXTERNAL_DATA', () => buildWith('short.bin'))
  })

  it.each(['../secret.bin', '/etc/hostname', 'sub/../../secret.bin'])('outside the folder: %s', async (location) => {
    await writeFile(join(folder, '..', 'secret.bin'), new Uint8Array(16))
    try {
      await failure('EXTERNAL_DATA', () => buildWith(location))
    } finally {
      await rm(join(folder, '..', 'secret.bin'))
    }
  })

  it('a link that leads outside', async () => {
    await mkdir(join(folder, 'outside'), { recursive: true })
    await mkdir(join(folder, 'inside'), { recursive: true })
    await writeFile(join(folder, 'outside/w.bin'), new Uint8Array(16))
    await symlink('../outside/w.bin', join(folder, 'inside/w.bin'))
    await writeFile(join(folder, 'inside/model.onnx'), withData('w.bin'))
    await failure('EXTERNAL_DATA', () => build({ onnx: join(folder, 'inside/model.onnx'), shapes: undefined }))
  })

  it('beside a model that came as bytes, where no folder is known', async () => {
    await failure('EXTERNAL_DATA', () => build({ onnx: withData('w.bin'), shapes: undefined }))
  })

  it('in order: builds, and the engine needs the files no more', async () => {
    const path = await file('good.onnx', withData('good.bin'))
    await file('good.bin', new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer))
    const built = await build({ onnx: path, shapes: undefined })
    await rm(join(folder, 'good.bin'))
    const engine = await trt.loadEngine(built.plan)
    const { y } = await engine.infer({ x: new trt.Tensor('float32', new Float32Array(4)) })
    expect(y?.data).toEqual(new Float32Array([1, 2, 3, 4]))
    await engine.close()
  })
})

describe('shapes', () => {
  it.each<[string, unknown, RegExp]>([
    ['of an unknown input', { x: [1, 3], z: [1] }, /no input "z"/],
    ['of the wrong rank', { x: [1, 3, 1] }, /rank 2.*rank 3/],
    ['with min above opt', { x: { min: [3, 3], opt: [2, 3], max: [4, 3] } }, /min ≤ opt ≤ max.*3, 2, 4/],
    ['with opt above max', { x: { min: [1, 3], opt: [5, 3], max: [4, 3] } }, /min ≤ opt ≤ max/],
    ['negative', { x: [-1, 3] }, /0 or more/],
    ['not integers', { x: [1.5, 3] }, /integers/],
    ['NaN', { x: [Number.NaN, 3] }, /integers/],
    ['beyond what TensorRT can count', { x: [2 ** 31, 3] }, /integers/],
    ['without opt', { x: { min: [1, 3], max: [4, 3] } }, /\{ min, opt, max \}.*\{ min, max \}/],
    ['that contradict the model', { x: [1, 4] }, /expected 3, which the model fixes, received 4/],
    ['missing in the second profile', [{ x: [1, 3] }, {}], /shapes\[1\].*"x"/],
  ])('%s', async (_, shapes, says) => {
    const error = await failure('INVALID_SHAPES', () => build({ shapes }))
    expect(error.message).toMatch(says)
  })

  it('left out for a dynamic input: proposes shapes that work when pasted', async () => {
    const error = await failure('INVALID_SHAPES', () => build({ shapes: undefined }))
    expect(error.message).toContain('"x" [batch,3]')
    const pasted = /shapes: (\{[\s\S]*\})/.exec(error.hint ?? '')?.[1]
    const { shapes } = new Function(`return { shapes: ${pasted} }`)()
    const built = await build({ shapes })
    expect(built.profiles).toHaveLength(1)
    expect(built.profiles[0]?.bias).toEqual({ min: [3], opt: [3], max: [3] })
  })
})

describe('options', () => {
  it.each<[string, unknown]>([
    ['optimizationLevel', Number.NaN],
    ['optimizationLevel', 6],
    ['workspace', Number.NaN],
    ['workspace', '2 bananas'],
    ['workspace', -1],
    ['maxAuxStreams', Number.NaN],
    ['maxAuxStreams', 1.5],
    ['fp16', 'yes'],
    ['backend', 'cuda'],
    ['hardwareCompatibility', 'all'],
    ['isolation', 'none'],
    ['tacticSources', []],
    ['tacticSources', ['cublas', 'cublas']],
    ['memoryPools', { l2: 1 }],
    ['target', { computeCapabilities: ['9.9'] }],
    ['target', {}],
    ['signal', {}],
    ['onProgress', 1],
    ['logger', {}],
    ['shapes', []],
    ['onnx', 3],
    ['onnx', new URL('https://example.com/model.onnx')],
  ])('%s: %s', async (option, value) => {
    const error = await failure('INVALID_ARGUMENT', () => build({ [option]: value }))
    expect(error.message).toContain(
      option === 'memoryPools' ? 'l2' : option === 'target' ? 'computeCapabilities' : option,
    )
  })

  it('a misspelt name: lists the known ones', async () => {
    const error = await failure('INVALID_ARGUMENT', () => build({ workSpace: 1 }))
    expect(error.message).toContain('"workSpace"')
    expect(error.hint).toContain('workspace')
  })

  it('no options at all', async () => {
    await failure('INVALID_ARGUMENT', () => trt.buildEngine(undefined as never))
    await failure('INVALID_ARGUMENT', () => trt.buildEngine({} as never))
  })

  it('a signal that has fired', async () => {
    const reason = new Error('enough')
    const error = await failure('ABORTED', () => build({ signal: AbortSignal.abort(reason) }))
    expect(error.cause).toBe(reason)
  })
})

describe('saving', () => {
  it('into a folder that is not there, over a folder, below a file: IO_ERROR, and nothing left', async () => {
    const built = await build({})
    const place = await mkdtemp(join(folder, 'save-'))
    await mkdir(join(place, 'taken/inner'), { recursive: true })
    await writeFile(join(place, 'plain'), 'a file')
    await failure('IO_ERROR', () => built.save(join(place, 'no/such/folder.engine')))
    await failure('IO_ERROR', () => built.save(join(place, 'taken')))
    await failure('IO_ERROR', () => built.save(join(place, 'plain/x.engine')))
    expect((await readdir(place)).sort()).toEqual(['plain', 'taken'])
    await built.save(join(place, 'good.engine'))
    expect(new Uint8Array(await readFile(join(place, 'good.engine')))).toEqual(new Uint8Array(built.plan))
    expect((await readdir(place)).sort()).toEqual(['good.engine', 'plain', 'taken'])
  })
})

describe('engine files', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(), /empty/],
    ['text', Buffer.from('this is not an engine'), /text/],
    ['an ONNX model', affine, /ONNX model/],
    ['zeros', new Uint8Array(4096), /no engine/],
    ['a plan cut off in its header', Buffer.from('vtrt\0\0\0\0'), /header/],
    ['a truncated plan', rtxPlan({ says: 4096, has: 1024 }), /says it has 4096 bytes, and has 1024/],
  ])('%s', async (name, bytes, says) => {
    expect((await failure('INVALID_ENGINE', () => trt.loadEngine(bytes))).message).toMatch(says)
    const path = await file(`${name}.engine`, bytes)
    expect((await failure('INVALID_ENGINE', () => trt.loadEngine(path))).message).toMatch(says)
  })

  it('missing', async () => {
    await failure('FILE_NOT_FOUND', () => trt.loadEngine(join(folder, 'nowhere.engine')))
  })

  it('of the CPU backend, truncated at every length', async () => {
    const { plan } = await build({})
    for (let length = 1; length < plan.length; length += 5) {
      await failure('INVALID_ENGINE', () => trt.loadEngine(plan.slice(0, length)))
    }
  })

  it('asked for by another backend', async () => {
    const { plan } = await build({})
    const error = await failure('ENGINE_MISMATCH', () => trt.loadEngine(plan, { backend: 'tensorrt' }))
    expect(error.message).toContain('onnxruntime')
  })

  it.each([3, {}, null, '', new URL('https://example.com/a')])('%s instead of one', async (value) => {
    await failure('INVALID_ARGUMENT', () => trt.loadEngine(value as never))
  })

  it.each([{ device: Number.NaN }, { device: -1 }, { devices: 1 }, { backend: 'gpu' }])(
    'options %o',
    async (options) => {
      const { plan } = await build({})
      await failure('INVALID_ARGUMENT', () => trt.loadEngine(plan, options as never))
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
    expect((await failure('INVALID_INPUT', () => engine.infer(feeds as never))).message).toMatch(says)
  })

  it('outside the profile: says which shapes are allowed', async () => {
    const large = new trt.Tensor('float32', new Float32Array(15), [5, 3])
    const error = await failure('SHAPE_OUT_OF_PROFILE', () => engine.infer({ x: large, bias }))
    expect(error.message).toContain('x [1,3] to [4,3]')
  })

  it('none', async () => {
    await failure('INVALID_INPUT', () => engine.infer(undefined as never))
  })

  it('an output that is not there', async () => {
    await failure('INVALID_ARGUMENT', () => engine.infer({ x, bias }, { outputs: ['nope'] }))
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
    const missing = await failure('INVALID_SHAPES', () => build({ onnx, shapes: undefined }))
    expect(missing.message).toContain('"constructor"')
    const built = await build({ onnx, shapes: { constructor: { min: [0], opt: [1], max: [4] } } })
    await using engine = await trt.loadEngine(built.plan)
    const a = new trt.Tensor('float32', new Float32Array([1, 2]))
    await failure('INVALID_INPUT', () => engine.infer({ a }))
    const { y } = await engine.infer({ a, constructor: new trt.Tensor('float32', new Float32Array(0)) } as never)
    expect(y?.data).toEqual(new Float32Array([1, 2]))
  })

  it('a pipe where a file is expected, which would wait for ever', async () => {
    const pipe = join(folder, 'pipe.engine')
    execFileSync('mkfifo', [pipe])
    await failure('IO_ERROR', () => trt.loadEngine(pipe))
    await failure('IO_ERROR', () => build({ onnx: pipe }))
  })

  it.each(['file://host/x', 'file:///a%2Fb'])('the URL %s, which names no local file', async (url) => {
    await failure('INVALID_ARGUMENT', () => trt.loadEngine(new URL(url)))
    await failure('INVALID_ARGUMENT', () => build({ onnx: new URL(url) }))
  })

  it('saving to nowhere', async () => {
    const built = await build({})
    await failure('INVALID_ARGUMENT', () => built.save(undefined as never))
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
    await failure('CLOSED', () => engine.infer(feeds()))
  })

  it('while inferring: what was called before is answered', async () => {
    const engine = await trt.loadEngine((await build({})).plan)
    const running = Array.from({ length: 8 }, () => engine.infer(feeds()))
    const closed = engine.close()
    await failure('CLOSED', () => engine.infer(feeds()))
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
    await failure('CLOSED', () => kept.infer(feeds()))
  })
})
