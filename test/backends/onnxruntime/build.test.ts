import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { unpackEngine } from '#dist/backends/onnxruntime/engine-file.js'
import { onnxruntimeBackend } from '#dist/backends/onnxruntime/onnxruntime-backend.js'
import { external, makeModel, node } from '../../helpers/onnx-model.js'
import { childrenOf } from '../../helpers/processes.js'

const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-'))
const others = childrenOf()
afterEach(() => {
  expect(childrenOf().filter((pid) => !others.includes(pid))).toEqual([])
})
afterAll(() => rmSync(folder, { recursive: true }))

const XY = { inputs: { x: ['float32', [3]] }, outputs: { y: ['float32', [3]] } } as const
const SIMPLE = makeModel({ ...XY, nodes: [node('Abs', ['x'], ['y'])] })

function build(onnx: trt.BuildOptions['onnx'], options: Partial<trt.BuildOptions> = {}): Promise<trt.BuildResult> {
  return trt.buildEngine({ onnx, backend: 'onnxruntime', ...options })
}

/** As the API builds where it chose the backend itself, which on this machine it may not do. */
function buildAsAuto(settings: object) {
  const logger = { error() {}, warn() {}, info() {}, debug() {} }
  const profiles = [{ x: { min: [3], opt: [3], max: [3] } }]
  const control = { isolation: 'process', lenient: true, signal: undefined, onProgress: undefined, logger } as const
  return onnxruntimeBackend().build({ model: { bytes: SIMPLE }, profiles, settings }, control)
}

describe('the model', () => {
  it('may be an onnx.Model, which is built as it is now', async () => {
    const model = await trt.onnx.read(SIMPLE)
    ;(model.graph.nodes[0] as trt.onnx.Node).opType = 'Neg'
    model.graph.outputs[0]?.rename('negated')
    await using engine = await trt.loadEngine((await build(model)).plan)
    const { negated } = await engine.infer({ x: new trt.Tensor('float32', Float32Array.of(1, -2, 3)) })
    expect(negated?.data).toEqual(Float32Array.of(-1, 2, -3))
  })
})

describe('the engine file', () => {
  it('is self-contained: model, external data and options, with the model deleted', async () => {
    const home = join(folder, 'external')
    mkdirSync(join(home, 'sub'), { recursive: true })
    writeFileSync(join(home, 'w.bin'), Float32Array.of(0, 1, 2, 3))
    writeFileSync(join(home, 'sub', 'v.bin'), Float32Array.of(10, 20, 30))
    const model = makeModel({
      ...XY,
      initializers: {
        w: external('float32', [3], 'w.bin', { offset: 4, length: 12 }),
        u: external('float32', [3], 'w.bin'),
        v: external('float32', [3], 'sub/v.bin'),
      },
      nodes: [node('Add', ['x', 'w'], ['a']), node('Add', ['a', 'v'], ['b']), node('Sub', ['b', 'u'], ['y'])],
    })
    writeFileSync(join(home, 'model.onnx'), model)
    const built = await build(join(home, 'model.onnx'), { fp16: true })
    await built.save(join(folder, 'self-contained.engine'))
    rmSync(home, { recursive: true })

    const engine = await trt.loadEngine(join(folder, 'self-contained.engine'))
    const { y } = await engine.infer({ x: new trt.Tensor('float32', Float32Array.of(0, 0, 0)) })
    // w + v - u = (1 2 3) + (10 20 30) - (0 1 2)
    expect(y?.data).toEqual(Float32Array.of(11, 21, 31))
    await engine.close()

    const { header } = unpackEngine(built.plan, 'engine')
    expect(header).toMatchObject({ modelName: 'model.onnx', settings: { fp16: true }, onnxruntime: built.version })
  })

  it('is not made of more than memory holds: the error says how much it was', async () => {
    const home = join(folder, 'huge')
    mkdirSync(home)
    const model = makeModel({
      ...XY,
      initializers: { w: external('float32', [3], 'w.bin', { offset: 0, length: 12 }) },
      nodes: [node('Add', ['x', 'w'], ['y'])],
    })
    writeFileSync(join(home, 'model.onnx'), model)
    writeFileSync(join(home, 'w.bin'), '')
    // 4 TiB of zeros, which take no room on the disk.
    truncateSync(join(home, 'w.bin'), 2 ** 42)
    await expect(build(join(home, 'model.onnx'))).rejects.toMatchObject({
      name: 'TrtError',
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining(String(2 ** 42)),
    })
  })

  it('keeps its profiles', async () => {
    const model = makeModel({
      inputs: { x: ['float32', ['N']] },
      outputs: { y: ['float32', ['N']] },
      nodes: [node('Abs', ['x'], ['y'])],
    })
    const shapes = [{ x: [2] }, { x: { min: [4], opt: [5], max: [6] } }]
    const engine = await trt.loadEngine((await build(model, { shapes })).plan)
    expect(engine.profiles).toEqual([{ x: { min: [2], opt: [2], max: [2] } }, { x: { min: [4], opt: [5], max: [6] } }])
    const infer = (length: number) => engine.infer({ x: new trt.Tensor('float32', new Float32Array(length).fill(-1)) })
    expect((await infer(2)).y?.data).toEqual(Float32Array.of(1, 1))
    expect((await infer(6)).y?.dims).toEqual([6])
    await expect(infer(3)).rejects.toMatchObject({ code: 'SHAPE_OUT_OF_PROFILE' })
    await engine.close()
  })

  it('damaged on the way, is INVALID_ENGINE', async () => {
    const { plan } = await build(SIMPLE)
    const damaged = Uint8Array.from(plan)
    damaged[plan.length - 5] = (damaged[plan.length - 5] as number) ^ 1
    await expect(trt.loadEngine(damaged)).rejects.toMatchObject({ code: 'INVALID_ENGINE' })
    await expect(trt.loadEngine(plan.subarray(0, plan.length - 1))).rejects.toMatchObject({ code: 'INVALID_ENGINE' })
  })
})

describe('models that it refuses', () => {
  it.each([
    ['', 'Foo'],
    ['my.domain', 'my.domain:Foo'],
  ])('an unknown op of domain %j, naming node and op', async (domain, op) => {
    const opset = domain === '' ? 17 : { '': 17, [domain]: 1 }
    const foo = node('Foo', ['a'], ['y'], {}, { name: 'the_node', domain })
    const model = makeModel({ ...XY, opset, nodes: [node('Abs', ['x'], ['a']), foo] })
    const error = await build(model).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'UNSUPPORTED_OP', hint: expect.any(String) })
    expect((error as Error).message).toContain(op)
    expect((error as Error).message).toContain('the_node')
  })

  it('a type that the op does not take', async () => {
    const model = makeModel({
      inputs: { x: ['bool', [3]] },
      outputs: { y: ['bool', [3]] },
      nodes: [node('Abs', ['x'], ['y'])],
    })
    await expect(build(model)).rejects.toMatchObject({ code: 'INVALID_MODEL', message: expect.stringContaining('Abs') })
  })

  it('text as an input', async () => {
    const model = makeModel({
      inputs: { x: ['string', [3]] },
      outputs: { y: ['string', [3]] },
      nodes: [node('Identity', ['x'], ['y'])],
    })
    await expect(build(model)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('string'),
    })
  })

  it('a newer opset', async () => {
    const model = makeModel({ ...XY, opset: 99, nodes: [node('Abs', ['x'], ['y'])] })
    await expect(build(model)).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('99') })
  })

  it('external data that is missing', async () => {
    const model = makeModel({
      ...XY,
      initializers: { w: external('float32', [3], 'gone.bin') },
      nodes: [node('Add', ['x', 'w'], ['y'])],
    })
    const path = join(folder, 'external-missing.onnx')
    writeFileSync(path, model)
    await expect(build(path)).rejects.toMatchObject({ code: 'EXTERNAL_DATA' })
    await expect(build(model)).rejects.toMatchObject({ code: 'EXTERNAL_DATA' })
  })
})

it('a failure while computing is INFERENCE_FAILED with what onnxruntime says, and the engine goes on', async () => {
  const model = makeModel({
    inputs: { a: ['float32', ['N']], b: ['float32', ['M']] },
    outputs: { y: ['float32', ['K']] },
    nodes: [node('Add', ['a', 'b'], ['y'], {}, { name: 'adder' })],
  })
  const range = { min: [1], opt: [2], max: [9] }
  const engine = await trt.loadEngine((await build(model, { shapes: { a: range, b: range } })).plan)
  const add = (n: number, m: number) =>
    engine.infer({
      a: new trt.Tensor('float32', new Float32Array(n).fill(1)),
      b: new trt.Tensor('float32', new Float32Array(m).fill(2)),
    })
  await expect(add(2, 3)).rejects.toMatchObject({ code: 'INFERENCE_FAILED', message: expect.stringContaining('adder') })
  expect((await add(2, 2)).y?.data).toEqual(Float32Array.of(3, 3))
  await engine.close()
})

describe('options', () => {
  it('fp16 computes in fp32: report, log and engine say so', async () => {
    const lines: string[] = []
    const logger = { error() {}, info() {}, debug() {}, warn: (line: string) => lines.push(line) }
    const built = await build(SIMPLE, { fp16: true, logger })
    expect(built.precision).toBe('fp32')
    expect(built.warnings).toEqual([expect.stringMatching(/fp16.*fp32/)])
    expect(lines).toEqual(built.warnings)
    const engine = await trt.loadEngine(built.plan)
    expect(engine.precision).toBe('fp32')
    await engine.close()
  })

  it.each<Partial<trt.BuildOptions>>([
    { tf32: true },
    { workspace: '1GiB' },
    { memoryPools: { tacticDram: 1 } },
    { optimizationLevel: 0 },
    { timingCache: join(folder, 'timing.cache') },
    { sparsity: true },
    { refittable: true },
    { stripPlan: true },
    { weightStreaming: true, stronglyTyped: true },
    { profilingVerbosity: 'none' },
    { maxAuxStreams: 0 },
    { tacticSources: ['cublas'] },
  ])('%j is refused where the backend was asked for by name', async (options) => {
    await expect(build(SIMPLE, options)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining(Object.keys(options)[0] as string),
      hint: expect.any(String),
    })
  })

  it('what is switched off, and what holds anyway, is taken without a word', async () => {
    const off = { tf32: false, sparsity: false, refittable: false, stripPlan: false, weightStreaming: false } as const
    const held = { stronglyTyped: true, versionCompatible: true, hardwareCompatibility: 'ampere+' } as const
    expect((await build(SIMPLE, { ...off, ...held })).warnings).toEqual([])
  })

  it('tuning becomes a warning where the package chose the backend', async () => {
    const { warnings } = await buildAsAuto({ workspace: 2 ** 30, optimizationLevel: 5 })
    expect(warnings).toEqual([expect.stringContaining('workspace'), expect.stringContaining('optimizationLevel')])
  })

  it.each(['refittable', 'stripPlan'])('%s changes what an engine is for, and is refused even then', async (option) => {
    await expect(buildAsAuto({ [option]: true })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  it("isolation: 'thread' is answered with a warning", async () => {
    expect((await build(SIMPLE, { isolation: 'thread' })).warnings).toEqual([expect.stringContaining('isolation')])
  })
})

describe('progress', () => {
  it('tells each phase', async () => {
    const phases: trt.BuildProgress[] = []
    await build(SIMPLE, { onProgress: (progress) => phases.push(progress) })
    const steps = phases.filter(({ phase }) => phase !== 'heartbeat')
    expect(steps.map(({ step, steps }) => [step, steps])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ])
    for (const { elapsedMs } of phases) expect(elapsedMs).toBeGreaterThan(0)
  })

  it('what onProgress throws ends the build', async () => {
    const failure = new Error('enough')
    const onProgress = () => {
      throw failure
    }
    await expect(build(SIMPLE, { onProgress })).rejects.toBe(failure)
  })
})

describe('onnxruntime-node', () => {
  const root = new URL('../../../', import.meta.url)

  /** A copy of the package with all of its dependencies, except that onnxruntime-node is `entry`, or is not there. */
  async function packageWith(name: string, entry?: string): Promise<typeof trt> {
    const home = join(folder, name)
    const { dependencies, exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
    mkdirSync(join(home, 'node_modules'), { recursive: true })
    cpSync(new URL('dist', root), join(home, 'dist'), { recursive: true })
    cpSync(new URL('package.json', root), join(home, 'package.json'))
    for (const dependency of Object.keys(dependencies)) {
      symlinkSync(realpathSync(new URL(`node_modules/${dependency}`, root)), join(home, 'node_modules', dependency))
    }
    if (entry !== undefined) {
      mkdirSync(join(home, 'node_modules', 'onnxruntime-node'))
      writeFileSync(join(home, 'node_modules', 'onnxruntime-node', 'index.js'), entry)
    }
    return import(join(home, exports['.'].default))
  }

  const INSTALL = 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node'

  it('missing, is named with the install line, and the package loads without it', async () => {
    const copy = await packageWith('without')
    await expect(copy.buildEngine({ onnx: SIMPLE, backend: 'onnxruntime' })).rejects.toMatchObject({
      code: 'ONNXRUNTIME_NOT_FOUND',
      message: expect.stringContaining('not installed'),
      hint: INSTALL,
    })
    const { plan } = await build(SIMPLE)
    await expect(copy.loadEngine(plan)).rejects.toMatchObject({ code: 'ONNXRUNTIME_NOT_FOUND', hint: INSTALL })
  })

  it('broken, is told apart from missing', async () => {
    const copy = await packageWith('broken', 'require("./binding.node")')
    await expect(copy.buildEngine({ onnx: SIMPLE, backend: 'onnxruntime' })).rejects.toMatchObject({
      code: 'ONNXRUNTIME_NOT_FOUND',
      message: expect.stringMatching(/does not load.*binding\.node/),
      hint: INSTALL,
    })
  })
})
