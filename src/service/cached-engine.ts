import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { buildEngine } from '../api/build-engine.js'
import type { Engine } from '../api/engine.js'
import { loadEngine } from '../api/load-engine.js'
import { describePlan, hashFile, PACKAGE_VERSION, sha256Of, writeManifest } from '../api/manifest.js'
import { toModelSource } from '../api/model-source.js'
import { resolveProfiles } from '../api/resolve-profiles.js'
import { BUILD_CHECKS, LOAD_CHECKS, SILENT, validateBuildOptions } from '../api/validate-options.js'
import type { Profile } from '../backends/backend.js'
import { resolveBuildBackend } from '../backends/resolve-backend.js'
import { cudaInfo } from '../backends/tensorrt/addon.js'
import { BUILTIN, builtinLibrary, PLUGIN_FAMILIES } from '../backends/tensorrt/plugin-library.js'
import { libraryIdentity } from '../backends/tensorrt/tensorrt-backend.js'
import { checkOptions, isByteSize, isNonEmptyString, toBytes } from '../check.js'
import { TrtError, throwIfAborted } from '../errors.js'
import { writeFileAtomic } from '../files.js'
import { inspectModel, proposeShapes, type ValueInfo } from '../onnx/index.js'
import type { BackendName, BuildOptions, ByteSize, LoadOptions, Shapes } from '../options.js'
import { sdkCacheDir } from '../sdk/cache-dir.js'
import { hashCalibration } from './calibration-hash.js'
import { EngineCache } from './engine-cache.js'
import type { Manifest } from './manifest.js'
import { type HashedModel, hashModel } from './model-hash.js'

const require = createRequire(import.meta.url)

/** Options of {@link cachedEngine}: those of building, of loading, and of the cache. */
export interface CachedEngineOptions extends BuildOptions, Omit<LoadOptions, keyof BuildOptions> {
  /** The folder of the cache. Default: `engines` in `$TENSORRT_NODE_CACHE`, else in `tensorrt-node` in the user's cache. */
  readonly cacheDir?: string
  /**
   * The size of the cache: the plans that were not used for longest are removed until the rest fits. The plan that was
   * asked for stays, however large. Default 16 GiB.
   */
  readonly maxBytes?: ByteSize
}

/** A plan in the cache. */
export interface CachedPlan {
  /** The plan's file. Another process may drop it when the cache is full. */
  readonly path: string
  readonly manifest: Manifest
  /** Whether this call built it. */
  readonly built: boolean
}

const DEFAULT_MAX_BYTES = 16 * 2 ** 30

/** What a plan in the cache may turn out to be once it is loaded, though it is as it was written. */
const UNUSABLE: readonly string[] = ['FILE_NOT_FOUND', 'INVALID_ENGINE', 'ENGINE_MISMATCH']

/**
 * Loads the engine of a model from the cache, and builds it first where it is not there.
 *
 * A plan is found again as long as nothing changes that it depends on: the model's bytes and external data, the options
 * that shape it, plugin libraries, the backend and its version, the GPU's compute capability (unless `target` names GPUs), and the version of
 * this package. Where it is built, and how (`isolation`, `timingCache`, `tensorrt`), makes no difference. Calls at the same
 * time, in one process or several, build once: the others wait. A damaged plan is built again.
 *
 * @example
 * const engine = await trt.cachedEngine({ onnx: 'model.onnx', shapes, cacheDir: '/var/cache/engines', maxBytes: '20GiB' })
 *
 * @throws {TrtError} what {@link buildEngine} and {@link loadEngine} throw; `IO_ERROR` where the cache cannot be written, or
 *   the model changed meanwhile. Nothing half-written is left.
 */
export async function cachedEngine(options: CachedEngineOptions): Promise<Engine> {
  const load = pick(options, LOAD_CHECKS, ['backend'])
  const plan = await cachedPlan(options)
  try {
    return await loadEngine(plan.path, load)
  } catch (error) {
    if (plan.built || !(error instanceof TrtError) || !UNUSABLE.includes(error.code)) throw error
    options.logger?.warn(`building the engine again, for the cached one does not load: ${error.message}`)
    await new EngineCache(folderOf(options)).remove(plan.manifest.key)
    return loadEngine((await cachedPlan(options)).path, load)
  }
}

/**
 * The cache without the loading: for building ahead, on a machine without the GPU that the plan is for.
 *
 * @throws {TrtError} as {@link cachedEngine}
 */
export async function cachedPlan(options: CachedEngineOptions): Promise<CachedPlan> {
  checkOptions('cachedEngine', options, {
    ...LOAD_CHECKS,
    ...BUILD_CHECKS,
    cacheDir: isNonEmptyString,
    maxBytes: isByteSize,
  })
  const build = pick(options, BUILD_CHECKS)
  validateBuildOptions(build)
  throwIfAborted('cachedEngine', options.signal)
  const cache = new EngineCache(folderOf(options))
  const wanted = await identify(build, options.device ?? 0)
  const plan = await findOrBuild(cache, wanted, build)
  const maxBytes = options.maxBytes === undefined ? DEFAULT_MAX_BYTES : toBytes(options.maxBytes)
  await cache.trim(maxBytes, plan.manifest.key).catch(() => {})
  return plan
}

/** A plan that is wanted: its key, and what the key was made of. */
interface Wanted {
  readonly key: string
  readonly model: HashedModel
  readonly options: Manifest['options']
  readonly plugins: Manifest['plugins']
  readonly profiles: readonly Profile[]
  readonly gpu: string | null
}

/** Options that do not shape the plan, or that are part of its key by what they stand for. */
const NOT_IN_KEY: readonly (keyof BuildOptions)[] = [
  'onnx',
  'shapes',
  'int8',
  'fp8',
  'backend',
  'plugins',
  'isolation',
  'tensorrt',
  'timingCache',
  'signal',
  'onProgress',
  'logger',
]

async function findOrBuild(cache: EngineCache, wanted: Wanted, build: BuildOptions): Promise<CachedPlan> {
  const { key } = wanted
  const { signal, logger = SILENT } = build
  const path = cache.planPath(key)
  for (;;) {
    const found = await cache.find(key, signal)
    if ('key' in found) return { path, manifest: found, built: false }
    const release = await cache.lock(key, signal)
    if (release === undefined) continue
    try {
      const late = await cache.find(key, signal)
      if ('key' in late) return { path, manifest: late, built: false }
      logger.info(`building ${path}: ${late.missing}`)
      const built = await buildEngine(build)
      await wanted.model.checkUnchanged()
      throwIfAborted('cachedEngine', signal)
      const { model, profiles: _, ...about } = wanted
      const manifest: Manifest = { ...(await describePlan(built)), ...about, model: model.hash }
      await writeFileAtomic(path, built.plan)
      await writeManifest(path, manifest)
      return { path, manifest, built: true }
    } finally {
      release()
    }
  }
}

function proposed(inputs: readonly ValueInfo[], shapes: BuildOptions['shapes']): Shapes | readonly Shapes[] {
  const others = proposeShapes(inputs)
  return Array.isArray(shapes) ? shapes.map((profile) => ({ ...others, ...profile })) : { ...others, ...shapes }
}

/** Finds out everything that the plan will depend on. */
async function identify(options: BuildOptions, device: number): Promise<Wanted> {
  const source = toModelSource(options.onnx)
  const info = await inspectModel(source)
  // With repair, what is left out is proposed, always alike.
  const profiles = resolveProfiles(info.inputs, options.repair ? proposed(info.inputs, options.shapes) : options.shapes)
  const model = await hashModel(source, info, options.signal)
  const { backend, lenient } = await resolveBuildBackend(options)
  const needsGpu = backend.name !== 'onnxruntime' && options.target === undefined
  const gpu = needsGpu ? ((await cudaInfo()).devices[device]?.computeCapability ?? null) : null
  const shaping = { ...pick(options, BUILD_CHECKS, NOT_IN_KEY), ...(await hashCalibration(options)) }
  const plugins = await hashPlugins(options.plugins ?? [])
  const key = sha256Of(
    JSON.stringify({
      packageVersion: PACKAGE_VERSION,
      model: { sha256: model.hash.sha256, externalData: model.hash.externalData },
      profiles,
      options: shaping,
      plugins: plugins.map(({ sha256 }) => sha256),
      backend: backend.name,
      // An option that a backend lacks is a warning where the backend was chosen, and an error where it was named.
      lenient,
      library: await libraryOf(backend.name, options),
      gpu,
    }),
  )
  return { key, model, options: shaping, plugins, profiles, gpu }
}

/** `'builtin'` stands for the library of every family that is built; which one is taken, the library's version tells. */
async function hashPlugins(names: readonly string[]): Promise<Manifest['plugins']> {
  const files = names.flatMap((name) =>
    name === BUILTIN ? PLUGIN_FAMILIES.map(builtinLibrary).filter((path) => existsSync(path)) : [resolve(name)],
  )
  return Promise.all(files.map(async (path) => ({ path, sha256: (await hashFile(path)).sha256 })))
}

/** Tells versions of the backend's library apart. What is missing, the build says better. */
async function libraryOf(backend: BackendName, { tensorrt }: BuildOptions): Promise<string> {
  if (backend !== 'onnxruntime') return libraryIdentity(backend, { root: tensorrt })
  try {
    return (require('onnxruntime-node/package.json') as { version: string }).version
  } catch {
    return 'missing'
  }
}

function folderOf({ cacheDir }: CachedEngineOptions): string {
  return cacheDir ?? join(sdkCacheDir(), 'engines')
}

/** The properties of `options` that `checks` names, in that order, but for those in `without`. */
function pick<T extends object>(options: T, checks: object, without: readonly string[] = []): T {
  const picked = Object.keys(checks)
    .filter((name) => !without.includes(name) && options[name as keyof T] !== undefined)
    .map((name) => [name, options[name as keyof T]])
  return Object.fromEntries(picked) as T
}
