// The proof, on TensorRT-RTX, of what FAMILY_OPTIONS says: the plan differs, the build fails, or the option is refused.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildSettings } from '#dist/backends/backend.js'
import { loadAddon } from '#dist/backends/tensorrt/addon.js'
import { FAMILY_OPTIONS, judgeSettings } from '#dist/backends/tensorrt/family-options.js'
import { findTensorRT } from '#dist/sdk/find-tensorrt.js'
import { failure } from '../../helpers/errors.ts'
import { constant, makeModel, node } from '../../helpers/onnx-model.ts'
import { needsRtx } from './rtx.ts'

needsRtx()

const folder = mkdtempSync(join(tmpdir(), 'trt-options-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Options = Partial<trt.BuildOptions>

/** Four branches of four MatMuls and Softmaxes each: something for auxiliary streams to run side by side. */
const BRANCHES = [0, 1, 2, 3].map((branch) => [0, 1, 2, 3].map((level) => `${branch}_${level}`))
const model = makeModel({
  inputs: { x: ['float32', ['N', 256]] },
  outputs: { y: ['float32', ['N', 256]] },
  initializers: Object.fromEntries(
    BRANCHES.flat().map((name, seed) => [`w${name}`, constant('float32', [256, 256], weights(seed))]),
  ),
  nodes: [
    ...BRANCHES.flatMap((names) =>
      names.flatMap((name, level) => [
        node('MatMul', [level === 0 ? 'x' : `s${names[level - 1]}`, `w${name}`], [`m${name}`]),
        node('Softmax', [`m${name}`], [`s${name}`], { axis: -1 }),
      ]),
    ),
    node('Sum', ['s0_3', 's1_3', 's2_3', 's3_3'], ['y']),
  ],
})

/** Of the input and of what the softmaxes give, which the products read. */
const RANGES = { x: 1, ...Object.fromEntries(BRANCHES.flat().map((name) => [`s${name}`, 1])) }

function weights(seed: number): number[] {
  return Array.from({ length: 256 * 256 }, (_, i) => Math.sin(i * (seed + 1)) / 16)
}

async function plan(options: Options = {}): Promise<Buffer> {
  const built = await trt.buildEngine({
    onnx: model,
    shapes: { x: [8, 256] },
    backend: 'tensorrt-rtx',
    target: { computeCapabilities: ['8.9'] },
    isolation: 'thread',
    ...options,
  })
  return Buffer.from(built.plan)
}

let usual: Buffer
beforeAll(async () => {
  usual = await plan().catch(() => Buffer.alloc(0))
})

it('builds the same bytes from the same options, so that a difference means something', async () => {
  expect(Buffer.compare(await plan(), usual)).toBe(0)
})

describe('the plan differs', () => {
  const cases: { readonly [Name in keyof BuildSettings]?: Options } = {
    fp16: { fp16: true },
    bf16: { bf16: true },
    int8: { int8: { calibration: RANGES } },
    fp8: { fp8: { calibration: RANGES } },
    tf32: { tf32: false },
    weightStreaming: { weightStreaming: true },
    maxAuxStreams: { maxAuxStreams: 0 },
    profilingVerbosity: { profilingVerbosity: 'detailed' },
    workspace: { workspace: '1GiB' },
    computeCapabilities: { target: { computeCapabilities: ['12.0'] } },
  }
  it.each(Object.entries(cases))('%s', async (_, options) => {
    expect(Buffer.compare(await plan(options), usual)).not.toBe(0)
  })
  it('memoryPools.tacticSharedMemory', async () => {
    const onnx = makeModel({
      inputs: { x: ['float32', ['N', 256]] },
      outputs: { y: ['float32', ['N', 256]] },
      initializers: { w: constant('float32', [256, 256], weights(1)) },
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    })
    const limited = await plan({ onnx, memoryPools: { tacticSharedMemory: '1KiB' } })
    expect(Buffer.compare(limited, await plan({ onnx }))).not.toBe(0)
  })
})

describe('the build fails', () => {
  const cases: { readonly [Name: string]: Options } = {
    'too little workspace': { workspace: '1MiB' },
    'versionCompatible, without the lean library': { versionCompatible: true },
    'refittable, without a GPU': { refittable: true },
    'refittable: identical, without a GPU': { refittable: 'identical' },
    'stripPlan, without a GPU': { stripPlan: true },
  }
  it.each(Object.entries(cases))('%s', async (name, options) => {
    const outcome = await plan(options).catch((error: unknown) => error)
    if (Buffer.isBuffer(outcome)) {
      // A machine with a GPU builds some of these; that they then differ is as good a proof.
      expect(Buffer.compare(outcome, usual)).not.toBe(0)
      return
    }
    const error = await failure('BUILD_FAILED', () => Promise.reject(outcome))
    expect(error.message).toMatch(/Error Code \d/)
    if (!name.includes('workspace')) expect(error.hint).toBeDefined()
  })
})

describe('the option is refused, with the reason', () => {
  const cases: { readonly [Name: string]: Options } = {
    stronglyTyped: { stronglyTyped: false },
    optimizationLevel: { optimizationLevel: 5 },
    sparsity: { sparsity: true },
    hardwareCompatibility: { hardwareCompatibility: 'ampere+' },
    tacticSources: { tacticSources: ['jit-convolutions'] },
    plugins: { plugins: ['builtin'] },
    timingCache: { timingCache: join(folder, 'cache') },
    'memoryPools.tacticDram': { memoryPools: { tacticDram: '1MiB' } },
    dlaManagedSram: { memoryPools: { dlaManagedSram: '1MiB' } },
    dlaLocalDram: { memoryPools: { dlaLocalDram: '256MiB' } },
    dlaGlobalDram: { memoryPools: { dlaGlobalDram: '256MiB' } },
  }
  it.each(Object.entries(cases))('%s', async (name, options) => {
    const error = await failure('UNSUPPORTED', () => plan(options))
    expect(error.message).toContain(name)
    expect(error.message).toContain('TensorRT-RTX')
    expect(readdirSync(folder)).toEqual([])
  })
  it('not where it asks for nothing', async () => {
    const nothing: Options = { fp16: false, sparsity: false, stronglyTyped: true, hardwareCompatibility: 'none' }
    expect(Buffer.compare(await plan({ ...nothing, refittable: false, tf32: true }), usual)).toBe(0)
  })
})

/** A build that no table of options stands before. */
async function builtUnjudged(settings: BuildSettings): Promise<Buffer> {
  const sdk = (await findTensorRT({ families: ['rtx'] })).sdk
  const shape = [8, 256]
  const { done } = loadAddon('rtx').build(
    {
      nvinfer: sdk?.nvinfer ?? '',
      onnxParser: sdk?.onnxParser ?? '',
      model: { bytes: model },
      profiles: [{ x: { min: shape, opt: shape, max: shape } }],
      settings: { computeCapabilities: ['8.9'], ...settings },
    },
    () => {},
  )
  return Buffer.from((await done).plan)
}

// So that a TensorRT-RTX that begins to heed them makes itself known here.
it.each<[string, BuildSettings]>([
  ['optimizationLevel', { optimizationLevel: 0 }],
  ['sparsity', { sparsity: true }],
  ['tacticSources', { tacticSources: [] }],
  ['memoryPools.tacticDram', { memoryPools: { tacticDram: 2 ** 20 } }],
])('%s is refused because TensorRT-RTX does nothing with it', async (_, settings) => {
  expect(Buffer.compare(await builtUnjudged(settings), usual)).toBe(0)
})

it('a setting that TensorRT-RTX drops with a line in its log ends the build', async () => {
  await expect(builtUnjudged({ hardwareCompatibility: 'ampere+' })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'TensorRT-RTX did not take hardwareCompatibility ampere+',
  })
})

it('makes a warning of what merely tunes, where the backend was chosen for the user', () => {
  const asked: BuildSettings = { sparsity: true, optimizationLevel: 5, tf32: false }
  const judged = judgeSettings('rtx', asked, true)
  expect(judged.settings).toEqual({ tf32: false })
  expect(judged.warnings).toHaveLength(2)
})

it('refuses on TensorRT 10 and 11 what they do not have', () => {
  const refused = (family: 'trt10' | 'trt11', settings: BuildSettings) =>
    expect(() => judgeSettings(family, settings, false)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  for (const family of ['trt10', 'trt11'] as const) refused(family, { computeCapabilities: ['8.9'] })
  refused('trt11', { stronglyTyped: false })
  refused('trt11', { tacticSources: ['cublas', 'jit-convolutions'] })
  const taken: BuildSettings = { fp16: true, bf16: true, stronglyTyped: false, tacticSources: ['cublas'] }
  expect(judgeSettings('trt10', taken, false)).toEqual({ settings: taken, warnings: [] })
})

it('says of every option what every family makes of it', () => {
  for (const [option, row] of Object.entries(FAMILY_OPTIONS)) {
    for (const family of ['rtx', 'trt10', 'trt11'] as const) {
      const support = row[family]
      expect('refused' in support ? support.refused : support.shows, `${option} on ${family}`).toBeTruthy()
    }
  }
})
