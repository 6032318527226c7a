/**
 * Where TensorRT is looked for, in order.
 *
 * 1. the folder that the caller names
 * 2. `TENSORRT_ROOT`, `TRT_ROOT`
 * 3. where the dynamic loader would find the bare name: `LD_LIBRARY_PATH`, the ldconfig cache, the standard folders
 * 4. `/usr/local` and `/opt`, where NVIDIA's archives are unpacked by habit
 * 5. the active Python's packages
 * 6. the cache of `sdk install`
 */
import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { sdkCacheDir } from './cache-dir.js'
import { activeSitePackages } from './site-packages.js'

/** One place to look in: folders that hold libraries, the first that has one wins. */
export interface Place {
  /** What led here: an option, a variable, a convention. */
  readonly source: string
  /** The place as people name it; empty for a variable that is not set. */
  readonly path: string
  readonly dirs: readonly string[]
  /** Paths of single libraries, for a place that lists files rather than folders. */
  readonly files?: ReadonlyMap<string, string>
}

/** Where archives and packages put libraries below their root. */
const LIB_DIRS_BELOW_ROOT = ['.', 'lib', 'lib64', `targets/${machine()}-linux-gnu/lib`]

const STANDARD_DIRS = [
  `/lib/${machine()}-linux-gnu`,
  `/usr/lib/${machine()}-linux-gnu`,
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
  '/usr/local/lib',
]

const PYTHON_PACKAGES = ['tensorrt_libs', 'tensorrt_rtx_libs', 'tensorrt_lean_libs']

/** The processor as GNU names it. */
function machine(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64'
}

function root(source: string, path: string): Place {
  return { source, path, dirs: LIB_DIRS_BELOW_ROOT.map((dir) => join(path, dir)) }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

/** NVIDIA's archives unpack to `TensorRT-10.15.1.29` and the like; the newest comes first. */
function archivesIn(parent: string): Place[] {
  const archives = namesIn(parent).filter((name) => /^tensorrt-/i.test(name))
  archives.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return [join(parent, 'tensorrt'), ...archives.map((name) => join(parent, name))].map((path) => root(path, path))
}

let loaderCache: { readonly mtimeMs: number; readonly files: Promise<ReadonlyMap<string, string>> } | undefined

/**
 * The dynamic loader's own cache, by soname, read again when it has changed. It lists other architectures too; the
 * headers of a library tell them apart.
 */
async function ldconfigCache(): Promise<Place> {
  const mtimeMs = statSync('/etc/ld.so.cache', { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (loaderCache?.mtimeMs !== mtimeMs) loaderCache = { mtimeMs, files: askLdconfig() }
  return { source: 'ldconfig', path: 'ldconfig -p', dirs: [], files: await loaderCache.files }
}

async function askLdconfig(): Promise<ReadonlyMap<string, string>> {
  // Debian keeps ldconfig in /sbin, which is not on every user's PATH.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/sbin:/usr/sbin`, LC_ALL: 'C' }
  const listed = await promisify(execFile)('ldconfig', ['-p'], { env, timeout: 20_000 }).catch(() => undefined)
  const files = new Map<string, string>()
  for (const line of (listed?.stdout ?? '').split('\n')) {
    const match = /^\s+(\S+) \(([^)]*)\) => (.+)$/.exec(line)
    if (match?.[1] && match[3] && !files.has(match[1])) files.set(match[1], match[3])
  }
  return files
}

/** The places, lazily: the later ones cost a process each. */
export async function* placesToLook(optionRoot: string | undefined): AsyncGenerator<Place> {
  const { env } = process
  if (optionRoot !== undefined) yield root('the tensorrt option', resolve(optionRoot))
  for (const variable of ['TENSORRT_ROOT', 'TRT_ROOT'] as const) {
    const path = env[variable]
    yield path ? root(variable, resolve(path)) : { source: variable, path: '', dirs: [] }
  }
  // An empty entry means the working folder to the loader, and is as a rule a mistake: left out.
  const loaderPath = (env.LD_LIBRARY_PATH ?? '').split(/[:;]/).filter(Boolean)
  yield { source: 'LD_LIBRARY_PATH', path: loaderPath.join(':'), dirs: loaderPath }
  yield await ldconfigCache()
  yield { source: 'standard folders', path: STANDARD_DIRS.join(':'), dirs: STANDARD_DIRS }
  for (const parent of ['/usr/local', '/opt']) yield* archivesIn(parent)
  for (const { source, dir } of await activeSitePackages(env)) {
    const dirs = PYTHON_PACKAGES.map((name) => join(dir, name))
    yield { source: `Python packages (${source})`, path: dir, dirs }
  }
  const cache = sdkCacheDir(env)
  const installed = namesIn(cache).filter((name) => !name.startsWith('.'))
  yield { source: 'sdk install', path: cache, dirs: installed.map((name) => join(cache, name, 'lib')) }
}
