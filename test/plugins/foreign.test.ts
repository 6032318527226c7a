// The bench with somebody else's library on a GPU. The GPU is the libcuda double of native/test/doubles: device memory
// that host code cannot touch, and a stream that runs late.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as trt from 'tensorrt-node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tensorrtHeaders } from '../../plugins/toolchain.mjs'
import { childrenOf, untilBusy, untilEnded } from '../helpers/processes.js'
import { obstacle, ROOT, skipWithoutDoubles } from '../native/helpers/run-fixture.js'

const run = promisify(execFile)
const SOURCE = fileURLToPath(new URL('fixtures/foreign_plugin.cc', import.meta.url))
const x = new trt.Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2])

let folder: string
let library: string

beforeEach(skipWithoutDoubles)
beforeAll(async () => {
  if (obstacle() !== undefined) return
  folder = await mkdtemp(join(tmpdir(), 'foreign-'))
  library = join(folder, 'foreign.so')
  const headers = tensorrtHeaders('trt10-10.16')
  const includes = ['-isystem', headers, '-isystem', join(headers, '../cuda')]
  await run('g++', ['-std=c++17', '-shared', '-fPIC', '-Wall', '-Wextra', ...includes, SOURCE, '-ldl', '-o', library])
})
afterAll(() => rm(folder ?? '', { recursive: true, force: true }))

const before = { ...process.env }
function withGpu(fault?: string): void {
  process.env.LD_LIBRARY_PATH = join(ROOT, 'build/doubles/cuda')
  if (fault !== undefined) process.env.FOREIGN_FAULT = fault
}
afterEach(() => {
  process.env.LD_LIBRARY_PATH = before.LD_LIBRARY_PATH ?? ''
  delete process.env.FOREIGN_FAULT
})

const twice = (more: Partial<trt.PluginRunOptions> = {}) =>
  trt.plugins.run({ library, name: 'Twice', version: '7', namespace: 'foreign', inputs: [x], ...more })

async function failure(work: () => Promise<unknown>): Promise<trt.TrtError> {
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(trt.TrtError)
  return error as trt.TrtError
}

test('runs in device memory, on a stream, and gives the outputs back', async () => {
  withGpu()
  const result = await twice()
  expect(result.outputs.map(({ type, dims, data }) => ({ type, dims, data: [...data] }))).toEqual([
    { type: 'float32', dims: [6, 2], data: [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6] },
  ])
  expect(result).toMatchObject({ interface: 'IPluginV2DynamicExt', workspaceBytes: 64, serializedBytes: 4 })
  expect(result.device).not.toBe('emulated')
  expect(result.calls).toBeUndefined()
  expect(result.timing).toBeUndefined()
})

test('times enqueue by events', async () => {
  withGpu()
  const { timing } = await twice({ iterations: 20 })
  expect(timing).toMatchObject({ iterations: 20 })
  const { p50 = 0, p90 = 0, p99 = 0, gigabytesPerSecond = 0 } = timing ?? {}
  expect(p50).toBeGreaterThan(0)
  expect(p90).toBeGreaterThanOrEqual(p50)
  expect(p99).toBeGreaterThanOrEqual(p90)
  // 24 bytes in, 48 out.
  expect(gigabytesPerSecond).toBeCloseTo(72 / p50 / 1000, 12)
})

test.each([
  ['overrun', 'wrote past the end of output 0: byte 5 behind its 48 bytes'],
  ['workspace', 'wrote past the end of its workspace: byte 0 behind its 64 bytes'],
  ['enqueue', 'enqueue failed with 3'],
  ['initialize', 'initialize failed'],
  ['clone', 'clone gave no plugin'],
  ['deserialize', 'deserializePlugin gave no plugin for the 4 bytes'],
  ['shape', 'dimension 0 of output 0 has no expression'],
])('the fault "%s" is found: %s', async (fault, message) => {
  withGpu(fault)
  const error = await failure(twice)
  expect(error.code).toBe('PLUGIN_FAILED')
  expect(error.message).toContain(message)
})

test('what a plugin leaves unwritten is NaN', async () => {
  withGpu('half')
  const { outputs } = await twice()
  expect([...(outputs[0]?.data ?? [])]).toEqual([1, 2, 3, 4, 5, 6, ...Array(6).fill(Number.NaN)])
})

test('formats and types that it does not take are refused by name', async () => {
  withGpu()
  const half = await failure(() => twice({ type: 'float16' }))
  expect(half).toMatchObject({
    code: 'PLUGIN_FAILED',
    message: expect.stringContaining('input 0 as float16 in linear'),
  })
  const image = new trt.Tensor('float32', new Float32Array(24), [1, 2, 3, 4])
  const hwc = await failure(() => twice({ inputs: [image], format: 'hwc' }))
  expect(hwc.message).toContain('no combination of formats with hwc as the first: it refused input 0 as float32 in hwc')
})

describe('a crash ends the process of the library alone', () => {
  test('in enqueue', async () => {
    withGpu('crash')
    expect(await failure(twice)).toMatchObject({ code: 'PROCESS_CRASHED', message: expect.stringContaining('SIGABRT') })
  })

  test('while it is opened', async () => {
    withGpu('open')
    const error = await failure(() => trt.plugins.inspect(library))
    expect(error).toMatchObject({ code: 'INVALID_PLUGIN', message: expect.stringContaining('ends the process') })
  })

  test('in a creator that needs fields: it is inspected all the same', async () => {
    withGpu('create')
    const { creators } = await trt.plugins.inspect(library)
    expect(creators).toEqual([
      {
        name: 'Twice',
        version: '7',
        namespace: 'foreign',
        interface: 'IPluginV2',
        fields: [{ name: 'depth', type: 'int64', length: 1 }],
      },
    ])
    const { outputs } = await twice({ fields: { depth: 3 } })
    expect(outputs[0]?.dims).toEqual([6, 2])
  })

  test('in one case of a spec: the others go on', async () => {
    withGpu('crash')
    const result = await trt.plugins.test(
      {
        plugin: 'Twice',
        versions: ['7'],
        namespace: 'foreign',
        reference: { operator: 'Identity', opset: 17, type: 'float32' },
        tolerances: { float32: { atol: 0 } },
        cases: ['first', 'second'].map((name) => ({ name, inputs: [[2]] })),
      },
      { library },
    )
    expect(result.ok).toBe(false)
    expect(result.results.map(({ error }) => error?.code)).toEqual(['PROCESS_CRASHED', 'PROCESS_CRASHED'])
  })
})

test('a hang ends with the signal', async () => {
  withGpu('hang')
  const children = new Set(childrenOf())
  const controller = new AbortController()
  const running = failure(() => twice({ signal: controller.signal }))
  let pid: number | undefined
  while (pid === undefined) {
    pid = childrenOf().find((child) => !children.has(child))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await untilBusy(pid)
  controller.abort()
  expect((await running).code).toBe('ABORTED')
  await untilEnded(pid)
})

test('without a GPU it is refused, with what can be done', async () => {
  const error = await failure(twice)
  expect(error.code).toBe('GPU_NOT_FOUND')
  expect(error.hint).toContain('emulated')
})

test('a dependency that is missing is named', async () => {
  const source = join(folder, 'needs.c')
  const missing = join(folder, 'libnowhere_to_be_found.so')
  const needs = join(folder, 'needs.so')
  await writeFile(source, 'void *getCreators(int *count) { return (void *)(*count = 0); }')
  await run('gcc', ['-w', '-shared', '-fPIC', source, '-Wl,-soname,libnowhere_to_be_found.so', '-o', missing])
  await run('gcc', ['-w', '-shared', '-fPIC', source, '-Wl,--no-as-needed', missing, '-o', needs])
  await unlink(missing)
  const error = await failure(() => trt.plugins.inspect(needs))
  expect(error.code).toBe('INVALID_PLUGIN')
  expect(error.message).toContain('libnowhere_to_be_found.so: cannot open shared object file')
})

test.each([
  [{ name: 'Thrice' }, 'INVALID_ARGUMENT', 'has no plugin Thrice, version 7'],
  [{ format: 'hwc9' as never }, 'INVALID_ARGUMENT', 'for format'],
  [{ inputs: [] }, 'INVALID_ARGUMENT', 'a non-empty array of tensors for inputs'],
  [{ inputs: [{ type: 'float32', dims: [2], data: new Float32Array(3) }] }, 'INVALID_ARGUMENT', '2 elements'],
  [{ fields: { depth: 1.5 } }, 'INVALID_ARGUMENT', 'field "depth": expected an integer'],
  [{ librari: 'x' } as never, 'INVALID_ARGUMENT', 'unknown option "librari"'],
  [{ library: '/nowhere/plugin.so' }, 'FILE_NOT_FOUND', '/nowhere/plugin.so'],
])('wrong options: %o', async (options, code, message) => {
  withGpu()
  const error = await failure(() => twice(options as Partial<trt.PluginRunOptions>))
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringContaining(message) })
})
