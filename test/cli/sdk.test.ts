import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeLibrary } from '../sdk/helpers/libraries.js'
import { silentIndex } from '../sdk/helpers/tiny-packages.js'

const MAIN = fileURLToPath(import.meta.resolve('#dist/cli/main.js'))

let dir: string
let cache: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cli-sdk-'))
  cache = join(dir, 'cache')
})
afterEach(() => rmSync(dir, { recursive: true }))

/** Starts the command line in an environment without TensorRT, as far as a test can make one. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { TENSORRT_ROOT, TRT_ROOT, LD_LIBRARY_PATH, CONDA_PREFIX, ...rest } = process.env
  const none = { VIRTUAL_ENV: join(dir, 'nothing'), TENSORRT_NODE_CACHE: cache }
  const child = spawn(process.execPath, [MAIN, 'sdk', ...args], { env: { ...rest, ...none, ...env } })
  const result = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { child, result: result.then(([[code], stdout, stderr]) => ({ code: code as number, stdout, stderr })) }
}

const sdk = (args: readonly string[], env?: NodeJS.ProcessEnv) => start(args, env).result

describe('sdk list', () => {
  it('names every package with its licence, in 80 columns', async () => {
    const { code, stdout } = await sdk(['list'])
    expect(code).toBe(0)
    for (const name of ['rtx', 'headers', 'trt10', 'trt8', 'trt', 'lean'])
      expect(stdout).toMatch(new RegExp(`– +${name} `))
    expect(stdout).toMatch(/NVIDIA TensorRT Software License Agreement/)
    expect(stdout).toMatch(/Apache-2\.0:\n +headers\n/)
    for (const line of stdout.split('\n')) if (!line.includes(cache)) expect(line.length).toBeLessThanOrEqual(80)
    expect(existsSync(cache)).toBe(false)
  })

  it('gives the same as JSON', async () => {
    const { stdout } = await sdk(['list', '--json'])
    const { cacheDir, packages } = JSON.parse(stdout)
    expect(cacheDir).toBe(cache)
    expect(packages).toContainEqual(
      expect.objectContaining({
        name: 'headers',
        installed: false,
        licence: 'Apache-2.0',
        downloadBytes: expect.any(Number),
      }),
    )
  })
})

describe('sdk where', () => {
  it('prints the path of the library, and nothing else', async () => {
    const library = writeLibrary(join(dir, 'root/lib/libnvinfer.so.8'))
    const { code, stdout, stderr } = await sdk(['where', 'trt8'], { TRT_ROOT: join(dir, 'root') })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${library}\n`, stderr: '' })
  })

  it('fails where there is none, with the places and the fix', async () => {
    const { code, stdout, stderr } = await sdk(['where', 'trt8', '--json'], { TENSORRT_ROOT: join(dir, 'root') })
    expect(code).toBe(1)
    expect(stderr).toContain(join(dir, 'root'))
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'TENSORRT_NOT_FOUND',
      hint: expect.stringContaining('npx tensorrt-node sdk install trt8'),
    })
  })

  it('refuses a family that does not exist, as wrong use', async () => {
    const { code, stderr } = await sdk(['where', 'trt9'])
    expect(code).toBe(2)
    expect(stderr).toContain('rtx, trt11, trt10, trt8')
  })
})

describe('sdk install', () => {
  it('names version, size and licence before it fetches, and why it failed', async () => {
    const { code, stdout, stderr } = await sdk(['install', 'rtx'], { PATH: join(dir, 'nothing') })
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/rtx 1\.7\.1\.116.*90\.7 MiB.*licence: NVIDIA.*error\[SDK_INSTALL_FAILED\]/s)
    expect(stderr).toContain('hint: sudo apt install python3-pip')
  })

  it('says so where the package is there, and removes it on demand', async () => {
    mkdirSync(join(cache, 'rtx'), { recursive: true })
    writeFileSync(join(cache, 'rtx/manifest.json'), JSON.stringify({ name: 'rtx', version: '1.7.1.116', files: [] }))
    const { code, stdout } = await sdk(['install', 'rtx', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ name: 'rtx', alreadyInstalled: true, dir: join(cache, 'rtx') })
    expect((await sdk(['remove', 'rtx'])).stdout).toContain('removed rtx')
    expect(existsSync(join(cache, 'rtx'))).toBe(false)
    expect(JSON.parse((await sdk(['remove', 'rtx', '--json'])).stdout)).toEqual({ name: 'rtx', removed: false })
  })

  it('refuses a name that it does not know', async () => {
    const { code, stderr } = await sdk(['install', 'tensorflow'])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/expected one of rtx, headers.*'tensorflow'/)
  })

  it('stops at Ctrl-C, with the package client, and leaves nothing', async () => {
    const index = await silentIndex()
    try {
      const { child, result } = start(['install', 'rtx'], index.env)
      await Promise.race([index.asked, result])
      child.kill('SIGINT')
      expect(await result).toMatchObject({ code: 130, stderr: expect.stringContaining('error[ABORTED]') })
      await index.left
      expect(readdirSync(cache)).toEqual([])
    } finally {
      await index.close()
    }
  })
})
