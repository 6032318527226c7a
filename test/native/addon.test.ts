/** What each addon refuses before it asks TensorRT or CUDA for anything. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Addon, loadAddon } from '#dist/backends/tensorrt/addon.js'
import { skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-addon-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const startBuild = (addon: Addon, nvinfer: string) =>
  addon.build(
    { nvinfer, onnxParser: nvinfer, model: { bytes: new Uint8Array(1) }, profiles: [], settings: {} },
    () => {},
  )

/** A library that says its version, and has nothing else. */
function libraryOfVersion(version: readonly [number, number, number]): string {
  const path = join(folder, `lib-${version.join('.')}.so`)
  const parts = ['Major', 'Minor', 'Patch'].map(
    (part, i) => `int getInferLib${part}Version() { return ${version[i]}; }`,
  )
  const creators = ['Builder', 'Runtime'].map((what) => `void* createInfer${what}_INTERNAL() { return 0; }`)
  writeFileSync(`${path}.c`, [...parts, ...creators].join('\n'))
  execFileSync('cc', ['-shared', '-fPIC', '-o', path, `${path}.c`])
  return path
}

describe('a library whose interfaces are laid out otherwise', () => {
  it.each([
    ['rtx', [1, 4, 0], '1.4.0, expected 1.5 or a later 1.x'],
    ['rtx', [2, 0, 0], '2.0.0, expected 1.5 or a later 1.x'],
    ['trt10', [11, 4, 0], '11.4.0, expected 10.0 or a later 10.x'],
    ['trt11', [10, 16, 0], '10.16.0, expected 11.0 or a later 11.x'],
  ] as const)('%s refuses %j', async (family, version, message) => {
    const { done } = startBuild(loadAddon(family), libraryOfVersion(version))
    await expect(done).rejects.toMatchObject({ code: 'LOAD_FAILED', message: expect.stringContaining(message) })
  })
})

it('refuses the handle of the addon of another family', async () => {
  const { handle, done } = startBuild(loadAddon('rtx'), join(folder, 'no-such-library.so'))
  await expect(done).rejects.toMatchObject({ code: 'TENSORRT_NOT_FOUND' })
  expect(() => loadAddon('trt10').cancelBuild(handle)).toThrow('expected a handle that this addon gave')
  loadAddon('rtx').cancelBuild(handle)
})
