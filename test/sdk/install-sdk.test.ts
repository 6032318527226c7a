import { execFile, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installPackage, installSdk, listSdkPackages, removeSdk, type SdkProgress } from '#dist/sdk/install-sdk.js'
import type { SdkPackage, SdkPackageName } from '#dist/sdk/packages.js'
import { failure } from '../helpers/errors.js'
import { standInLibrary } from './helpers/libraries.js'
import { pipPackage, type SilentIndex, silentIndex, tinyCrate, tinyWheel } from './helpers/tiny-packages.js'

const INSTALLER = fileURLToPath(new URL('./fixtures/install.mjs', import.meta.url))

let dir: string
let cache: string
let environment: NodeJS.ProcessEnv
const indexes: SilentIndex[] = []
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'install-sdk-')))
  cache = join(dir, 'cache')
  environment = { ...process.env }
  process.env.TENSORRT_NODE_CACHE = cache
})
afterEach(async () => {
  await Promise.all(indexes.splice(0).map((index) => index.close()))
  process.env = environment
  rmSync(dir, { recursive: true })
})

async function startIndex(): Promise<SilentIndex> {
  const index = await silentIndex()
  indexes.push(index)
  Object.assign(process.env, index.env)
  return index
}

function wheel(library?: Uint8Array): SdkPackage {
  const { item, env } = tinyWheel(join(dir, 'wheels'), library)
  Object.assign(process.env, env)
  return item
}

function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** What is in the cache, hidden work folders included. */
const inCache = (): string[] => (existsSync(cache) ? readdirSync(cache) : [])

describe('through pip', () => {
  it('puts the libraries in lib/, the licence beside them, and a manifest that vouches for both', async () => {
    const item = wheel()
    const { manifest, dir: installed, alreadyInstalled } = await installPackage(item)
    expect(alreadyInstalled).toBe(false)
    expect(installed).toBe(join(cache, 'tiny'))
    expect(readFileSync(join(installed, 'lib/libtiny.so.1'))).toEqual(standInLibrary())
    expect(readdirSync(installed).sort()).toEqual(['LICENSE.txt', 'lib', 'manifest.json'])
    expect(manifest).toMatchObject({
      name: 'tiny',
      version: '1.0',
      origin: 'PyPI tiny-libs==1.0',
      licence: item.licence,
    })
    const sums = manifest.files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('')
    execFileSync('sha256sum', ['--check', '--strict', '--quiet'], { cwd: installed, input: sums })
    expect(inCache()).toEqual(['tiny'])
  })

  it('leaves alone what is there, unless told to fetch it anew', async () => {
    const item = wheel()
    const first = await installPackage(item)
    process.env.PATH = join(dir, 'nothing')
    expect(await installPackage(item)).toEqual({ ...first, alreadyInstalled: true })
    await failure('SDK_INSTALL_FAILED', () => installPackage(item, { force: true }))
    expect(await installPackage(item)).toEqual({ ...first, alreadyInstalled: true })
  })

  it('repairs a package that lost a file, and replaces another version', async () => {
    const item = wheel()
    const { dir: installed } = await installPackage(item)
    rmSync(join(installed, 'lib/libtiny.so.1'))
    expect((await installPackage(item)).alreadyInstalled).toBe(false)
    const newer = { ...item, version: '1.1' }
    expect((await installPackage(newer)).manifest.version).toBe('1.1')
    expect(existsSync(join(installed, 'lib/libtiny.so.1'))).toBe(true)
    expect(inCache()).toEqual(['tiny'])
  })

  it('refuses a package with another hash, and leaves nothing', async () => {
    const item = wheel()
    const forged = { ...item, source: { ...item.source, sha256: ['0'.repeat(64)] } } as SdkPackage
    const error = await failure('SDK_INSTALL_FAILED', () => installPackage(forged))
    expect(error.message).toMatch(/installing tiny: .*DO NOT MATCH THE HASHES.*Expected sha256 0{64}/s)
    expect(inCache()).toEqual([])
  })

  it("shows pip's own last lines where pip fails", async () => {
    wheel()
    const error = await failure('SDK_INSTALL_FAILED', () =>
      installPackage(pipPackage('no-such-libs==1.0', '0'.repeat(64))),
    )
    expect(error.message).toMatch(/ended with exit code 1\. Its last lines:\n.*No matching distribution found/s)
    expect(error.hint).toContain('download --no-deps no-such-libs==1.0')
    expect(inCache()).toEqual([])
  })

  it('refuses a library that this machine cannot load', async () => {
    const error = await failure('SDK_INSTALL_FAILED', () => installPackage(wheel(standInLibrary({ machine: 40 }))))
    expect(error.message).toContain('lib/libtiny.so.1 is built for ARM (32 bit)')
    expect(inCache()).toEqual([])
  })

  it('is not thrown off by settings that contradict its own', async () => {
    const item = wheel()
    Object.assign(process.env, { PIP_USER: '1', PIP_REQUIRE_VIRTUALENV: '1', PIP_DRY_RUN: '0' })
    expect((await installPackage(item)).alreadyInstalled).toBe(false)
  })

  it('tells how far it is, up to the end', async () => {
    const updates: SdkProgress[] = []
    await installPackage(wheel(), { onProgress: (update) => updates.push(update) })
    expect(updates.at(-1)?.phase).toBe('checking')
    expect(updates.at(-1)?.bytes).toBe(updates.at(-1)?.totalBytes)
  })
})

describe('through cargo', () => {
  it('takes the headers of a crate, without the crates that it depends on', async (context) => {
    if (!has('cargo')) context.skip('no cargo here')
    const { item, env } = tinyCrate(dir)
    Object.assign(process.env, env)
    const { manifest } = await installPackage(item)
    expect(manifest.files.map(({ path }) => path)).toEqual(['one/tiny.h', 'tiny-1/tiny.h'])
    expect(readFileSync(join(cache, 'tiny/tiny-1/tiny.h'), 'utf8')).toBe('#define TINY 1\n')
    expect(inCache()).toEqual(['tiny'])
  })

  it('refuses headers other than those it was tested with', async (context) => {
    if (!has('cargo')) context.skip('no cargo here')
    const { item, env } = tinyCrate(dir)
    Object.assign(process.env, env)
    const other = { ...item, source: { ...item.source, contentsSha256: '0'.repeat(64) } } as SdkPackage
    const error = await failure('SDK_INSTALL_FAILED', () => installPackage(other))
    expect(error.message).toMatch(/should have SHA-256 0{64}, but has [0-9a-f]{64}/)
    expect(inCache()).toEqual([])
  })
})

describe('through mvn', () => {
  it("shows mvn's own last lines where it reaches no repository", async (context) => {
    if (!has('mvn')) context.skip('no mvn here')
    mkdirSync(join(dir, '.m2'))
    const mirror = `<mirror><id>none</id><mirrorOf>*</mirrorOf><url>file://${join(dir, 'nothing')}</url></mirror>`
    writeFileSync(join(dir, '.m2/settings.xml'), `<settings><mirrors>${mirror}</mirrors></settings>`)
    process.env.MAVEN_OPTS = `-Duser.home=${dir}`
    const source = {
      client: 'mvn',
      group: 'org.example',
      artifact: 'tiny',
      version: '1',
      classifier: 'x',
      sha256: '',
    } as const
    const error = await failure('SDK_INSTALL_FAILED', () => installPackage({ ...pipPackage('', ''), source }))
    expect(error.message).toMatch(/installing tiny: mvn ended with exit code 1\. Its last lines:\n.*ERROR/s)
    expect(inCache()).toEqual([])
  })
})

describe('bad circumstances', () => {
  it.each<[SdkPackageName, RegExp]>([
    ['rtx', /needs pip.*`python3 -m pip`/],
    ['headers', /needs cargo/],
    ['trt10', /needs mvn/],
  ])('without its client, %s says which one and how to get it', async (name, message) => {
    process.env.PATH = join(dir, 'nothing')
    const error = await failure('SDK_INSTALL_FAILED', () => installSdk(name))
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(/^sudo apt install /)
    expect(inCache()).toEqual([])
  })

  it('with a client that does not work, says what that says', async () => {
    const programs = join(dir, 'programs')
    mkdirSync(programs)
    writeFileSync(join(programs, 'cargo'), '#!/bin/sh\necho "\nno toolchain is chosen" >&2\nexit 1\n', { mode: 0o755 })
    process.env.PATH = programs
    const { message } = await failure('SDK_INSTALL_FAILED', () => installSdk('headers'))
    expect(message).toContain('(`cargo`: no toolchain is chosen)')
  })

  it('refuses a name that it does not know', async () => {
    const error = await failure('INVALID_ARGUMENT', () => installSdk('constructor' as SdkPackageName))
    expect(error.message).toMatch(/expected one of rtx, headers, .*received 'constructor'/)
  })

  it('refuses a package that is not made for this processor', async () => {
    const error = await failure('SDK_INSTALL_FAILED', () => installPackage({ ...wheel(), platforms: ['plan9-mips'] }))
    expect(error.message).toContain(`is packaged for plan9-mips; this is ${process.platform}-${process.arch}`)
  })

  it('says where it may not write', async () => {
    writeFileSync(join(dir, 'file'), '')
    const error = await failure('IO_ERROR', () => installPackage(wheel(), { cacheDir: join(dir, 'file/cache') }))
    expect(error.hint).toContain('TENSORRT_NODE_CACHE')
  })
})

describe('interrupted', () => {
  const item = pipPackage('tiny-libs==1.0', '0'.repeat(64))

  it('by a signal: ends the client, and leaves nothing', async () => {
    const index = await startIndex()
    const controller = new AbortController()
    const installing = installPackage(item, { signal: controller.signal })
    await Promise.race([index.asked, installing])
    const reason = new Error('enough')
    controller.abort(reason)
    const error = await failure('ABORTED', () => installing)
    expect(error.cause).toBe(reason)
    await index.left
    expect(inCache()).toEqual([])
  })

  it('by a signal that has fired already: starts nothing', async () => {
    await failure('ABORTED', () => installPackage(item, { signal: AbortSignal.abort() }))
    expect(inCache()).toEqual([])
  })

  it('by process.exit(): ends the client', async () => {
    const index = await startIndex()
    const child = fork(INSTALLER, [JSON.stringify(item), 'exit-on-message'], { silent: true })
    const exited = once(child, 'exit')
    await Promise.race([index.asked, exited])
    child.send('now')
    expect((await exited)[0]).toBe(7)
    await index.left
  })

  it('by SIGKILL: the next install clears up what was left', async () => {
    const index = await startIndex()
    const child = fork(INSTALLER, [JSON.stringify(item)], { silent: true })
    const exited = once(child, 'exit')
    await Promise.race([index.asked, exited])
    child.kill('SIGKILL')
    await exited
    expect(inCache()).toEqual([expect.stringMatching(/^\.work-/)])
    await index.close()
    await index.left
    Object.assign(process.env, { PIP_INDEX_URL: undefined })
    await installPackage(wheel())
    expect(inCache()).toEqual(['tiny'])
  })
})

it('can be run by several processes at once, each of which finds the package whole', async () => {
  const item = wheel()
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, [INSTALLER, JSON.stringify(item)])),
  )
  for (const { stdout } of runs) expect(JSON.parse(stdout).dir).toBe(join(cache, 'tiny'))
  expect(inCache()).toEqual(['tiny'])
  expect((await installPackage(item)).alreadyInstalled).toBe(true)
})

describe('list and remove', () => {
  it('tell installed from absent, damaged and outdated', async () => {
    const state = (name: string) => listSdkPackages().find((item) => item.name === name)
    expect(state('rtx')).toMatchObject({ installed: false, damaged: [], version: '1.7.1.116' })
    expect(state('rtx')).not.toHaveProperty('dir')

    // The real packages are too large for a test: a manifest, as an install leaves it, with small files.
    const write = (version: string) => {
      mkdirSync(join(cache, 'rtx/lib'), { recursive: true })
      writeFileSync(join(cache, 'rtx/lib/a.so'), 'abc')
      const files = [{ path: 'lib/a.so', size: 3, sha256: '' }]
      writeFileSync(join(cache, 'rtx/manifest.json'), JSON.stringify({ name: 'rtx', version, files }))
    }
    write('1.7.1.116')
    expect(state('rtx')).toMatchObject({ installed: true, dir: join(cache, 'rtx') })
    writeFileSync(join(cache, 'rtx/lib/a.so'), 'ab')
    expect(state('rtx')).toMatchObject({ installed: false, damaged: ['lib/a.so'] })
    write('1.6.0.0')
    expect(state('rtx')).toMatchObject({ installed: false, installedVersion: '1.6.0.0' })

    expect(await removeSdk('rtx')).toBe(true)
    expect(inCache()).toEqual([])
    expect(await removeSdk('rtx')).toBe(false)
    await failure('INVALID_ARGUMENT', () => removeSdk('..' as SdkPackageName))
  })
})
