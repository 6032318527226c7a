// Real TensorRT-RTX builds of real models. None needs a GPU.
import { readFileSync } from 'node:fs'
import * as trt from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { loadAddon } from '#dist/backends/tensorrt/addon.js'
import { findTensorRT } from '#dist/sdk/find-tensorrt.js'
import { OCR } from '../../helpers/engine.ts'
import { failure } from '../../helpers/errors.ts'
import { constant, makeModel, node } from '../../helpers/onnx-model.ts'
import { childrenOf } from '../../helpers/processes.ts'
import { buildDetector, needsRtx } from './rtx.ts'

needsRtx()

const ISOLATIONS = ['thread', 'process'] as const

/** One MatMul, with weights of that type. */
function matMul(type: 'float16' | 'bfloat16' | 'float32', batch: number | string = 'N'): Uint8Array {
  return makeModel({
    inputs: { x: [type, [batch, 16]] },
    outputs: { y: [type, [batch, 16]] },
    initializers: { w: constant(type, [16, 16], Array(256).fill(type === 'float32' ? 0.5 : 0x3800)) },
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
  })
}

function header(plan: Uint8Array): { magic: string; version: string } {
  return { magic: Buffer.from(plan.subarray(0, 4)).toString('latin1'), version: [...plan.subarray(24, 28)].join('.') }
}

describe.each(ISOLATIONS)('isolation: %s', (isolation) => {
  it('builds a model with a fixed shape, and tells of its progress and its log', async () => {
    const progress: trt.BuildProgress[] = []
    const log: string[] = []
    const take = (line: string): number => log.push(line)
    const built = await buildDetector({
      isolation,
      onProgress: (step) => progress.push(step),
      logger: { error: take, warn: take, info: take, debug: take },
    })

    expect(header(built.plan)).toEqual({ magic: 'vtrt', version: built.version })
    expect(built).toMatchObject({ precision: 'fp32', computeCapabilities: ['8.9'], warnings: [] })
    const phases = progress.filter(({ phase }) => phase !== 'heartbeat')
    expect(phases.length).toBeGreaterThan(100)
    for (const { step, steps } of phases) expect(step).toBeLessThanOrEqual(steps)
    expect(phases.some(({ parents }) => parents.length > 1)).toBe(true)
    expect(progress.map(({ elapsedMs }) => elapsedMs)).toEqual(
      progress.map(({ elapsedMs }) => elapsedMs).toSorted((a, b) => a - b),
    )
    expect(log.length).toBeGreaterThan(1000)
    expect(childrenOf().filter((pid) => isBuild(pid))).toEqual([])
  })

  it('builds from bytes what it builds from the file', async () => {
    const [fromFile, fromBytes] = [
      await buildDetector({ isolation }),
      await buildDetector({ isolation, onnx: readFileSync(OCR.detection) }),
    ]
    expect(Buffer.compare(fromFile.plan, fromBytes.plan)).toBe(0)
  })

  it('names the node and the op that nobody knows', async () => {
    const onnx = makeModel({
      inputs: { x: ['float32', [4]] },
      outputs: { y: ['float32', [4]] },
      nodes: [node('Relu', ['x'], ['a']), node('Frobnicate', ['a'], ['y'], {}, { name: 'my_node' })],
    })
    const error = await failure('UNSUPPORTED_OP', () => trt.buildEngine({ onnx, backend: 'tensorrt-rtx', isolation }))
    expect(error.message).toContain('"my_node" (Frobnicate)')
    expect(error.hint).toBeDefined()
  })
})

it('carries no log and no progress where nobody listens, and still says why it failed', async () => {
  const { nvinfer = '', onnxParser = '' } = (await findTensorRT({ families: ['rtx'] })).sdk ?? {}
  const unknownOp = makeModel({ outputs: { y: ['float32', [1]] }, nodes: [node('NoSuchOp', [], ['y'])] })
  const rest = { profiles: [], settings: { computeCapabilities: ['8.9'] as const }, nvinfer, onnxParser, plugins: [] }
  const heard = async (model: Uint8Array, listens: { log: boolean; progress: boolean }) => {
    const events = new Set<string>()
    const request = { ...rest, model: { bytes: model }, ...listens }
    const outcome = await loadAddon('rtx')
      .build(request, ({ type }) => events.add(type))
      .done.catch((error: unknown) => error)
    return { events: [...events].sort(), outcome }
  }
  const model = matMul('float32', 1)
  expect((await heard(model, { log: true, progress: true })).events).toEqual(['log', 'progress'])
  expect((await heard(model, { log: false, progress: true })).events).toEqual(['progress'])
  expect((await heard(model, { log: true, progress: false })).events).toEqual(['log'])
  const failed = await heard(unknownOp, { log: false, progress: false })
  expect(failed.events).toEqual([])
  expect(failed.outcome).toMatchObject({ code: 'UNSUPPORTED_OP', message: expect.stringContaining('NoSuchOp') })
})

it('builds dynamic shapes, and several profiles', async () => {
  const build = (shapes: trt.BuildOptions['shapes']) => buildDetector({ onnx: OCR.recognition, shapes })
  const small = { x: { min: [1, 3, 48, 160], opt: [1, 3, 48, 320], max: [2, 3, 48, 320] } }
  const large = { x: { min: [4, 3, 48, 320], opt: [4, 3, 48, 320], max: [8, 3, 48, 640] } }
  const one = await build(small)
  const two = await build([small, large])
  expect(header(two.plan).magic).toBe('vtrt')
  expect(two.profiles).toHaveLength(2)
  expect(two.plan.byteLength).toBeGreaterThan(one.plan.byteLength)
})

it('builds a model that carries fp16 as it is, also where fp16 or bf16 is asked for', async () => {
  const build = (options: Partial<trt.BuildOptions>) =>
    trt.buildEngine({ onnx: matMul('float16'), backend: 'tensorrt-rtx', shapes: { x: [4, 16] }, ...options })
  const plain = await build({})
  const asked = await build({ fp16: true })
  expect([plain.precision, asked.precision]).toEqual(['fp16', 'fp16'])
  expect(Buffer.compare(asked.plan, plain.plan)).toBe(0)
  expect(asked.warnings).toEqual(plain.warnings)
  expect((await build({ bf16: true })).warnings).toContainEqual(expect.stringMatching(/carries float16 already/))
})

it.each([
  ['float16', ['7.5', '8.0', '8.6', '8.9', '12.0', '12.1']],
  ['float32', ['8.0', '8.6', '8.9', '12.0', '12.1']],
  ['bfloat16', ['8.0', '8.6', '8.9', '12.0', '12.1']],
] as const)('builds a MatMul in %s for every GPU that takes it, where there is none here', async (type, expected) => {
  const build = (target: trt.BuildOptions['target']) =>
    trt.buildEngine({
      onnx: matMul(type),
      backend: 'tensorrt-rtx',
      shapes: { x: [4, 16] },
      ...(target === undefined ? {} : { target }),
    })
  const built = await build(undefined)
  if (!built.warnings.some((warning) => warning.startsWith('no GPU here'))) return
  expect(built.computeCapabilities).toEqual(expected)
  const turing = build({ computeCapabilities: ['7.5'] })
  if (expected[0] === '7.5') expect((await turing).computeCapabilities).toEqual(['7.5'])
  else await failure('BUILD_FAILED', () => turing)
})

it('rejects with what the caller’s own function throws', async () => {
  const mine = new Error('mine')
  for (const isolation of ISOLATIONS) {
    const onProgress = (): void => {
      throw mine
    }
    await expect(buildDetector({ isolation, onProgress })).rejects.toBe(mine)
  }
})

function isBuild(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('build-child')
}

it('refuses an input that holds a shape, where no other input is dynamic either', async () => {
  const model = makeModel({
    inputs: { x: ['float32', [2, 3]], shape: ['int64', [2]] },
    outputs: { y: ['float32', ['A', 'B']] },
    nodes: [node('Reshape', ['x', 'shape'], ['y'])],
  })
  const error = await failure('UNSUPPORTED', () => buildDetector({ onnx: model, shapes: {} }))
  expect(error.message).toContain('input "shape" holds a shape')
})
