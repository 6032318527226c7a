import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failure } from '../helpers/errors.js'
import { external, makeModel, node } from '../helpers/onnx-model.js'
import { affine, build } from './helpers/affine.js'
import { refusal } from './helpers/refusal.js'

// What users really hand in, on the backend that every machine has. TensorRT's own refusals are in
// test/backends/tensorrt. Each case names what was expected and what came, and leaves no file behind.

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
    const error = await refusal('FILE_NOT_FOUND', () => build({ onnx: join(folder, 'nowhere.onnx') }))
    expect(error.message).toContain('nowhere.onnx')
  })

  it('a folder', async () => {
    await refusal('IO_ERROR', () => build({ onnx: folder }))
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
    const error = await refusal('INVALID_MODEL', async () => build({ onnx: await file(`${name}.onnx`, content) }))
    expect(error.message).toMatch(says)
  })

  it('no bytes at all', async () => {
    await refusal('INVALID_MODEL', () => build({ onnx: new Uint8Array() }))
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
    const error = await refusal('UNSUPPORTED_OP', () => build({ onnx, shapes: undefined }))
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
    const error = await refusal('EXTERNAL_DATA', () => buildWith('weights.bin'))
    expect(error.message).toContain('weights.bin')
  })

  it('too short', async () => {
    await file('short.bin', new Uint8Array(15))
    await refusal('EXTERNAL_DATA', () => buildWith('short.bin'))
  })

  it.each(['../secret.bin', '/etc/hostname', 'sub/../../secret.bin'])('outside the folder: %s', async (location) => {
    await writeFile(join(folder, '..', 'secret.bin'), new Uint8Array(16))
    try {
      await refusal('EXTERNAL_DATA', () => buildWith(location))
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
    await refusal('EXTERNAL_DATA', () => build({ onnx: join(folder, 'inside/model.onnx'), shapes: undefined }))
  })

  it('beside a model that came as bytes, where no folder is known', async () => {
    await refusal('EXTERNAL_DATA', () => build({ onnx: withData('w.bin'), shapes: undefined }))
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
    const error = await refusal('INVALID_SHAPES', () => build({ shapes }))
    expect(error.message).toMatch(says)
  })

  it('left out for a dynamic input: proposes shapes that work when pasted', async () => {
    const error = await refusal('INVALID_SHAPES', () => build({ shapes: undefined }))
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
    const error = await refusal('INVALID_ARGUMENT', () => build({ [option]: value }))
    expect(error.message).toContain(
      option === 'memoryPools' ? 'l2' : option === 'target' ? 'computeCapabilities' : option,
    )
  })

  it('a misspelt name: lists the known ones', async () => {
    const error = await refusal('INVALID_ARGUMENT', () => build({ workSpace: 1 }))
    expect(error.message).toContain('"workSpace"')
    expect(error.hint).toContain('workspace')
  })

  it('no options at all', async () => {
    await refusal('INVALID_ARGUMENT', () => trt.buildEngine(undefined as never))
    await refusal('INVALID_ARGUMENT', () => trt.buildEngine({} as never))
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
    await refusal('IO_ERROR', () => built.save(join(place, 'no/such/folder.engine')))
    await refusal('IO_ERROR', () => built.save(join(place, 'taken')))
    await refusal('IO_ERROR', () => built.save(join(place, 'plain/x.engine')))
    expect((await readdir(place)).sort()).toEqual(['plain', 'taken'])
    // The manifest of a plan that was there before goes; a file of another kind stays.
    await writeFile(join(place, 'good.engine.json'), '{"format":"tensorrt-node manifest"}')
    await writeFile(join(place, 'mine.engine.json'), '{"format":"mine"}')
    await built.save(join(place, 'mine.engine'))
    await built.save(join(place, 'good.engine'))
    expect(new Uint8Array(await readFile(join(place, 'good.engine')))).toEqual(new Uint8Array(built.plan))
    expect((await readdir(place)).sort()).toEqual(['good.engine', 'mine.engine', 'mine.engine.json', 'plain', 'taken'])
  })
})
