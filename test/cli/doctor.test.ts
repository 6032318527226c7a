import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DoctorReport } from '#dist/cli/doctor-report.js'
import { writeLibrary } from '../sdk/helpers/libraries.js'

const MAIN = fileURLToPath(import.meta.resolve('#dist/cli/main.js'))
const ROOT = dirname(dirname(dirname(MAIN)))

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'cli-doctor-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

/** Without tools to ask for their versions, which takes seconds. */
const quick = () => ({ PATH: join(dir, 'nothing') })

async function doctor(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}, main = MAIN) {
  const child = spawn(process.execPath, [main, 'doctor', ...args], { env: { ...process.env, ...env } })
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number, stdout, stderr }
}

async function report(env?: NodeJS.ProcessEnv, main?: string): Promise<DoctorReport & { code: number }> {
  const { code, stdout } = await doctor(['--json'], env, main)
  return { ...(JSON.parse(stdout) as DoctorReport), code }
}

it('says of every backend what stands in its way, and how to remove it', async () => {
  const { abilities, ok, code, gpu } = await report()
  expect(abilities.map(({ name }) => name)).toEqual(['rtx', 'trt11', 'trt10', 'onnxruntime'])
  for (const finding of abilities.flatMap(({ build, run }) => [build, run])) {
    expect(finding.detail).not.toBe('')
    expect(finding.fixes.length > 0).toBe(!finding.ok)
  }
  expect(ok).toBe(abilities.some(({ build, run }) => build.ok && run.ok))
  expect(code).toBe(ok ? 0 : 1)
  for (const { name, run } of abilities)
    if (gpu.devices.length === 0 && name !== 'onnxruntime') expect(run.ok).toBe(false)
})

it('lists what it found, and where else it looked', async () => {
  const library = writeLibrary(join(dir, 'root/lib/libnvinfer.so.8'))
  const foreign = writeLibrary(join(dir, 'foreign/libtensorrt_rtx.so.1'), { machine: 40 })
  const env = {
    TENSORRT_ROOT: join(dir, 'root'),
    TRT_ROOT: join(dir, 'foreign'),
    TENSORRT_NODE_CACHE: join(dir, 'cache'),
    ...quick(),
  }
  const { sdks, tried, cache } = await report(env)
  expect(sdks).toContainEqual({ family: 'trt8', nvinfer: library, source: 'TENSORRT_ROOT' })
  expect(tried).toContainEqual(expect.objectContaining({ source: 'TRT_ROOT', outcome: 'unusable' }))
  expect(cache.dir).toBe(join(dir, 'cache'))
  const { stdout } = await doctor([], env)
  expect(stdout).toContain('no ONNX parser beside it')
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`${foreign} is built for ARM (32 bit)`)
})

it('names missing tools, and what they are for', async () => {
  const { tools } = await report(quick())
  expect(tools.map(({ name }) => name)).toEqual(['pip', 'cargo', 'mvn', 'cmake', process.env.CXX ?? 'c++'])
  for (const tool of tools) {
    expect(tool).toMatchObject({
      ok: false,
      neededFor: expect.any(String),
      fixes: [expect.stringContaining('install')],
    })
  }
})

it('fits 80 columns but for paths, and is coloured only where colours are wanted', async () => {
  const { stdout } = await doctor([], quick())
  const words = stdout.split('\n').filter((line) => line.length > 80)
  for (const line of words) expect(line.trim()).toMatch(/^\S+$/)
  expect(stdout).toBe(stripVTControlCharacters(stdout))
  const coloured = await doctor([], { FORCE_COLOR: '1', NO_COLOR: '', ...quick() })
  expect(coloured.stdout).not.toBe(stripVTControlCharacters(coloured.stdout))
  expect((await doctor([], { FORCE_COLOR: '1', NO_COLOR: '1', ...quick() })).stdout).toBe(stdout)
})

describe('an installed package without addons and without onnxruntime-node', () => {
  it('can do nothing, says what to do, and exits with 1', async () => {
    const home = join(dir, 'node_modules/tensorrt-node')
    mkdirSync(home, { recursive: true })
    for (const name of ['dist', 'package.json']) cpSync(join(ROOT, name), join(home, name), { recursive: true })
    for (const name of ['commander', 'bindings', 'file-uri-to-path', 'fflate']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(dir, 'node_modules', name))
    }
    const main = join(home, 'dist/cli/main.js')
    const env = { TENSORRT_NODE_CACHE: join(dir, 'cache'), NODE_PATH: '', ...quick() }
    const result = await report(env, main)
    expect(result).toMatchObject({ ok: false, code: 1 })
    expect(result.onnxruntime).toMatchObject({
      ok: false,
      fixes: [expect.stringMatching(/npm install onnxruntime-node/)],
    })
    for (const addon of result.addons) {
      expect(addon).toMatchObject({ ok: false, detail: expect.stringContaining('is not built') })
      expect(addon.fixes[0]).toContain('npx tensorrt-node sdk install headers')
    }
    const { code, stdout } = await doctor([], env, main)
    expect(code).toBe(1)
    expect(stdout).toContain('unknown: only an addon can ask for it')
  })
})
