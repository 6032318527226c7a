// What a user gets: the packed package, installed by npm into an empty folder.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.js'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const INSTALL = 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node'
const LONG = 600_000

const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-'))
let tarball: string

/** As in a shell of the user: without what the npm that runs these tests says to its children, but for its registry. */
function userEnvironment(): NodeJS.ProcessEnv {
  const kept = ['npm_config_registry', 'npm_config_cache', 'npm_config_userconfig', 'npm_config_globalconfig']
  const entries = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.includes(name))
  return { ...Object.fromEntries(entries), ONNXRUNTIME_NODE_INSTALL: 'skip' }
}

async function npm(cwd: string, ...args: string[]): Promise<string> {
  return (await run('npm', args, { cwd, env: userEnvironment(), maxBuffer: 1e8 })).stdout
}

/** An empty project that installed the tarball. */
async function project(name: string, ...options: string[]): Promise<string> {
  const home = join(folder, name)
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  await npm(home, 'install', '--prefer-offline', '--no-audit', '--no-fund', ...options, tarball)
  return home
}

/** Runs a module in a project, and gives what it printed as JSON. */
async function evaluate(home: string, script: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: home })
  return JSON.parse(stdout)
}

beforeAll(async () => {
  // --ignore-scripts: dist/ is what the tests run against, and is not to change under them.
  const packed = JSON.parse(await npm(ROOT, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder))
  tarball = join(folder, packed[0].filename)
  const model = makeModel({
    inputs: { x: ['float32', ['N', 2]] },
    outputs: { y: ['float32', ['N', 2]] },
    nodes: [node('Add', ['x', 'x'], ['y'])],
  })
  writeFileSync(join(folder, 'model.onnx'), model)
}, LONG)
afterAll(() => rmSync(folder, { recursive: true }))

const INFER = `
  import * as trt from 'tensorrt-node'
  const built = await trt.buildEngine({ onnx: '../model.onnx', backend: 'onnxruntime', shapes: { x: [2, 2] } })
  await built.save('model.engine')
  const engine = await trt.loadEngine('model.engine')
  const { y } = await engine.infer({ x: new trt.Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]) })
  await engine.close()
  console.log(JSON.stringify({ backend: engine.backend, dims: y.dims, data: [...y.data] }))`

const FAIL = `
  import * as trt from 'tensorrt-node'
  const failed = trt.buildEngine({ onnx: '../model.onnx', backend: 'onnxruntime', shapes: { x: [2, 2] } })
  console.log(JSON.stringify(await failed.catch(({ name, code, hint }) => ({ name, code, hint }))))`

describe('installed', () => {
  let home: string
  beforeAll(async () => {
    home = await project('installed')
  }, LONG)

  it('builds, saves, loads and infers on the CPU backend', async () => {
    expect(await evaluate(home, INFER)).toEqual({ backend: 'onnxruntime', dims: [2, 2], data: [2, 4, 6, 8] })
  })

  it('has a command that runs', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(await npm(home, 'exec', '--', 'tensorrt-node', '--version')).toContain(version)
  })

  it('can be required', async () => {
    const script = `const trt = require('tensorrt-node'); console.log(typeof trt.buildEngine, typeof trt.onnx)`
    const { stdout } = await run(process.execPath, ['-e', script], { cwd: home })
    expect(stdout).toBe('function object\n')
  })

  it('holds no tests, no models and no secrets of the project', () => {
    const files = readdirSync(join(home, 'node_modules/tensorrt-node'), { recursive: true }).map(String)
    expect(files.filter((file) => /(^|\/)(test|bench|\.ci|\.npmrc)(\/|$)|\.onnx$|\.tgz$|\.env$/.test(file))).toEqual([])
    expect(files).toContain('dist/index.d.ts')
  })
})

describe('installed with --omit=optional', () => {
  let home: string
  beforeAll(async () => {
    home = await project('omitted', '--omit=optional')
  }, LONG)

  it('loads, and names what is missing with the install line that works', async () => {
    expect(await evaluate(home, FAIL)).toEqual({ name: 'TrtError', code: 'ONNXRUNTIME_NOT_FOUND', hint: INSTALL })
  })

  it('works once that line was followed', { timeout: LONG }, async () => {
    await npm(home, 'install', '--prefer-offline', '--no-audit', '--no-fund', 'onnxruntime-node')
    expect(await evaluate(home, INFER)).toMatchObject({ data: [2, 4, 6, 8] })
  })
})
