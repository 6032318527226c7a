/**
 * A folder of plans: `KEY.engine` with its manifest `KEY.engine.json`, both replaced atomically, the manifest last. The
 * time of a manifest is when its plan was last used.
 */
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { manifestPath, readManifest, verifyPlan } from '../api/manifest.js'
import { messageOf, TrtError } from '../errors.js'
import { acquireLock } from './cache-lock.js'
import { isCached, type Manifest } from './manifest.js'

/** `KEY.engine`, `KEY.engine.json`, and the temporary files of either, whose names begin with a dot. */
const FILE = /^\.?(?<key>[0-9a-f]{64})\.engine(?<manifest>\.json)?(?<temporary>\..*\.tmp)?$/

/** See the head of this file. */
export class EngineCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = resolve(folder)
  }

  /** Where the plan of that key is, or would be. */
  planPath(key: string): string {
    return join(this.#folder, `${key}.engine`)
  }

  /** The manifest of a whole plan, which counts as used now; or why there is none. */
  async find(key: string, signal?: AbortSignal): Promise<Manifest | { readonly missing: string }> {
    const plan = this.planPath(key)
    try {
      const manifest = await readManifest(plan)
      if (!isCached(manifest) || manifest.key !== key) return { missing: 'not built yet' }
      await verifyPlan(plan, manifest, signal)
      // A cache that may only be read, say in an image, has no order to keep.
      await utimes(manifestPath(plan), new Date(), new Date()).catch(() => {})
      return manifest
    } catch (error) {
      if (error instanceof TrtError && error.code !== 'ABORTED') return { missing: error.message }
      throw error
    }
  }

  /**
   * The right to write the plan of that key; undefined where somebody else had it, and has given it back now. Whatever an
   * earlier writer left unfinished is removed.
   *
   * @throws {TrtError} `IO_ERROR` where the folder cannot be made; `ABORTED`
   */
  async lock(key: string, signal?: AbortSignal): Promise<(() => void) | undefined> {
    try {
      await mkdir(this.#folder, { recursive: true })
    } catch (error) {
      throw new TrtError('IO_ERROR', `could not make the folder ${this.#folder}: ${messageOf(error)}`, {
        hint: 'name a folder that you may write to: cacheDir',
        cause: error,
      })
    }
    return acquireLock(this.planPath(key), signal)
  }

  /** Takes a plan out. */
  async remove(key: string): Promise<void> {
    // The manifest first: a plan without one counts as not there.
    await rm(manifestPath(this.planPath(key)), { force: true })
    await rm(this.planPath(key), { force: true })
  }

  /**
   * Removes the plans that were not used for longest until no more than `maxBytes` are left, `kept` excepted; and what
   * crashed processes left unfinished.
   */
  async trim(maxBytes: number, kept: string): Promise<void> {
    const entries = await this.#entries()
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { key, bytes, lastUse } of entries.sort((a, b) => (a.lastUse ?? 0) - (b.lastUse ?? 0))) {
      if (key === kept) continue
      if (lastUse === undefined) await this.#removeUnfinished(key)
      else if (total > maxBytes) await this.remove(key)
      else continue
      total -= bytes
    }
  }

  /** Unless its writer is at work. */
  async #removeUnfinished(key: string): Promise<void> {
    // Whose lock is taken is being written: nothing to wait for.
    const release = await acquireLock(this.planPath(key), AbortSignal.abort()).catch(() => undefined)
    if (release === undefined) return
    try {
      const names = await readdir(this.#folder)
      const left = names.filter((name) => FILE.exec(name)?.groups?.key === key)
      if (!left.includes(`${key}.engine.json`)) {
        for (const name of left) await rm(join(this.#folder, name), { force: true })
      }
    } finally {
      release()
    }
  }

  /** What is in the folder, by key; `lastUse` is undefined for what was never finished. */
  async #entries(): Promise<{ key: string; bytes: number; lastUse: number | undefined }[]> {
    const entries = new Map<string, { key: string; bytes: number; lastUse: number | undefined }>()
    for (const name of await readdir(this.#folder)) {
      const { key, manifest, temporary } = FILE.exec(name)?.groups ?? {}
      const file = key === undefined ? undefined : await stat(join(this.#folder, name)).catch(() => undefined)
      if (key === undefined || file === undefined) continue
      const entry = entries.get(key) ?? { key, bytes: 0, lastUse: undefined }
      entry.bytes += file.size
      if (manifest !== undefined && temporary === undefined) entry.lastUse = file.mtimeMs
      entries.set(key, entry)
    }
    return [...entries.values()]
  }
}
