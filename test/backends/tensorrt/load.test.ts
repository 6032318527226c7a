// What loading says of real plans where there is no GPU to run them.
import * as trt from 'tensorrt-node'
import { beforeAll, expect, it } from 'vitest'
import { cudaInfo } from '#dist/backends/tensorrt/addon.js'
import { compareVersions } from '#dist/backends/tensorrt/plan-version.js'
import { failure } from '../../helpers/errors.ts'
import { buildDetector, needsRtx } from './rtx.ts'

needsRtx()

let plan: Uint8Array
beforeAll(async () => {
  plan = await buildDetector().then(
    (built) => built.plan,
    () => new Uint8Array(),
  )
})

/** The plan as if another version had built it. */
function planOf(...version: readonly [major: number, minor: number, patch: number]): Uint8Array {
  const other = plan.slice()
  other.set(version, 24)
  return other
}

it('names both versions where a plan is newer than the library, without a GPU', async () => {
  const error = await failure('ENGINE_MISMATCH', () => trt.loadEngine(planOf(1, 9, 0)))
  expect(error.message).toMatch(/1\.9\.0\.\d+.*1\.7\.1/)
  expect(error.hint).toContain('build the engine again')
})

it('names both versions where TensorRT does not take an older plan, and what it said', async () => {
  const error = await failure('ENGINE_MISMATCH', () => trt.loadEngine(planOf(1, 2, 0)))
  expect(error.message).toMatch(/1\.2\.0\.\d+.*1\.7\.1/)
  expect(error.cause).toMatchObject({ code: expect.any(String) })
})

it('says that there is no GPU, or loads', async (ctx) => {
  const { devices, reason } = await cudaInfo()
  if (devices.length > 0) ctx.skip('there is a GPU here, and the GPU tests load plans')
  expect(reason).toBeTruthy()
  const error = await failure('GPU_NOT_FOUND', () => trt.loadEngine(plan))
  expect(error.hint).toBeDefined()
})

it('compares versions by number, and by release alone', () => {
  expect(compareVersions('10.15.1', '10.9.2.4')).toBeGreaterThan(0)
  expect(compareVersions('1.7.1.116', '1.7.1')).toBe(0)
  expect(compareVersions('1.6.9', '1.7.0')).toBeLessThan(0)
})
