/** Packages of a few kilobytes, made here, that the real clients install from this machine's disk. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { SdkPackage } from '#dist/sdk/packages.js'
import { standInLibrary } from './libraries.js'

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const ZIP = `
import json, sys, zipfile
path, files = json.load(sys.stdin)
with zipfile.ZipFile(path, 'w') as wheel:
    for name, content in files.items():
        wheel.writestr(zipfile.ZipInfo(name), bytes.fromhex(content))
`

/** A wheel with one stand-in library, in a folder for pip's `--find-links`; the environment that makes pip use it. */
export function tinyWheel(
  dir: string,
  library: Uint8Array = standInLibrary(),
): { item: SdkPackage; env: NodeJS.ProcessEnv } {
  mkdirSync(dir, { recursive: true })
  const text = (content: string) => Buffer.from(content)
  const files: Record<string, Uint8Array> = {
    'tiny_libs/libtiny.so.1': library,
    'tiny_libs/__init__.py': text(''),
    'tiny_libs-1.0.dist-info/licenses/LICENSE.txt': text('for tests only\n'),
    'tiny_libs-1.0.dist-info/METADATA': text('Metadata-Version: 2.1\nName: tiny-libs\nVersion: 1.0\n'),
    'tiny_libs-1.0.dist-info/WHEEL': text(
      'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    ),
  }
  const record = Object.keys(files).map((name) => `${name},,\n`)
  files['tiny_libs-1.0.dist-info/RECORD'] = text(`${record.join('')}tiny_libs-1.0.dist-info/RECORD,,\n`)
  const path = join(dir, 'tiny_libs-1.0-py3-none-any.whl')
  const hex = Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('hex')])
  execFileSync('python3', ['-c', ZIP], { input: JSON.stringify([path, Object.fromEntries(hex)]) })
  return {
    item: pipPackage('tiny-libs==1.0', sha256(readFileSync(path))),
    env: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: dir },
  }
}

/** A package that pip is to install. */
export function pipPackage(requirement: string, hash: string): SdkPackage {
  return {
    name: 'tiny',
    title: 'a package for tests',
    version: '1.0',
    licence: 'for tests only',
    downloadBytes: 4096,
    installedBytes: 4096,
    source: { client: 'pip', requirement, sha256: [hash], onlyBinary: true },
  }
}

/**
 * A crate with one header that depends on another crate, in a local registry that has only the first; the environment
 * that makes cargo use it.
 */
export function tinyCrate(dir: string): { item: SdkPackage; env: NodeJS.ProcessEnv } {
  const source = join(dir, 'tinyheaders-1.2.3')
  mkdirSync(join(source, 'include'), { recursive: true })
  const header = Buffer.from('#define TINY 1\n')
  writeFileSync(join(source, 'include/tiny.h'), header)
  writeFileSync(join(source, 'lib.rs'), '')
  const manifest = '[package]\nname = "tinyheaders"\nversion = "1.2.3"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
  writeFileSync(join(source, 'Cargo.toml'), `${manifest}[dependencies]\nheavy = "2.0"\n`)
  const registry = join(dir, 'registry')
  mkdirSync(join(registry, 'index/ti/ny'), { recursive: true })
  const crate = join(registry, 'tinyheaders-1.2.3.crate')
  execFileSync('tar', ['-czf', crate, '-C', dir, 'tinyheaders-1.2.3'])
  const dependency = { name: 'heavy', req: '^2.0', features: [], optional: false, default_features: true, target: null }
  const entry = { name: 'tinyheaders', vers: '1.2.3', cksum: sha256(readFileSync(crate)), features: {}, yanked: false }
  const deps = [{ ...dependency, kind: 'normal' }]
  writeFileSync(join(registry, 'index/ti/ny/tinyheaders'), `${JSON.stringify({ ...entry, deps })}\n`)
  const home = join(dir, 'cargo-home')
  mkdirSync(home)
  const config = ['[source.crates-io]', 'replace-with = "tiny"', '[source.tiny]', `local-registry = "${registry}"`]
  writeFileSync(join(home, 'config.toml'), config.join('\n'))
  const item: SdkPackage = {
    ...pipPackage('', ''),
    source: {
      client: 'cargo',
      crates: [
        {
          name: 'tinyheaders',
          version: '1.2.3',
          dependencies: { heavy: '2.0.0' },
          take: { 'tiny-1': 'include', 'one/tiny.h': 'include/tiny.h' },
        },
      ],
      contentsSha256: sha256(Buffer.from(`${sha256(header)}  one/tiny.h\n${sha256(header)}  tiny-1/tiny.h\n`)),
    },
  }
  return { item, env: { CARGO_HOME: home } }
}

/** A package index on this machine that takes a request and never answers. */
export interface SilentIndex {
  /** The environment that makes pip use it. */
  readonly env: NodeJS.ProcessEnv
  /** Resolves when a client asks. */
  readonly asked: Promise<void>
  /** Resolves when the client that asked is gone. */
  readonly left: Promise<void>
  close(): Promise<void>
}

export async function silentIndex(): Promise<SilentIndex> {
  const server = createServer()
  const asked = new Promise<IncomingMessage>((resolve) => server.once('request', resolve))
  const left = asked.then(({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    env: {
      PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`,
      PIP_FIND_LINKS: '',
      PIP_NO_INDEX: '0',
      PIP_RETRIES: '0',
      // Where a proxy is set up, the index is on this side of it.
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    },
    asked: asked.then(() => {}),
    left,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
