import { rename, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { abortedError, messageOf, TrtError, throwIfAborted } from '../errors.js'
import type { Logger } from '../options.js'
import { sdkCacheDir } from './cache-dir.js'
import { checkLibrary } from './check-library.js'
import { fetchPackage, filesBelow, sha256Of } from './fetch-package.js'
import { damagedFiles, MANIFEST_NAME, type ManifestFile, readManifest, type SdkManifest } from './manifest.js'
import { originOf, SDK_PACKAGES, type SdkPackage, type SdkPackageName } from './packages.js'
import { discard, makeWorkDir, removeDir, sizeOfDir } from './work-dir.js'

/** How far an install is. */
export interface SdkProgress {
  /** `'fetching'` includes unpacking: pip and mvn do not tell them apart. */
  readonly phase: 'fetching' | 'checking'
  /** Bytes written while fetching, read while checking. */
  readonly bytes: number
  /** All that this phase will write or read; an estimate for `'fetching'`, and 0 where there is none. */
  readonly totalBytes: number
}

/** Options of {@link installSdk}. */
export interface SdkInstallOptions {
  /** Where to install. Default: `$TENSORRT_NODE_CACHE`, else `tensorrt-node` in the user's cache folder. */
  readonly cacheDir?: string | undefined
  /** Fetches it anew where it is there already. */
  readonly force?: boolean
  /** Ends the package client, and removes what it left. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: SdkProgress) => void) | undefined
  /** Takes the package client's own output. Default: only shown in errors. */
  readonly logger?: Logger | undefined
}

/** A package that is installed. */
export interface SdkInstallResult {
  readonly manifest: SdkManifest
  /** The folder: `lib/` for libraries, one folder a family for headers. */
  readonly dir: string
  /** Whether it was there, whole and in this version. */
  readonly alreadyInstalled: boolean
}

/** A package as {@link listSdkPackages} shows it. */
export interface SdkPackageState {
  readonly name: SdkPackageName
  readonly title: string
  readonly version: string
  readonly licence: string
  readonly origin: string
  /** Absent where it is not known. */
  readonly downloadBytes?: number
  /** What it takes where it is installed, else what it is expected to take; absent where that is not known. */
  readonly installedBytes?: number
  /** Whether it is there, whole and in this version. */
  readonly installed: boolean
  /** Where it is there, whole or not. */
  readonly dir?: string
  /** The version that is there, where it is another. */
  readonly installedVersion?: string
  /** Files that are gone or have another size than they were installed with. */
  readonly damaged: readonly string[]
}

const PROGRESS_MS = 200

/**
 * Installs a package of TensorRT into the cache, where {@link findTensorRT} looks: through pip, cargo or mvn, checked
 * against hashes that this package carries. Can be interrupted and repeated, also by several processes at once.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` for an unknown name; `SDK_INSTALL_FAILED`; `IO_ERROR`; `ABORTED`. Nothing
 * half-installed is left, and no process.
 */
export function installSdk(name: SdkPackageName, options: SdkInstallOptions = {}): Promise<SdkInstallResult> {
  return installPackage(SDK_PACKAGES[checkPackageName(name)], options)
}

/** {@link installSdk} for a package that need not be one of {@link SDK_PACKAGES}. */
export async function installPackage(item: SdkPackage, options: SdkInstallOptions = {}): Promise<SdkInstallResult> {
  const { force = false, signal, onProgress, logger } = options
  const cacheDir = resolve(options.cacheDir ?? sdkCacheDir())
  const dir = join(cacheDir, item.name)
  const purpose = `installing ${item.name}`
  throwIfAborted(purpose, signal)
  const present = force ? undefined : installedManifest(dir, item.version)
  if (present) return { manifest: present, dir, alreadyInstalled: true }
  checkPlatform(item)

  let workDir: string | undefined
  try {
    workDir = await makeWorkDir(cacheDir)
    const payload = await withProgress(item, workDir, onProgress, () =>
      fetchPackage(item, { purpose, workDir: workDir as string, signal, logger }),
    )
    const manifest = await writeManifest(item, payload, purpose, signal, onProgress)
    await moveIntoPlace(payload, dir, item.version, workDir, force)
    return { manifest: readManifest(dir) ?? manifest, dir, alreadyInstalled: false }
  } catch (error) {
    if (error instanceof TrtError) throw error
    if (signal?.aborted) throw abortedError(purpose, signal)
    throw new TrtError('IO_ERROR', `${purpose} in ${cacheDir}: ${messageOf(error)}`, {
      hint: 'Is there room, and may you write there? TENSORRT_NODE_CACHE names another folder.',
      cause: error,
    })
  } finally {
    if (workDir) await removeDir(workDir).catch(() => {})
  }
}

/**
 * Removes an installed package.
 *
 * @returns whether there was one
 * @throws {TrtError} `INVALID_ARGUMENT` for an unknown name, `IO_ERROR`
 */
export async function removeSdk(name: SdkPackageName, options: { readonly cacheDir?: string } = {}): Promise<boolean> {
  const cacheDir = resolve(options.cacheDir ?? sdkCacheDir())
  const dir = join(cacheDir, SDK_PACKAGES[checkPackageName(name)].name)
  if ((await stat(dir).catch(() => undefined)) === undefined) return false
  try {
    const workDir = await makeWorkDir(cacheDir)
    await discard(dir, workDir)
    await removeDir(workDir)
    return true
  } catch (error) {
    throw new TrtError('IO_ERROR', `removing ${dir}: ${messageOf(error)}`, { cause: error })
  }
}

/** What can be installed, and what is. */
export function listSdkPackages(options: { readonly cacheDir?: string } = {}): readonly SdkPackageState[] {
  const cacheDir = resolve(options.cacheDir ?? sdkCacheDir())
  return Object.values(SDK_PACKAGES).map((item) => {
    const { name, title, version, licence, downloadBytes } = item
    const dir = join(cacheDir, name)
    const manifest = readManifest(dir)
    const installedBytes = manifest?.files.reduce((sum, { size }) => sum + size, 0) ?? item.installedBytes
    const damaged = manifest ? damagedFiles(dir, manifest) : []
    return {
      name,
      title,
      version,
      licence,
      origin: originOf(item),
      ...(downloadBytes === undefined ? {} : { downloadBytes }),
      ...(installedBytes === undefined ? {} : { installedBytes }),
      installed: manifest?.version === version && damaged.length === 0,
      ...(manifest ? { dir } : {}),
      ...(manifest && manifest.version !== version ? { installedVersion: manifest.version } : {}),
      damaged,
    }
  })
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function checkPackageName(name: string): SdkPackageName {
  if (Object.hasOwn(SDK_PACKAGES, name)) return name as SdkPackageName
  throw new TrtError(
    'INVALID_ARGUMENT',
    `expected one of ${Object.keys(SDK_PACKAGES).join(', ')}, received '${name}'`,
    {
      hint: 'npx tensorrt-node sdk list',
    },
  )
}

function installedManifest(dir: string, version: string): SdkManifest | undefined {
  const manifest = readManifest(dir)
  return manifest?.version === version && damagedFiles(dir, manifest).length === 0 ? manifest : undefined
}

function checkPlatform({ name, platforms }: SdkPackage): void {
  const here = `${process.platform}-${process.arch}`
  if (platforms === undefined || platforms.includes(here)) return
  throw new TrtError('SDK_INSTALL_FAILED', `${name} is packaged for ${platforms.join(' and ')}; this is ${here}`, {
    hint: "Install TensorRT from NVIDIA's archive for this system, and set TENSORRT_ROOT to its folder.",
  })
}

/** Neither pip nor mvn reports its progress to programs, but both can be watched as they fill the folder. */
async function withProgress<T>(
  { downloadBytes = 0, installedBytes = 0 }: SdkPackage,
  workDir: string,
  onProgress: SdkInstallOptions['onProgress'],
  work: () => Promise<T>,
): Promise<T> {
  const totalBytes = downloadBytes + installedBytes
  let bytes = 0
  const report = async (): Promise<void> => {
    bytes = Math.max(bytes, Math.min(totalBytes || Number.POSITIVE_INFINITY, await sizeOfDir(workDir)))
    onProgress?.({ phase: 'fetching', bytes, totalBytes })
  }
  const timer = onProgress && setInterval(report, PROGRESS_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** Hashes what was fetched; the manifest is written last, so that there is none in a package that is not whole. */
async function writeManifest(
  item: SdkPackage,
  payload: string,
  purpose: string,
  signal: AbortSignal | undefined,
  onProgress: SdkInstallOptions['onProgress'],
): Promise<SdkManifest> {
  const totalBytes = await sizeOfDir(payload)
  const files: ManifestFile[] = []
  let bytes = 0
  for (const path of await filesBelow(payload)) {
    onProgress?.({ phase: 'checking', bytes, totalBytes })
    const file = join(payload, path)
    const { size } = await stat(file)
    const problem = /\.so(\.\d+)*$/.test(path) ? libraryProblem(file) : undefined
    if (problem) throw new TrtError('SDK_INSTALL_FAILED', `${purpose}: ${path} is ${problem}`)
    files.push({ path, size, sha256: await sha256Of(file, signal) })
    bytes += size
  }
  if (files.length === 0) throw new TrtError('SDK_INSTALL_FAILED', `${purpose}: ${originOf(item)} holds no library`)
  onProgress?.({ phase: 'checking', bytes, totalBytes })
  const { name, version, licence } = item
  const manifest: SdkManifest = {
    name,
    version,
    origin: originOf(item),
    licence,
    installedAt: new Date().toISOString(),
    files,
  }
  await writeFile(join(payload, MANIFEST_NAME), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return manifest
}

function libraryProblem(file: string): string | undefined {
  const check = checkLibrary(file)
  return check.ok ? undefined : check.problem
}

/**
 * Renames the finished package into place. Where another process was faster, its package is as good and stays. An older
 * or damaged one is moved out of the way first; who looks in that moment finds none, rather than half of one.
 */
async function moveIntoPlace(
  payload: string,
  dir: string,
  version: string,
  workDir: string,
  force: boolean,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (force || !installedManifest(dir, version)) await discard(dir, workDir)
    else return
    try {
      await rename(payload, dir)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOTEMPTY' && code !== 'EEXIST') || attempt === 3) throw error
    }
  }
}
