/**
 * Fetches a package through its registry's own client, into a folder that holds just what we want of it:
 *
 * - pip, mvn: the shared libraries in `lib/`, beside them the licence that came along
 * - cargo: the headers
 *
 * Everything, the clients' temporary files too, stays in a work folder, so that an interrupted run leaves nothing behind.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { TrtError } from '../errors.js'
import type { Logger } from '../options.js'
import { requireClient } from './clients.js'
import type { CargoSource, CrateSource, MavenSource, PipSource, SdkPackage } from './packages.js'
import { runClient } from './run-client.js'

/** What every fetch needs. */
export interface FetchContext {
  /** What the fetch is for, to name it in errors. */
  readonly purpose: string
  /** An empty folder, to work in. */
  readonly workDir: string
  readonly signal: AbortSignal | undefined
  readonly logger: Logger | undefined
}

/** A fixed version of the plugin, so that Maven does not look for the newest. */
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

/**
 * @returns the folder with what was fetched
 * @throws {TrtError} `SDK_INSTALL_FAILED`, `ABORTED`
 */
export async function fetchPackage({ source }: SdkPackage, context: FetchContext): Promise<string> {
  const payload = join(context.workDir, 'payload')
  await mkdir(payload)
  switch (source.client) {
    case 'pip':
      await fetchWithPip(source, payload, context)
      break
    case 'cargo':
      await fetchWithCargo(source, payload, context)
      break
    case 'mvn':
      await fetchWithMaven(source, payload, context)
      break
  }
  return payload
}

/** SHA-256 of a file, hexadecimal. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {})
  return hash.digest('hex')
}

/** One digest of many files: SHA-256 over the lines of `sha256sum`, sorted by path. */
export function contentsDigest(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  return createHash('sha256')
    .update(sorted.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join(''))
    .digest('hex')
}

/** Every file below a folder, relative to it. */
export async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()
}

async function fetchWithPip(source: PipSource, payload: string, context: FetchContext): Promise<void> {
  const { purpose, workDir, signal, logger } = context
  const { command } = await requireClient('pip', purpose, signal)
  const requirements = join(workDir, 'requirements.txt')
  const hashes = source.sha256.map((sha256) => `--hash=sha256:${sha256}`)
  await writeFile(requirements, `${[source.requirement, ...hashes].join(' ')}\n`)
  const target = join(workDir, 'target')
  const temporary = join(workDir, 'tmp')
  await mkdir(temporary)
  const options = ['--no-deps', '--no-compile', '--require-hashes', '--progress-bar', 'off', '--target', target]
  if (source.onlyBinary) options.push('--only-binary', ':all:')
  await runClient({
    command: [...command, 'install', ...options, '-r', requirements],
    purpose,
    cwd: workDir,
    // Settings of the user's that contradict --target, or would wait for an answer.
    env: { TMPDIR: temporary, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', PIP_NO_INPUT: '1' },
    signal,
    logger,
    hint: source.onlyBinary
      ? `see whether pip can fetch it by itself: ${command.join(' ')} download --no-deps ${source.requirement}`
      : "This package is a placeholder that fetches from NVIDIA's own index, which has to be reachable from here.",
  })
  await takeLibraries(target, payload)
}

async function fetchWithMaven(source: MavenSource, payload: string, context: FetchContext): Promise<void> {
  const { purpose, workDir, signal, logger } = context
  const { command } = await requireClient('mvn', purpose, signal)
  const { group, artifact, version, classifier } = source
  // A repository of its own: in the user's, half a gigabyte that nobody needs again would stay for ever.
  const repository = join(workDir, 'repository')
  const unpacked = join(workDir, 'target')
  const coordinates = `${group}:${artifact}:${version}:jar:${classifier}`
  const run = (goal: string, ...options: string[]): Promise<void> =>
    runClient({
      command: [
        ...command,
        '--batch-mode',
        '--no-transfer-progress',
        `-Dmaven.repo.local=${repository}`,
        `${MAVEN_PLUGIN}:${goal}`,
        `-Dartifact=${coordinates}`,
        ...options,
      ],
      purpose,
      cwd: workDir,
      signal,
      logger,
      hint: `see whether mvn can fetch it by itself: mvn dependency:get -Dartifact=${coordinates} -Dtransitive=false`,
    })
  await run('get', '-Dtransitive=false')
  const jar = `${artifact}-${version}-${classifier}.jar`
  const path = join(repository, ...group.split('.'), artifact, version, jar)
  checkHash(purpose, jar, await sha256Of(path, signal), source.sha256)
  await run('unpack', '--offline', `-DoutputDirectory=${unpacked}`, '-Dmdep.unpack.includes=**/*.so*')
  await takeLibraries(unpacked, payload)
}

async function fetchWithCargo(source: CargoSource, payload: string, context: FetchContext): Promise<void> {
  const { purpose, workDir, signal, logger } = context
  const { command } = await requireClient('cargo', purpose, signal)
  for (const crate of source.crates) {
    const project = join(workDir, `${crate.name}-${crate.version}`)
    await writeCargoProject(project, crate)
    await runClient({
      // Without --respect-source-config, `cargo vendor` passes by the mirror that a user has set up.
      command: [...command, 'vendor', '--versioned-dirs', '--respect-source-config', 'vendor'],
      purpose,
      cwd: project,
      signal,
      logger,
      hint: `see whether cargo can fetch it by itself: cargo info ${crate.name}@${crate.version}`,
    })
    const [vendored] = (await readdir(join(project, 'vendor'))).filter((name) => name.startsWith(`${crate.name}-`))
    for (const [to, from] of Object.entries(crate.take)) {
      const destination = join(payload, to)
      await mkdir(dirname(destination), { recursive: true })
      await cp(join(project, 'vendor', vendored ?? '', from), destination, { recursive: true })
    }
  }
  const files: { path: string; sha256: string }[] = []
  for (const path of await filesBelow(payload))
    files.push({ path, sha256: await sha256Of(join(payload, path), signal) })
  checkHash(purpose, 'the headers', contentsDigest(files), source.contentsSha256)
}

/**
 * A project that depends on one crate, whose own dependencies are patched by empty crates: so `cargo vendor` fetches that
 * crate alone, 1 MB in 0.6 s. Rejected: the same without patches fetches 102 crates, 22 MB; `cargo info` fetches the
 * crate alone too, yet leaves it where only cargo knows, and is not in every cargo.
 */
async function writeCargoProject(dir: string, { name, version, dependencies }: CrateSource): Promise<void> {
  const patches = Object.keys(dependencies).map((dependency) => `${dependency} = { path = "empty/${dependency}" }`)
  await writeCrate(dir, 'headers', '0.0.0', [
    '[workspace]',
    '[dependencies]',
    `${name} = "=${version}"`,
    '[patch.crates-io]',
    ...patches,
  ])
  for (const [dependency, itsVersion] of Object.entries(dependencies)) {
    await writeCrate(join(dir, 'empty', dependency), dependency, itsVersion, [])
  }
}

async function writeCrate(dir: string, name: string, version: string, rest: readonly string[]): Promise<void> {
  await mkdir(dir, { recursive: true })
  const head = [
    '[package]',
    `name = "${name}"`,
    `version = "${version}"`,
    'edition = "2021"',
    '[lib]',
    'path = "lib.rs"',
  ]
  await writeFile(join(dir, 'Cargo.toml'), `${[...head, ...rest].join('\n')}\n`)
  await writeFile(join(dir, 'lib.rs'), '')
}

/** Moves the shared libraries of an unpacked package to `lib/`, and the licence beside it. */
async function takeLibraries(from: string, payload: string): Promise<void> {
  const lib = join(payload, 'lib')
  await mkdir(lib)
  for (const path of await filesBelow(from)) {
    const name = basename(path)
    if (/\.so(\.\d+)*$/.test(name)) await rename(join(from, path), join(lib, name))
    else if (/^LICEN[CS]E/i.test(name)) await writeFile(join(payload, name), await readFile(join(from, path)))
  }
}

function checkHash(purpose: string, what: string, actual: string, expected: string): void {
  if (actual === expected) return
  throw new TrtError('SDK_INSTALL_FAILED', `${purpose}: ${what} should have SHA-256 ${expected}, but has ${actual}`, {
    hint: 'What came is not what this version of tensorrt-node was tested with: try again; if it stays, report it.',
  })
}
