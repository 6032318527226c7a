// Plugin libraries on their way into TensorRT's registry: real libraries, and the registry of the doubles, which opens
// them as TensorRT does.

import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.ts'
import { build } from '../plugins/probes.ts'
import { resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

const run = promisify(execFile)
const MODEL = makeModel({
  inputs: { x: ['float32', [2, 3, 4, 4]], slope: ['float32', [3, 1, 1]] },
  outputs: { y: ['float32', [2, 3, 4, 4]] },
  nodes: [node('CustomPRelu', ['x', 'slope'], ['y'])],
})
const encoded = Buffer.from(MODEL).toString('base64')

let folder: string
let library: string

beforeEach(skipWithoutDoubles)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugins-'))
  library = await build('library-trt10')
  await build('library-trt11')
}, 1_800_000)
afterAll(() => rm(folder, { recursive: true }))

test.each(['trt10', 'trt11'] as const)('%s: builds with plugins only, and takes them out again', async (family) => {
  const sets = [{ plugins: ['builtin'] }, {}, { plugins: [] }, { plugins: ['builtin'], isolation: 'process' }]
  const { built, misuses } = await resultOf('plugins', { family, args: [encoded, sets, []] })
  const [withPlugins, without, withNone, inProcess] = built
  expect(withPlugins.error).toBeNull()
  expect(withPlugins.plugins).toEqual([expect.stringContaining(`library-${family}/libtensorrt_node_plugins.so`)])
  expect(without.error).toMatchObject({ code: 'UNSUPPORTED_OP', message: expect.stringContaining('CustomPRelu') })
  expect(withNone.error.code).toBe('UNSUPPORTED_OP')
  expect(inProcess).toMatchObject({ error: null, plugins: withPlugins.plugins })
  for (const { alive } of built) expect(alive).toEqual({})
  expect(misuses).toEqual([])
})

test('engines with the same plugins live side by side, and leave nothing behind', async () => {
  const loads = [{ plugins: ['builtin'] }, { plugins: ['builtin'] }, {}, { plugins: [library] }]
  const outcome = await resultOf('plugins', { args: [encoded, [], loads] })
  expect(outcome.loaded.map(({ error }: { error: unknown }) => error)).toEqual([null, null, null, null])
  expect(outcome.loaded.map(({ libraries }: { libraries: number }) => libraries)).toEqual([1, 2, 2, 3])
  expect(outcome.results).toHaveLength(4)
  expect(outcome.alive).toEqual({})
  expect(outcome.misuses).toEqual([])
})

test('a library that cannot be used is refused with what is wrong, before TensorRT opens it', async () => {
  const cut = join(folder, 'cut.so')
  await copyFile(library, cut)
  await truncate(cut, 100_000)
  const text = join(folder, 'text.so')
  await writeFile(text, 'not a library at all, not at all'.repeat(9))
  const doubled = await resultOf('plugins', {
    args: [encoded, [], [{ plugins: ['builtin', 'builtin'] }, { plugins: [join(folder, 'none.so')] }]],
  })
  expect(doubled.loaded[0].error).toMatchObject({
    code: 'INVALID_PLUGIN',
    message: expect.stringMatching(/did not take .*a creator of the same name and version may be there already/),
  })
  expect(doubled.loaded[1].error).toMatchObject({ code: 'FILE_NOT_FOUND', message: expect.stringContaining('none.so') })
  expect(doubled.alive).toEqual({})
  const libcuda = join(process.cwd(), 'build/doubles/cuda/libcuda.so.1')
  const source = join(folder, 'eleven.c')
  const needsEleven = join(folder, 'eleven.so')
  await writeFile(source, 'void *getCreators(int *count) { return (void *)(*count = 0); }')
  const nvinfer = join(process.cwd(), 'build/doubles/trt11/libnvinfer.so.11')
  await run('gcc', ['-w', '-shared', '-fPIC', source, '-Wl,--no-as-needed', nvinfer, '-o', needsEleven])
  const sets = [cut, text, libcuda, needsEleven].map((path) => ({ plugins: [path] }))
  const { built } = await resultOf('plugins', { args: [encoded, sets, []] })
  expect(built.map(({ error }: { error: { code: string } }) => error.code)).toEqual(Array(4).fill('INVALID_PLUGIN'))
  const messages = built.map(({ error }: { error: { message: string } }) => error.message)
  expect(messages[0]).toContain('truncated')
  expect(messages[1]).toContain('not an ELF library')
  expect(messages[2]).toContain('exports neither getCreators nor getPluginCreators')
  expect(messages[3]).toContain('was made for TensorRT 11.x, and the TensorRT here is TensorRT 10.x')
})

test('TensorRT-RTX and the CPU backend refuse plugins and say why', async () => {
  const { built } = await resultOf('plugins', {
    family: 'rtx',
    args: [encoded, [{ plugins: ['builtin'] }, { plugins: ['builtin'], backend: 'onnxruntime' }], []],
  })
  expect(built[0].error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('no plugin layers') })
  expect(built[1].error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('plugins') })
})
