// `tensorrt-node plugin` on the emulated build of this package's plugins.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build } from '../plugins/probes.js'
import { documentOf, runCli } from './helpers/run-cli.js'

const SPEC = {
  plugin: 'CustomPRelu',
  reference: { operator: 'PRelu', opset: 16, type: 'float32' },
  tolerances: { float32: { rtol: 1.2e-7 }, float16: { ulp: 1.5 } },
  cases: [
    {
      name: 'by channel',
      inputs: [
        [2, 3, 5, 5],
        [3, 1, 1],
      ],
      formats: { hwc8: ['float16'] },
    },
  ],
}

let folder: string
let library: string
beforeAll(async () => {
  library = await build('emulated')
  folder = await mkdtemp(join(tmpdir(), 'plugin-'))
}, 600_000)
afterAll(() => rm(folder, { recursive: true }))

async function spec(content: object): Promise<string> {
  const path = join(folder, 'spec.json')
  await writeFile(path, JSON.stringify(content))
  return path
}

test('inspect names plugins, versions, interfaces and fields', async () => {
  const { code, stdout, stderr } = await runCli(['plugin', 'inspect', library])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/CustomPRelu +1 +– +IPluginV2DynamicExt +slope: float32\[\]/)
  expect(stdout).toMatch(/CustomLayerNormalization +2 +– +IPluginV3 +axis: int32, epsilon: float32/)
  expect(stdout).toContain('an emulated build; no TensorRT takes it')
  const json = documentOf(await runCli(['plugin', 'inspect', library, '--json'])) as { creators: unknown[] }
  expect(json).toMatchObject({ library, emulated: true, family: 'trt10' })
  expect(json.creators).toHaveLength(4)
})

test('test runs every type and format, says that the GPU was emulated, and ends with 0', async () => {
  const { code, stdout } = await runCli(['plugin', 'test', await spec(SPEC), '--library', library])
  expect(code).toBe(0)
  expect(stdout).toMatch(/✓ +by channel +1 +float16 +hwc8 /)
  expect(stdout).toContain('CustomPRelu: 3 passed, 0 failed, on the CPU (emulated build, no GPU)')
})

test('a case outside its tolerance: exit code 1, the largest error and where it is', async () => {
  const path = await spec({ ...SPEC, tolerances: { float16: { ulp: 0.01 } } })
  const { code, stdout } = await runCli(['plugin', 'test', path, '--library', library])
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /by channel, version 1, float16, linear, output 0: \d+ of 150 elements differ, by up to .*: at \[\d,\d,\d,\d\]/,
  )
  expect(stdout).toContain('0 passed, 2 failed')
  const run = await runCli(['plugin', 'test', path, '--library', library, '--json'])
  expect(run.code).toBe(1)
  expect(JSON.parse(run.stdout)).toMatchObject({ ok: false, device: 'emulated' })
})

test.each([
  [{ ...SPEC, cases: [] }, 'expected a non-empty array of cases for cases'],
  [{ ...SPEC, tolerance: {} }, 'unknown option "tolerance"'],
  [{ ...SPEC, reference: { operator: 'PRelu', opset: 16, type: 'int8' } }, 'one of "float32", "float64" for type'],
  [
    { ...SPEC, cases: [{ name: 'x', inputs: [[1], [1]], weights: { slope: 2 } }] },
    'the number of an input from 1 to 1',
  ],
  [{ ...SPEC, plugin: undefined }, 'expected plugin, received none'],
])('a spec that is none: %#', async (content, message) => {
  const { code, stderr } = await runCli(['plugin', 'test', await spec(content), '--library', library])
  expect(code).toBe(1)
  expect(stderr).toContain('error[INVALID_ARGUMENT]: ')
  expect(stderr).toContain('spec.json: spec: ')
  expect(stderr).toContain(message)
})

test('a spec that is not there, and a plugin that is not there', async () => {
  expect((await runCli(['plugin', 'test', join(folder, 'no.json')])).stderr).toContain('error[FILE_NOT_FOUND]')
  const { code, stdout } = await runCli([
    'plugin',
    'test',
    await spec({ ...SPEC, plugin: 'Nope' }),
    '--library',
    library,
  ])
  expect(code).toBe(1)
  expect(stdout).toContain('has no plugin Nope, version 1')
})
