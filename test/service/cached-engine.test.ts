import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as trt from 'tensorrt-node'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EngineCache } from '#dist/service/engine-cache.js'
import { needsRtx } from '../backends/tensorrt/rtx.ts'
import { documentOf, runCli } from '../cli/helpers/run-cli.ts'
import { OCR } from '../helpers/engine.ts'
import { failure } from '../helpers/errors.ts'
import { constant, external, makeModel, node } from '../helpers/onnx-model.js'

let folder: string
let cacheDir: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trt-cache-'))
  cacheDir = join(folder, 'cache')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** y = x + value */
function add(value: number): Uint8Array {
  return makeModel({
    inputs: { x: ['float32', ['N']] },
    outputs: { y: ['float32', ['N']] },
    initializers: { w: constant('float32', [1], [value]) },
    nodes: [node('Add', ['x', 'w'], ['y'])],
  })
}
const shapes = { x: { min: [1], opt: [2], max: [4] } }
const options = (more: Partial<trt.CachedEngineOptions> = {}): trt.CachedEngineOptions => ({
  onnx: add(1),
  shapes,
  backend: 'onnxruntime',
  cacheDir,
  ...more,
})
const plans = (): string[] => readdirSync(cacheDir).filter((name) => name.endsWith('.engine'))

describe('cachedEngine', () => {
  test('builds once, and infers with what it built', async () => {
    const x = new trt.Tensor('float32', Float32Array.of(1, 2))
    for (const _ of [1, 2]) {
      await using engine = await trt.cachedEngine(options())
      expect((await engine.infer({ x })).y?.data).toEqual(Float32Array.of(2, 3))
    }
    expect(plans()).toHaveLength(1)
    expect(readdirSync(cacheDir)).toHaveLength(2)
  })

  test('calls at the same time build once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => trt.cachedPlan(options())))
    expect(all.filter(({ built }) => built)).toHaveLength(1)
    expect(new Set(all.map(({ path }) => path)).size).toBe(1)
  })

  test('what another process built between the look and the lock is not built again', async () => {
    const lock = EngineCache.prototype.lock
    let other: trt.CachedPlan | undefined
    const spy = vi.spyOn(EngineCache.prototype, 'lock').mockImplementationOnce(async function (
      this: EngineCache,
      ...args
    ) {
      other = await trt.cachedPlan(options())
      return lock.apply(this, args)
    })
    try {
      const plan = await trt.cachedPlan(options())
      expect([other?.built, plan.built]).toEqual([true, false])
      expect(plan.path).toBe(other?.path)
    } finally {
      spy.mockRestore()
    }
  })

  test('everything that shapes the plan makes another one; what does not, does not', async () => {
    const { path } = await trt.cachedPlan(options())
    const file = join(folder, 'same.onnx')
    writeFileSync(file, add(1))
    for (const same of [
      { onnx: file },
      { isolation: 'process' as const },
      { onProgress: () => {} },
      { shapes: [shapes] },
      { versionCompatible: undefined },
    ]) {
      expect(await trt.cachedPlan(options(same as never))).toMatchObject({ path, built: false })
    }
    const different = [
      { onnx: add(2) },
      { shapes: { x: [2] } },
      { tf32: false },
      { versionCompatible: true },
      { backend: 'auto' as const },
    ]
    const paths = new Set([path])
    for (const other of different) {
      const plan = await trt.cachedPlan(options(other))
      expect(plan.built).toBe(true)
      paths.add(plan.path)
    }
    expect(paths.size).toBe(1 + different.length)
  })

  test('samples that change make another plan, and the same ones do not', async () => {
    const x = (value: number) => ({ x: new trt.Tensor('float32', new Float32Array(16).fill(value), [1, 16]) })
    const onnx = makeModel({
      inputs: { x: ['float32', [1, 16]] },
      outputs: { y: ['float32', [1, 16]] },
      initializers: { w: constant('float32', [16, 16], new Array(256).fill(0.1)) },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    })
    const plan = (calibration: trt.Calibration, type: 'int8' | 'fp8' = 'int8') =>
      trt.cachedPlan({ onnx, backend: 'onnxruntime', cacheDir, [type]: { calibration, method: 'max' } })
    const { path, manifest } = await plan([x(1)])
    expect(manifest.options).toMatchObject({ int8: { calibration: { sha256: expect.any(String) }, method: 'max' } })
    expect(await plan([x(1)])).toMatchObject({ path, built: false })
    for (const other of [
      () => plan([x(2)]),
      () => plan([x(1), x(1)]),
      () => plan({ x: 1 }),
      () => plan([x(1)], 'fp8'),
    ]) {
      expect((await other()).path).not.toBe(path)
    }
    writeFileSync(join(folder, 'a.cache'), 'TRT-10000-EntropyCalibration2\nx: 3c010204\n')
    const fromFile = await plan(join(folder, 'a.cache'))
    writeFileSync(join(folder, 'a.cache'), 'TRT-10000-EntropyCalibration2\nx: 3c010205\n')
    expect((await plan(join(folder, 'a.cache'))).path).not.toBe(fromFile.path)
    await failure('INVALID_ARGUMENT', () => plan([x(1)].values()))
  })

  test('a plugin library that changes makes another plan', async () => {
    const library = join(folder, 'plugins.so')
    const paths = new Set<string>()
    const note = (message: string) => void paths.add(/^building (\S+):/.exec(message)?.[1] ?? '')
    const logger = { error: () => {}, warn: () => {}, info: note, debug: () => {} }
    for (const content of ['one', 'another', 'one']) {
      writeFileSync(library, content)
      // The CPU backend takes no plugins; the key is made before it says so.
      await failure('UNSUPPORTED', () => trt.cachedPlan(options({ plugins: [library], logger })))
    }
    expect(paths.size).toBe(2)
    await failure('FILE_NOT_FOUND', () => trt.cachedPlan(options({ plugins: [join(folder, 'no.so')] })))
  })

  test('external data counts, and a model that changes while it is built is refused', async () => {
    const file = join(folder, 'model.onnx')
    const data = join(folder, 'weights.bin')
    writeFileSync(
      file,
      makeModel({
        inputs: { x: ['float32', [2]] },
        outputs: { y: ['float32', [2]] },
        initializers: { w: external('float32', [2], 'weights.bin') },
        nodes: [node('Add', ['x', 'w'], ['y'])],
      }),
    )
    const plan = (more = {}) => trt.cachedPlan({ onnx: file, backend: 'onnxruntime', cacheDir, ...more })
    writeFileSync(data, Float32Array.of(1, 2))
    const first = await plan()
    expect(first.manifest.model.externalData).toMatchObject([{ location: 'weights.bin' }])
    expect((await plan()).built).toBe(false)
    writeFileSync(data, Float32Array.of(1, 3))
    const second = await plan()
    expect(second.path).not.toBe(first.path)
    writeFileSync(data, Float32Array.of(1, 4))
    const onProgress = () => appendFileSync(data, 'more')
    await failure('IO_ERROR', () => plan({ onProgress }))
    expect(plans()).toHaveLength(2)
  })

  test('what is damaged is built again', async () => {
    const { path } = await trt.cachedPlan(options())
    const manifest = `${path}.json`
    const whole = readFileSync(path)
    const damages: (() => void)[] = [
      () => writeFileSync(path, whole.subarray(0, 100)),
      () =>
        writeFileSync(
          path,
          whole.map((byte, at) => (at === 200 ? byte ^ 1 : byte)),
        ),
      () => rmSync(path),
      () => rmSync(manifest),
      () => writeFileSync(manifest, '{"format":'),
      () => writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"key": "..../, '"key": "0000')),
      () => writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"formatVersion": 1', '"formatVersion": 2')),
    ]
    for (const damage of damages) {
      damage()
      expect(await trt.cachedPlan(options())).toMatchObject({ path, built: true })
      expect(await trt.cachedPlan(options())).toMatchObject({ path, built: false })
    }
  })

  test('a size limit drops what was not used for longest, and what a crash left', async () => {
    const models = [add(1), add(2), add(3)]
    const [a, b] = [await trt.cachedPlan(options()), await trt.cachedPlan(options({ onnx: models[1] as Uint8Array }))]
    utimesSync(`${a.path}.json`, 1, 1)
    utimesSync(`${b.path}.json`, 2, 2)
    // Used again, so that b is the oldest now.
    expect((await trt.cachedPlan(options())).built).toBe(false)
    const key = 'f'.repeat(64)
    writeFileSync(join(cacheDir, `${key}.engine`), 'no manifest')
    writeFileSync(join(cacheDir, `.${key}.engine.1.ab.tmp`), 'half')
    writeFileSync(join(cacheDir, 'mine.txt'), 'not of the cache')
    const entry = a.manifest.plan.bytes + readFileSync(`${a.path}.json`).byteLength
    const c = await trt.cachedPlan(options({ onnx: models[2] as Uint8Array, maxBytes: Math.ceil(2.5 * entry) }))
    expect([a, b, c].map(({ path }) => existsSync(path))).toEqual([true, false, true])
    expect(readdirSync(cacheDir)).toHaveLength(5)
    // What was asked for stays, though it is too large.
    await trt.cachedPlan(options({ maxBytes: 1 }))
    expect(plans()).toEqual([a.path.split('/').at(-1)])
  })

  test('a build that fails or is aborted leaves nothing', async () => {
    const bad = makeModel({
      inputs: { x: ['float32', [1]] },
      outputs: { y: ['float32', [1]] },
      nodes: [node('NoSuchOp', ['x'], ['y'])],
    })
    await failure('UNSUPPORTED_OP', () => trt.cachedEngine({ onnx: bad, backend: 'onnxruntime', cacheDir }))
    const controller = new AbortController()
    const { signal } = controller
    await failure('ABORTED', () => trt.cachedEngine(options({ signal, onProgress: () => controller.abort() })))
    expect(readdirSync(cacheDir)).toEqual([])
    expect((await trt.cachedPlan(options())).built).toBe(true)
  })

  test('says what is wrong with its options', async () => {
    await failure('INVALID_ARGUMENT', () => trt.cachedEngine(options({ maxBytes: 'much' })))
    await failure('INVALID_ARGUMENT', () => trt.cachedEngine(options({ cacheSize: 1 } as never)))
    await failure('INVALID_ARGUMENT', () => trt.cachedEngine({ cacheDir } as never))
    const file = join(folder, 'file')
    writeFileSync(file, '')
    await failure('IO_ERROR', () => trt.cachedEngine(options({ cacheDir: join(file, 'sub') })))
  })
})

describe('processes', () => {
  const start = (): ChildProcess & { done: Promise<string> } => {
    const child = spawn(process.execPath, ['test/service/fixtures/cached.mjs', OCR.classification, cacheDir])
    return Object.assign(child, { done: text(child.stdout) })
  }

  test('build once, and one that is killed while it builds holds nobody up', async () => {
    const killed = spawn(process.execPath, ['test/service/fixtures/cached.mjs', OCR.classification, cacheDir])
    await once(killed.stderr, 'data')
    const others = Array.from({ length: 3 }, start)
    killed.kill('SIGKILL')
    const built = await Promise.all(others.map(({ done }) => done))
    expect(built.toSorted()).toEqual(['false', 'false', 'true'])
    expect(readdirSync(cacheDir)).toHaveLength(2)
  })
})

describe('real TensorRT-RTX plans', () => {
  needsRtx()

  test('are cached for the GPUs that target names, and told apart by them; inspect reads them', async () => {
    const build = (capability: trt.ComputeCapability) =>
      trt.cachedPlan({
        onnx: OCR.classification,
        shapes: { x: [1, 3, 48, 192] },
        target: { computeCapabilities: [capability] },
        profilingVerbosity: 'detailed',
        cacheDir,
      })
    const first = await build('8.9')
    expect(first).toMatchObject({
      built: true,
      manifest: {
        backend: 'tensorrt-rtx',
        computeCapabilities: ['8.9'],
        gpu: null,
        options: { target: { computeCapabilities: ['8.9'] }, profilingVerbosity: 'detailed' },
      },
    })
    expect(await build('8.9')).toMatchObject({ path: first.path, built: false })
    expect((await build('8.0')).path).not.toBe(first.path)

    const seen = await runCli(['inspect', first.path])
    expect(seen).toMatchObject({ code: 0 })
    for (const line of [
      /^ {2}model {10}ch_ppocr_mobile_v2\.0_cls_infer\.onnx$/m,
      /plan SHA-256 .* whole/,
      /^ {2}input {3}x /m,
    ]) {
      expect(seen.stdout).toMatch(line)
    }
    expect(documentOf(await runCli(['inspect', first.path, '--json']))).toMatchObject({ manifest: first.manifest })
    appendFileSync(first.path, '!')
    expect(await runCli(['inspect', first.path])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error[INVALID_ENGINE]'),
    })
  })
})
