import { readdirSync, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { readManifest } from './manifest.js'

/**
 * The version of a library, from what stands around it; never by loading it. In this order, by how much each says:
 * the manifest of `sdk install`, the metadata of a Python package, the file's own name.
 *
 * @returns as many numbers as are known, e.g. `'10.15.1.29'` or `'10.15.1'`; `undefined` where nothing says it
 */
export function libraryVersion(library: string): string | undefined {
  const real = realpathSync(library)
  const dir = dirname(real)
  return readManifest(dirname(dir))?.version ?? pythonPackageVersion(dir, majorOf(library)) ?? versionInName(real)
}

function majorOf(library: string): string | undefined {
  return /\.so\.(\d+)/.exec(basename(library))?.[1]
}

/** `libnvinfer.so.10.15.1` says more than `libnvinfer.so.10`, which says nothing that the family does not. */
function versionInName(path: string): string | undefined {
  return /\.so\.(\d+\.\d[\d.]*)$/.exec(basename(path))?.[1]
}

/** A wheel's `<package>_cu13_libs-<version>.dist-info` stands beside its `<package>_libs`. */
function pythonPackageVersion(dir: string, major: string | undefined): string | undefined {
  const name = basename(dir)
  if (!/^tensorrt(_rtx|_lean)?_libs$/.test(name)) return undefined
  const pattern = new RegExp(`^${name.replace(/_libs$/, '')}(?:_cu\\d+)?_libs-(.+)\\.dist-info$`)
  for (const entry of readdirSync(dirname(dir))) {
    const version = pattern.exec(entry)?.[1]
    if (version !== undefined && version.split('.')[0] === major) return version
  }
  return undefined
}
