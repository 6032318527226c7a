import type { PlanManifest } from '../api/manifest.js'
import type { ModelHash } from './model-hash.js'

/** What a plan in the cache is, and how it was made. Plain data, as it stands in the file. */
export interface Manifest extends PlanManifest {
  /** What the plan is kept under: a hash of everything that it depends on. */
  readonly key: string
  /** What was built. */
  readonly model: ModelHash
  /** The options that shaped the plan, as they were given, but for those that have a place of their own here. */
  readonly options: { readonly [option: string]: unknown }
  /** The plugin libraries that it was built with. */
  readonly plugins: readonly { readonly path: string; readonly sha256: string }[]
  /** The GPU that it was built on, as a compute capability; null where none was asked. */
  readonly gpu: string | null
}

/** Whether a plan of the cache has this manifest. */
export function isCached(manifest: PlanManifest | undefined): manifest is Manifest {
  return manifest !== undefined && 'key' in manifest
}
