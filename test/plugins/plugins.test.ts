// The plugin classes and the library around them: the emulated build (same classes, same kernels), the one nvcc makes,
// and TensorRT's own registry.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build, end } from './probes.js'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// AddressSanitizer's note on exceptions in a library it did not see being made.
const NOTE = /^==\d+==WARNING: ASan is ignoring requested __asan_handle_no_return[\s\S]*?issues\/189\n/gm

let probe: string
let emulated: string
let folder: string

beforeAll(async () => {
  probe = await build('plugin-probe')
  emulated = await build('emulated')
  folder = await mkdtemp(join(tmpdir(), 'plugins-'))
  await write('x', [1, 2, 3, 4, -1, -2, -3, -5])
  await write('four', [1, 2, 3, 4])
  await write('three', [1, 2, 3])
}, 600_000)
afterAll(() => rm(folder, { recursive: true }))

const write = (name: string, values: number[]) => writeFile(join(folder, name), new Float32Array(values))

/** Runs the probe; `@name` in its arguments is a file of `write`. */
async function attempt(args: string, library = emulated) {
  const [what, ...rest] = args.replaceAll('@', `${folder}/`).split(' ')
  const { code, stdout, stderr } = await end(probe, [what, library, ...rest].join(' '), {
    ASAN_OPTIONS: 'detect_leaks=1',
  })
  return { code, stdout, stderr: stderr.replace(NOTE, '') }
}

test('both operators come as version 1 (IPluginV2DynamicExt) and version 2 (IPluginV3), with their fields', async () => {
  const { stdout } = await attempt('inspect')
  const creators = JSON.parse(stdout) as { name: string; version: string; kind: string; fields: string }[]
  expect(creators.map(({ name, version, kind }) => `${name} ${version} ${kind}`).sort()).toEqual([
    'CustomLayerNormalization 1 PLUGIN CREATOR_V1',
    'CustomLayerNormalization 2 PLUGIN CREATOR_V3ONE',
    'CustomPRelu 1 PLUGIN CREATOR_V1',
    'CustomPRelu 2 PLUGIN CREATOR_V3ONE',
  ])
  expect(creators.find(({ name }) => name === 'CustomPRelu')?.fields).toBe('slope')
})

describe.each(['1', '2'])('version %s', (version) => {
  test.each([
    ['weights as inputs', 'CustomLayerNormalization', 'in=2,4:@x in=4:@four in=4:@four out=@y'],
    ['weights as fields', 'CustomLayerNormalization', 'floats:scale=@four floats:bias=@four in=2,4:@x out=@y'],
    [
      'scale as a field, bias as an input',
      'CustomLayerNormalization',
      'floats:scale=@four in=2,4:@x in=4:@four out=@y',
    ],
    ['slope as an input', 'CustomPRelu', 'in=2,4:@x in=4:@four out=@y'],
    ['slope as a field', 'CustomPRelu', 'floats:slope=@four in=2,4:@x out=@y'],
  ])('%s of %s: one launch, no allocation, no synchronization', async (_, name, args) => {
    const { code, stdout, stderr } = await attempt(`run ${name} ${version} chars:name=n chars:info=i ${args}`)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ launches: 1, allocations: 0, synchronizations: 0 })
  })

  test.each([
    ['CustomLayerNormalization', 'int:epsilon=1', "field 'epsilon': expected one float32, got 1 of int32"],
    ['CustomLayerNormalization', 'floats:axis=@four', "field 'axis': expected one int32 or int64, got 4 of float32"],
    ['CustomLayerNormalization', 'float:epsilom=1', "field 'epsilom' is unknown; there are axis, epsilon"],
    ['CustomLayerNormalization', 'int:stash_type=10', "field 'stash_type': expected 1"],
    ['CustomLayerNormalization', 'int:outputs=4', "field 'outputs': expected 1, 2 (Mean) or 3"],
    ['CustomLayerNormalization', 'float:epsilon=-1', "field 'epsilon': expected a number not below 0"],
    ['CustomPRelu', 'chars:slope=abc', "field 'slope': expected a list of float32, got 3 of char"],
  ])('%s refuses %s, naming field and node', async (name, field, message) => {
    const { code, stderr } = await attempt(`refuse ${name} ${version} ${field}`)
    expect(stderr).toContain(`${name} 'probe': `)
    expect(stderr).toContain(message)
    expect(code).toBe(0)
  })

  test.each([
    ['CustomLayerNormalization', 'in=2,4:@x in=3:@three out=@y', 'input 1: expected 4 values'],
    ['CustomLayerNormalization', 'floats:scale=@three in=2,4:@x out=@y', "field 'scale': expected 4 values"],
    ['CustomLayerNormalization', 'int:axis=2 in=2,4:@x in=4:@four out=@y', "field 'axis': expected -2 to 1"],
    ['CustomLayerNormalization', 'in=2,4:@x out=@y', 'expected 2 or 3 inputs'],
    ['CustomPRelu', 'in=2,4:@x in=3:@three out=@y', 'the slope [3] cannot be broadcast to the input [2, 4]'],
    ['CustomPRelu', 'floats:slope=@three in=2,4:@x out=@y', 'the slope [3] cannot be broadcast'],
  ])('%s with %s says what is wrong and does not crash', async (name, args, message) => {
    const { code, stderr } = await attempt(`run ${name} ${version} ${args}`)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  })
})

test('no damaged plugin is a crash, and none that is cut short is taken', async () => {
  const { code, stdout } = await attempt('damage')
  expect(code).toBe(0)
  expect((JSON.parse(stdout) as { refused: number }).refused).toBeGreaterThan(100)
})

describe('the library that nvcc makes', () => {
  let library: string
  beforeAll(async () => {
    library = await build('library-trt10')
    await build('library-trt11')
  }, 1_800_000)

  test('shows three functions, and loads where neither TensorRT nor a driver is', async () => {
    const { stdout } = await run('nm', ['-D', '--defined-only', library])
    const shown = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1))
    expect(shown).toEqual(['getCreators', 'getPluginCreators', 'setLoggerFinder'])
    expect(JSON.parse((await attempt('inspect', library)).stdout)).toHaveLength(4)
  })

  // Loaded for itself alone, TensorRT cannot be seen by a library that is merely opened: then none is registered.
  test.for([
    ['load', 'global', { selfRegistered: 0, found: 4 }],
    ['load', 'local', { selfRegistered: 0, found: 4 }],
    ['open', 'global', { selfRegistered: 1, found: 4 }],
    ['open', 'local', { selfRegistered: 0, found: 0 }],
    ['open-load', 'global', { selfRegistered: 1, found: 4 }],
    ['open-load', 'local', { selfRegistered: 0, found: 4 }],
  ] as const)(
    "TensorRT's registry: %s, TensorRT loaded %sly, leaves nothing behind",
    async ([order, scope, expected], ctx) => {
      const nvinfer = await tensorrt10()
      if (nvinfer === undefined) return ctx.skip('TensorRT 10 is not installed: npx tensorrt-node sdk install trt10')
      const { code, stdout, stderr } = await attempt(`registry ${nvinfer} ${order} ${scope}`, library)
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toEqual({ ...expected, left: 0, unloaded: 1 })
    },
  )
})

/** Where TensorRT 10 is on this machine; nothing where it is not. */
async function tensorrt10(): Promise<string | undefined> {
  try {
    const { stdout } = await run(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'sdk', 'where', 'trt10', '--json'])
    return (JSON.parse(stdout) as { nvinfer: string }).nvinfer
  } catch {
    return undefined
  }
}
