import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findAllTensorRT, findTensorRT, tensorRTNotFoundError } from '#dist/sdk/find-tensorrt.js'
import { writeLibrary } from './helpers/libraries.js'

const GNU = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const VARIABLES = ['TENSORRT_ROOT', 'TRT_ROOT', 'LD_LIBRARY_PATH', 'VIRTUAL_ENV', 'CONDA_PREFIX']

let dir: string
let environment: NodeJS.ProcessEnv
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'find-tensorrt-')))
  environment = { ...process.env }
  for (const variable of VARIABLES) delete process.env[variable]
  process.env.TENSORRT_NODE_CACHE = join(dir, 'cache')
  // A virtual environment without packages keeps those of this machine's Python out.
  process.env.VIRTUAL_ENV = join(dir, 'empty')
})
afterEach(() => {
  process.env = environment
  rmSync(dir, { recursive: true })
})

/** A TensorRT 8: of the families the one that a machine is least likely to have by itself. */
function trt8(folder: string): string {
  writeLibrary(join(dir, folder, 'libnvonnxparser.so.8'))
  return writeLibrary(join(dir, folder, 'libnvinfer.so.8'))
}

function manifest(folder: string, version: string): void {
  mkdirSync(join(dir, folder), { recursive: true })
  writeFileSync(join(dir, folder, 'manifest.json'), JSON.stringify({ version, files: [] }))
}

describe('the folder that the caller names', () => {
  it.each(['.', 'lib', 'lib64', `targets/${GNU}-linux-gnu/lib`])('is looked into, and its %s', async (below) => {
    const nvinfer = trt8(join('root', below))
    const { sdk } = await findTensorRT({ families: ['trt8'], root: join(dir, 'root') })
    expect(sdk).toMatchObject({ nvinfer, onnxParser: join(dirname(nvinfer), 'libnvonnxparser.so.8') })
    expect(sdk?.source).toBe('the tensorrt option')
  })

  it('comes before the environment, which comes before the cache', async () => {
    const [named, first, second, loader, cached] = ['named', 'first', 'second', 'loader', 'cache/trt8/lib'].map(trt8)
    process.env.TENSORRT_ROOT = join(dir, 'first')
    process.env.TRT_ROOT = join(dir, 'second')
    process.env.LD_LIBRARY_PATH = `${join(dir, 'nothing')}::${join(dir, 'loader')}`
    const where = async (root?: string) => (await findTensorRT({ families: ['trt8'], root })).sdk?.nvinfer
    expect(await where(join(dir, 'named'))).toBe(named)
    expect(await where(join(dir, 'empty'))).toBe(first)
    expect(await where()).toBe(first)
    delete process.env.TENSORRT_ROOT
    expect(await where()).toBe(second)
    delete process.env.TRT_ROOT
    expect(await where()).toBe(loader)
    delete process.env.LD_LIBRARY_PATH
    expect(await where()).toBe(cached)
  })
})

describe('several families', () => {
  it('are looked for together: the first place that has one ends the search, the preferred one of a place is taken', async () => {
    const nvinfer = trt8('named')
    writeLibrary(join(dir, 'cache/trt11/lib/libnvinfer.so.11'))
    const { sdk, tried } = await findTensorRT({ families: ['trt11', 'trt8'], root: join(dir, 'named') })
    expect(sdk).toMatchObject({ family: 'trt8', nvinfer })
    expect(tried).toHaveLength(1)
    writeLibrary(join(dir, 'both/libnvinfer.so.8'))
    writeLibrary(join(dir, 'both/libnvinfer.so.11'))
    expect((await findTensorRT({ families: ['trt11', 'trt8'], root: join(dir, 'both') })).sdk?.family).toBe('trt11')
  })
})

describe('Python packages', () => {
  it('are found in the active virtual environment, with their version', async () => {
    const packages = 'env/lib/python3.12/site-packages'
    writeLibrary(join(dir, packages, 'tensorrt_libs/libnvinfer.so.8'))
    mkdirSync(join(dir, packages, 'tensorrt_cu12_libs-8.6.1.dist-info'))
    // Another package's version, and other major versions'.
    mkdirSync(join(dir, packages, 'tensorrt_lean_cu12_libs-8.5.0.dist-info'))
    mkdirSync(join(dir, packages, 'tensorrt_cu11_libs-7.2.3.dist-info'))
    mkdirSync(join(dir, packages, 'tensorrt_cu13_libs-10.0.1.dist-info'))
    process.env.VIRTUAL_ENV = join(dir, 'env')
    expect((await findTensorRT({ families: ['trt8'] })).sdk).toMatchObject({
      version: '8.6.1',
      source: 'Python packages (VIRTUAL_ENV)',
    })
    delete process.env.VIRTUAL_ENV
    process.env.CONDA_PREFIX = join(dir, 'env')
    expect((await findTensorRT({ families: ['trt8'] })).sdk?.source).toBe('Python packages (CONDA_PREFIX)')
  })

  it('are found through the Python on the PATH', async (context) => {
    let python: string
    let version: string
    try {
      const query = 'import sys; print(sys._base_executable, "python%d.%d" % sys.version_info[:2])'
      ;[python, version] = execFileSync('python3', ['-c', query], { encoding: 'utf8' }).trim().split(' ') as [
        string,
        string,
      ]
    } catch {
      return context.skip('no python3 here')
    }
    // A virtual environment that is on the PATH without having been activated.
    mkdirSync(join(dir, 'env/bin'), { recursive: true })
    symlinkSync(python, join(dir, 'env/bin/python3'))
    writeFileSync(join(dir, 'env/pyvenv.cfg'), `home = ${dirname(python)}\n`)
    const nvinfer = trt8(`env/lib/${version}/site-packages/tensorrt_libs`)
    delete process.env.VIRTUAL_ENV
    process.env.PATH = join(dir, 'env/bin')
    expect((await findTensorRT({ families: ['trt8'] })).sdk).toMatchObject({
      nvinfer,
      source: 'Python packages (python3)',
    })
  })

  it('are asked for without holding the event loop', async () => {
    const [bin, fifo, packages] = [join(dir, 'bin'), join(dir, 'fifo'), join(dir, 'packages')]
    mkdirSync(bin)
    execFileSync('mkfifo', [fifo])
    // A Python that answers when this thread tells it to.
    const script = `#!/bin/sh\nread go < '${fifo}'\necho '["${packages}"]'\n`
    writeFileSync(join(bin, 'python3'), script, { mode: 0o755 })
    const nvinfer = trt8('packages/tensorrt_libs')
    delete process.env.VIRTUAL_ENV
    process.env.PATH = bin
    const [{ sdk }] = await Promise.all([findTensorRT({ families: ['trt8'] }), writeFile(fifo, 'go\n')])
    expect(sdk?.nvinfer).toBe(nvinfer)
  })

  it('are done without where there is no Python', async () => {
    delete process.env.VIRTUAL_ENV
    process.env.PATH = join(dir, 'empty')
    const nvinfer = trt8('cache/trt8/lib')
    expect((await findTensorRT({ families: ['trt8'] })).sdk?.nvinfer).toBe(nvinfer)
  })
})

describe('the version', () => {
  it('is that of the file a link leads to', async () => {
    trt8('root/lib')
    writeLibrary(join(dir, 'root/lib/libnvinfer.so.8.6.1'))
    rmSync(join(dir, 'root/lib/libnvinfer.so.8'))
    symlinkSync('libnvinfer.so.8.6.1', join(dir, 'root/lib/libnvinfer.so.8'))
    expect((await findTensorRT({ families: ['trt8'], root: join(dir, 'root') })).sdk?.version).toBe('8.6.1')
  })

  it('is that of the manifest that `sdk install` wrote', async () => {
    trt8('cache/trt8/lib')
    manifest('cache/trt8', '8.6.1.6')
    expect((await findTensorRT({ families: ['trt8'] })).sdk).toMatchObject({
      version: '8.6.1.6',
      source: 'sdk install',
    })
  })

  it('is unknown where nothing says it', async () => {
    trt8('root')
    const { sdk } = await findTensorRT({ families: ['trt8'], root: join(dir, 'root') })
    expect(sdk).toBeDefined()
    expect(sdk).not.toHaveProperty('version')
  })
})

it('passes by a library that this process cannot load, and says why', async () => {
  process.env.TENSORRT_ROOT = join(dir, 'foreign')
  writeLibrary(join(dir, 'foreign/libnvinfer.so.8'), { machine: 40 })
  const nvinfer = trt8('cache/trt8/lib')
  const { sdk, tried } = await findTensorRT({ families: ['trt8'] })
  expect(sdk?.nvinfer).toBe(nvinfer)
  expect(tried.find(({ source }) => source === 'TENSORRT_ROOT')).toMatchObject({
    outcome: 'unusable',
    detail: expect.stringContaining('built for ARM (32 bit)'),
  })
})

it('does not take the parser of another TensorRT beside the right library', async () => {
  trt8('cache/older/lib')
  rmSync(join(dir, 'cache/older/lib/libnvinfer.so.8'))
  const nvinfer = trt8('cache/trt8/lib')
  expect((await findTensorRT({ families: ['trt8'] })).sdk?.onnxParser).toBe(
    join(dirname(nvinfer), 'libnvonnxparser.so.8'),
  )
})

it('finds a runtime without a parser, and says that it cannot build', async () => {
  const nvinfer = writeLibrary(join(dir, 'root/libnvinfer.so.8'))
  const { sdk, tried } = await findTensorRT({ families: ['trt8'], root: join(dir, 'root') })
  expect(sdk).toEqual({ family: 'trt8', nvinfer, source: 'the tensorrt option' })
  expect(tried.at(-1)?.detail).toContain('no libnvonnxparser.so.8: cannot build')
})

it('sees an install and a removal that come between two calls', async () => {
  const root = join(dir, 'root')
  expect((await findTensorRT({ families: ['trt8'], root })).sdk?.source).not.toBe('the tensorrt option')
  trt8('root')
  expect((await findTensorRT({ families: ['trt8'], root })).sdk?.source).toBe('the tensorrt option')
  rmSync(root, { recursive: true })
  expect((await findTensorRT({ families: ['trt8'], root })).sdk?.source).not.toBe('the tensorrt option')
})

it('lists every library once, whichever ways lead to it', async () => {
  const nvinfer = trt8('cache/trt8/lib')
  writeLibrary(join(dir, 'cache/rtx/lib/libtensorrt_rtx.so.1'))
  process.env.TENSORRT_ROOT = join(dir, 'cache/trt8')
  process.env.LD_LIBRARY_PATH = dirname(nvinfer)
  const { sdks, tried } = await findAllTensorRT()
  expect(sdks.filter((sdk) => sdk.nvinfer === nvinfer)).toMatchObject([{ family: 'trt8', source: 'TENSORRT_ROOT' }])
  expect(sdks[0]?.family).toBe('rtx')
  expect(tried.find(({ source }) => source === 'TRT_ROOT')).toMatchObject({ outcome: 'missing', detail: 'not set' })
})

it('says in its error where it looked and how to get it', async () => {
  const error = tensorRTNotFoundError(
    ['rtx'],
    (await findTensorRT({ families: ['trt8'], root: join(dir, 'root') })).tried,
  )
  expect(error.code).toBe('TENSORRT_NOT_FOUND')
  for (const place of [
    join(dir, 'root'),
    'LD_LIBRARY_PATH',
    'ldconfig',
    '/usr/local/tensorrt',
    '/opt/tensorrt',
    join(dir, 'cache'),
  ]) {
    expect(error.message).toContain(place)
  }
  expect(error.hint).toContain('npx tensorrt-node sdk install rtx')
})
