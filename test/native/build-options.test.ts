/**
 * What the builder of TensorRT 10 and 11 is told for each build option, in the words of the family's own headers: the
 * recording builder of native/test/doubles writes down every call. What these options do inside TensorRT, only a GPU can
 * show (npm run test:gpu).
 */
import type { BuildOptions } from 'tensorrt-node'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildAll, DYNAMIC, RANGE, STATIC, type Told } from './helpers/builds.ts'
import { FAMILIES, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

type Expected = { readonly told: readonly Told[] } | { readonly network: readonly string[] } | 'UNSUPPORTED'
interface Row {
  readonly options: Partial<BuildOptions>
  readonly trt10: Expected
  readonly trt11: Expected
}

const both = (options: Partial<BuildOptions>, expected: Expected): Row => ({
  options,
  trt10: expected,
  trt11: expected,
})
const told = (...calls: Told[]): Expected => ({ told: calls })
const flag = (name: string): Expected => told(['setFlag', name])
const pool = (name: string, bytes: number): Expected => told(['setMemoryPoolLimit', name, bytes])

const ROWS: readonly Row[] = [
  { options: { fp16: true }, trt10: flag('kFP16'), trt11: { told: [] } },
  { options: { bf16: true }, trt10: flag('kBF16'), trt11: { told: [] } },
  { options: { fp16: true, stronglyTyped: true }, trt10: { network: ['kSTRONGLY_TYPED'] }, trt11: { network: [] } },
  both({ tf32: false }, told(['clearFlag', 'kTF32'])),
  both({ tf32: true }, flag('kTF32')),
  { options: { stronglyTyped: true }, trt10: { network: ['kSTRONGLY_TYPED'] }, trt11: { network: [] } },
  { options: { stronglyTyped: false }, trt10: { network: [] }, trt11: 'UNSUPPORTED' },
  both({ workspace: '64MiB' }, pool('kWORKSPACE', 64 * 2 ** 20)),
  both({ workspace: '5GiB' }, pool('kWORKSPACE', 5 * 2 ** 30)),
  both({ memoryPools: { tacticDram: '2GB' } }, pool('kTACTIC_DRAM', 2e9)),
  both({ memoryPools: { tacticSharedMemory: 49152 } }, pool('kTACTIC_SHARED_MEMORY', 49152)),
  // No DLA on the doubles' GPU; below is what happens with one.
  both({ memoryPools: { dlaManagedSram: '1MiB' } }, 'UNSUPPORTED'),
  ...([0, 1, 2, 3, 4, 5] as const).map((level) =>
    both({ optimizationLevel: level }, told(['setBuilderOptimizationLevel', level])),
  ),
  both({ sparsity: true }, flag('kSPARSE_WEIGHTS')),
  both({ versionCompatible: true }, flag('kVERSION_COMPATIBLE')),
  both({ hardwareCompatibility: 'ampere+' }, told(['setHardwareCompatibilityLevel', 'kAMPERE_PLUS'])),
  both(
    { hardwareCompatibility: 'same-compute-capability' },
    told(['setHardwareCompatibilityLevel', 'kSAME_COMPUTE_CAPABILITY']),
  ),
  both({ refittable: true }, flag('kREFIT')),
  both({ refittable: 'identical' }, flag('kREFIT_IDENTICAL')),
  both({ stripPlan: true }, flag('kSTRIP_PLAN')),
  both({ profilingVerbosity: 'none' }, told(['setProfilingVerbosity', 'kNONE'])),
  both({ profilingVerbosity: 'layer-names' }, told(['setProfilingVerbosity', 'kLAYER_NAMES_ONLY'])),
  both({ profilingVerbosity: 'detailed' }, told(['setProfilingVerbosity', 'kDETAILED'])),
  both({ maxAuxStreams: 0 }, told(['setMaxAuxStreams', 0])),
  both({ maxAuxStreams: 3 }, told(['setMaxAuxStreams', 3])),
  both({ tacticSources: ['jit-convolutions'] }, told(['setTacticSources', ['kJIT_CONVOLUTIONS']])),
  both(
    { tacticSources: ['edge-mask-convolutions', 'jit-convolutions'] },
    told(['setTacticSources', ['kEDGE_MASK_CONVOLUTIONS', 'kJIT_CONVOLUTIONS']]),
  ),
  {
    options: { tacticSources: ['cublas', 'cublas-lt', 'cudnn'] },
    trt10: told(['setTacticSources', ['kCUBLAS', 'kCUBLAS_LT', 'kCUDNN']]),
    trt11: 'UNSUPPORTED',
  },
  both({ target: { computeCapabilities: ['8.9'] } }, 'UNSUPPORTED'),
]

describe.each(['trt10', 'trt11'] as const)('%s', (family) => {
  it('tells the builder each option, and nothing else', async () => {
    const [plain, ...outcomes] = await buildAll(STATIC, [{}, ...ROWS.map((row) => row.options)], { family })
    if (plain === undefined) throw new Error('no build without options')
    expect(plain.error).toBeNull()
    expect(plain.told).toEqual([['setProgressMonitor', true]])
    expect(plain.networkFlags).toEqual([])

    for (const [i, row] of ROWS.entries()) {
      const what = JSON.stringify(row.options)
      const outcome = outcomes[i]
      const expected = row[family]
      if (expected === 'UNSUPPORTED') {
        expect(outcome?.error?.code, what).toBe('UNSUPPORTED')
      } else {
        expect(outcome?.error, what).toBeNull()
        expect(outcome?.told, what).toEqual([...plain.told, ...('told' in expected ? expected.told : [])])
        expect(outcome?.networkFlags, what).toEqual('network' in expected ? expected.network : [])
      }
      expect(outcome?.alive, what).toEqual({})
    }
  })

  it('tells all of several options', async () => {
    const [outcome] = await buildAll(
      STATIC,
      [{ stronglyTyped: true, weightStreaming: true, sparsity: true, tf32: false, workspace: '1GiB' }],
      { family },
    )
    expect(outcome?.error).toBeNull()
    expect([...(outcome?.flags ?? [])].sort()).toEqual(['kSPARSE_WEIGHTS', 'kWEIGHT_STREAMING'])
    expect(outcome?.told).toContainEqual(['setMemoryPoolLimit', 'kWORKSPACE', 2 ** 30])
  })

  it('gives a DLA its memory', async () => {
    const memoryPools = { dlaManagedSram: '1MiB', dlaLocalDram: '1GiB', dlaGlobalDram: '512MiB' }
    const [outcome] = await buildAll(STATIC, [{ memoryPools }], { family, env: { TRT_DOUBLE_DLA: '1' } })
    expect(outcome?.error).toBeNull()
    expect(outcome?.told).toEqual(
      expect.arrayContaining([
        ['setMemoryPoolLimit', 'kDLA_MANAGED_SRAM', 2 ** 20],
        ['setMemoryPoolLimit', 'kDLA_LOCAL_DRAM', 2 ** 30],
        ['setMemoryPoolLimit', 'kDLA_GLOBAL_DRAM', 2 ** 29],
      ]),
    )
  })

  it('builds nothing without a GPU, and says so', async () => {
    for (const options of [{ env: { TRT_DOUBLE_DEVICES: '0' } }, { driver: false }]) {
      const [outcome] = await buildAll(STATIC, [{}], { family, ...options })
      expect(outcome?.error?.code).toBe('GPU_NOT_FOUND')
    }
  })
})

describe('rtx', () => {
  it('tells the builder the GPUs to build for', async () => {
    const target = { computeCapabilities: ['7.5', '8.0', '8.6', '8.9', '12.0', '12.1'] as const }
    const [asked, atHand] = await buildAll(STATIC, [{ target }, {}], { family: 'rtx' })
    expect(asked?.told).toEqual(
      expect.arrayContaining([
        ['setNbComputeCapabilities', 6],
        ...['kSM75', 'kSM80', 'kSM86', 'kSM89', 'kSM120', 'kSM121'].map((sm, i) => ['setComputeCapability', sm, i]),
      ]),
    )
    expect(atHand?.told).toContainEqual(['setComputeCapability', 'kCURRENT', 0])
  })
})

describe.each(FAMILIES)('%s', (family) => {
  it('tells the builder the profiles', async () => {
    const wide = { min: [8, 3], opt: [16, 3], max: [32, 3] }
    const sets = [{ shapes: { x: [5, 3] } }, { shapes: { x: RANGE } }, { shapes: [{ x: RANGE }, { x: wide }] }, {}]
    const [fixed, ranged, several, none] = await buildAll(DYNAMIC, sets, { family })
    expect(fixed?.profiles).toEqual([{ x: { min: [5, 3], opt: [5, 3], max: [5, 3] } }])
    expect(ranged?.profiles).toEqual([{ x: RANGE }])
    expect(several?.profiles).toEqual([{ x: RANGE }, { x: wide }])
    expect(none?.error?.code).toBe('INVALID_SHAPES')
  })

  it('gives back the very bytes of the plan', async () => {
    const [outcome] = await buildAll(STATIC, [{}], { family })
    const header = Buffer.from(outcome?.header ?? [])
    expect(header.toString('latin1', 0, 4)).toBe(family === 'rtx' ? 'vtrt' : 'ftrt')
    expect(Number(header.readBigUInt64LE(16))).toBe(outcome?.bytes)
    expect([...header.subarray(24)].join('.')).toBe(outcome?.version)
  })
})
