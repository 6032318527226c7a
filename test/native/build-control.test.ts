/** Progress, cancelling, the timing cache, and builders that fail, crash or hang, on the doubles. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.ts'
import { buildAll, STATIC } from './helpers/builds.ts'
import { FAMILIES, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

const OUTER = 'Building an engine (stand-in)'
const INNER = 'Timing kernels (stand-in)'
const SLOW = { TRT_DOUBLE_BUILD_STEPS: '2000', TRT_DOUBLE_BUILD_STEP_MS: '10' }

describe.each(FAMILIES)('%s', (family) => {
  it.each(['thread', 'process'] as const)('tells of phases and steps (%s)', async (isolation) => {
    const [outcome] = await buildAll(STATIC, [{ isolation }], { family })
    expect(outcome?.error).toBeNull()
    const seen = outcome?.progress.filter(({ phase }) => phase !== 'heartbeat') ?? []
    expect(seen.map(({ phase, parents, step, steps }) => ({ phase, parents, step, steps }))).toEqual([
      { phase: OUTER, parents: [], step: 0, steps: 1 },
      ...[0, 1, 2, 3].map((step) => ({ phase: INNER, parents: [OUTER], step, steps: 3 })),
      { phase: OUTER, parents: [], step: 1, steps: 1 },
    ])
  })

  it.each(['thread', 'process'] as const)('cancels, and can build again (%s)', async (isolation) => {
    const sets = [{ isolation, cancelAt: 4 }]
    const [cancelled] = await buildAll(STATIC, sets, { family, env: SLOW })
    expect(cancelled?.error?.code).toBe('ABORTED')
    expect(cancelled?.progress.length).toBeLessThan(2000)
    expect(cancelled?.alive).toEqual({})
  })

  it.each([
    ['createInferBuilder_INTERNAL', 'BUILD_FAILED'],
    ['createNvOnnxParser_INTERNAL', 'BUILD_FAILED'],
    ['IBuilder::createNetworkV2', 'BUILD_FAILED'],
    ['IBuilder::createBuilderConfig', 'BUILD_FAILED'],
    ['IParser::parse', 'BUILD_FAILED'],
    ['IBuilder::buildSerializedNetwork', 'BUILD_FAILED'],
  ])('says so where %s fails', async (call, code) => {
    const [failed, after] = await buildAll(STATIC, [{}, {}], { family, env: { TRT_DOUBLE_FAIL: `${call}:1=1` } })
    expect(failed?.error?.code).toBe(code)
    expect(failed?.alive).toEqual({})
    expect(after?.error).toBeNull()
  })

  it('survives a builder that crashes in its process', async () => {
    const env = { TRT_DOUBLE_FAIL: 'IBuilder::buildSerializedNetwork:1=abort' }
    const [crashed] = await buildAll(STATIC, [{ isolation: 'process' }], { family, env })
    expect(crashed?.error?.code).toBe('PROCESS_CRASHED')
  })

  it('names the node whose op TensorRT does not know', async () => {
    const model = makeModel({
      inputs: { x: ['float32', [2]] },
      outputs: { y: ['float32', [2]] },
      nodes: [node('Neg', ['x'], ['t']), node('UnknownTwist', ['t'], ['y'], {}, { name: 'the_odd_one' })],
    })
    const [outcome] = await buildAll(model, [{}], { family })
    expect(outcome?.error?.code).toBe('UNSUPPORTED_OP')
    expect(outcome?.error?.message).toContain('the_odd_one')
    expect(outcome?.error?.message).toContain('UnknownTwist')
  })
})

describe.each(['trt10', 'trt11'] as const)('timing cache on %s', (family) => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-cache-'))
    path = join(folder, 'gpu.cache')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const HEAD = 'stand-in timing cache sm 8.9\n'
  const lines = () => readFileSync(path, 'latin1').split('\n').filter(Boolean).sort()
  const BUILT = ['kernel for a', 'kernel for b', 'kernel for y', HEAD.trim()]

  it('writes one where there is none', async () => {
    const [outcome] = await buildAll(STATIC, [{ timingCache: path }], { family })
    expect(outcome?.error).toBeNull()
    expect(outcome?.told).toContainEqual(['setTimingCache', true, false])
    expect(lines()).toEqual(BUILT)
    expect(readdirSync(folder)).toEqual(['gpu.cache'])
  })

  it('reads what is there and keeps it', async () => {
    writeFileSync(path, `${HEAD}kernel for an old model\n`)
    await buildAll(STATIC, [{ timingCache: path }], { family })
    expect(lines()).toEqual(['kernel for a', 'kernel for an old model', ...BUILT.slice(1)])
  })

  it('merges what another build wrote meanwhile', async () => {
    const writes = { path, text: `${HEAD}kernel for another build\n` }
    const [outcome] = await buildAll(STATIC, [{ timingCache: path, writes }], {
      family,
      env: { TRT_DOUBLE_BUILD_STEPS: '10', TRT_DOUBLE_BUILD_STEP_MS: '50' },
    })
    expect(outcome?.error).toBeNull()
    expect(lines()).toEqual(['kernel for a', 'kernel for another build', ...BUILT.slice(1)])
  })

  it.each([
    ['damaged', 'no cache at all'],
    ["another GPU's", 'stand-in timing cache sm 12.0\nkernel for a blackwell\n'],
  ])('begins anew where it is %s', async (_, text) => {
    writeFileSync(path, text)
    const [outcome] = await buildAll(STATIC, [{ timingCache: path }], { family })
    expect(outcome?.error).toBeNull()
    expect(lines()).toEqual(BUILT)
  })

  it('leaves it alone when the build fails or is cancelled', async () => {
    const failing = { family, env: { TRT_DOUBLE_FAIL: 'IBuilder::buildSerializedNetwork:1=1' } }
    const [failed] = await buildAll(STATIC, [{ timingCache: path }], failing)
    expect(failed?.error?.code).toBe('BUILD_FAILED')
    expect(existsSync(path)).toBe(false)
    const [cancelled] = await buildAll(STATIC, [{ timingCache: path, cancelAt: 2 }], { family, env: SLOW })
    expect(cancelled?.error?.code).toBe('ABORTED')
    expect(readdirSync(folder)).toEqual([])
  })

  it('keeps the plan and says so where it cannot be written', async () => {
    const [outcome] = await buildAll(STATIC, [{ timingCache: join(folder, 'no', 'such', 'folder') }], { family })
    expect(outcome?.error).toBeNull()
    expect(outcome?.warnings).toEqual([expect.stringContaining('the timing cache was not kept')])
  })

  it('says so where it is a folder', async () => {
    const [outcome] = await buildAll(STATIC, [{ timingCache: folder }], { family })
    expect(outcome?.error?.code).toBe('IO_ERROR')
    expect(outcome?.error?.message).toContain(folder)
  })

  it('keeps its mode, and a link to it', async () => {
    writeFileSync(path, HEAD)
    chmodSync(path, 0o640)
    const link = join(folder, 'link.cache')
    symlinkSync(path, link)
    await buildAll(STATIC, [{ timingCache: link }], { family })
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(lines()).toEqual(BUILT)
  })
})

describe('rtx', () => {
  it('refuses a timing cache', async () => {
    const [outcome] = await buildAll(STATIC, [{ timingCache: '/tmp/never-written' }], { family: 'rtx' })
    expect(outcome?.error?.code).toBe('UNSUPPORTED')
  })

  it('builds without a GPU', async () => {
    const [outcome] = await buildAll(STATIC, [{}], { family: 'rtx', driver: false })
    expect(outcome?.error).toBeNull()
  })
})
