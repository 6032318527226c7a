import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The name of the file that `sdk install` leaves beside what it installed. */
export const MANIFEST_NAME = 'manifest.json'

/** A file of an installed package. */
export interface ManifestFile {
  /** Below the package's folder, with `/`. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** What `sdk install` remembers of a package. Written last, so that its presence means the package is whole. */
export interface SdkManifest {
  readonly name: string
  readonly version: string
  /** The package as its registry's client names it, e.g. `'PyPI tensorrt-rtx-cu13-libs==1.7.1.116'`. */
  readonly origin: string
  readonly licence: string
  /** ISO 8601. */
  readonly installedAt: string
  readonly files: readonly ManifestFile[]
}

/** The manifest in a package's folder; `undefined` where there is none, or it is damaged. */
export function readManifest(packageDir: string): SdkManifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(packageDir, MANIFEST_NAME), 'utf8')) as Partial<SdkManifest> | null
    const sound = typeof manifest?.version === 'string' && Array.isArray(manifest.files)
    return sound ? (manifest as SdkManifest) : undefined
  } catch {
    return undefined
  }
}

/** The files of a manifest that are gone or have another size now. Sizes only: hashing gigabytes takes seconds. */
export function damagedFiles(packageDir: string, manifest: SdkManifest): readonly string[] {
  return manifest.files
    .filter(({ path, size }) => statSync(join(packageDir, path), { throwIfNoEntry: false })?.size !== size)
    .map(({ path }) => path)
}
