import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { hashBytes, hashFile } from '../api/manifest.js'
import type { ModelSource } from '../backends/backend.js'
import { TrtError } from '../errors.js'
import type { ModelInfo } from '../onnx/index.js'

/** What tells one model from another. */
export interface ModelHash {
  /** The file's name; absent where the model was given as bytes. It is not part of what tells models apart. */
  readonly name?: string
  readonly sha256: string
  /** The files of external data, by the location that the model has for each. */
  readonly externalData: readonly { readonly location: string; readonly sha256: string }[]
}

/** A {@link ModelHash}, and a way to see whether the files changed since. */
export interface HashedModel {
  readonly hash: ModelHash
  /** @throws {TrtError} `IO_ERROR` where a file of the model is no longer what was hashed */
  checkUnchanged(): Promise<void>
}

/** Hashes a model with its external data, which may be larger than memory. */
export async function hashModel(source: ModelSource, info: ModelInfo, signal?: AbortSignal): Promise<HashedModel> {
  if ('bytes' in source) {
    // A model given as bytes has no external data.
    return { hash: { sha256: await hashBytes(source.bytes), externalData: [] }, checkUnchanged: async () => {} }
  }
  const external = new Map(info.externalFiles.map(({ location, path }) => [location, path]))
  const paths = [source.path, ...external.values()]
  const before = await signatureOf(paths)
  const externalData: { location: string; sha256: string }[] = []
  for (const [location, path] of [...external].sort(([a], [b]) => (a < b ? -1 : 1))) {
    externalData.push({ location, sha256: (await hashFile(path, signal)).sha256 })
  }
  const { sha256 } = await hashFile(source.path, signal)
  return {
    hash: { name: basename(source.path), sha256, externalData },
    checkUnchanged: async () => {
      if ((await signatureOf(paths)) === before) return
      throw new TrtError('IO_ERROR', `${source.path} changed while it was built`, {
        hint: 'call again once whoever writes it is done',
      })
    },
  }
}

/** Changes when one of the files is written or replaced. */
async function signatureOf(paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(paths.map((path) => stat(path, { bigint: true }).catch(() => undefined)))
  return stats.map((file) => `${file?.ino} ${file?.size} ${file?.mtimeNs}`).join()
}
