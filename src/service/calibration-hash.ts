/** What tells one calibration from another, without calibrating. */
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hashFile } from '../api/manifest.js'
import { isPlainObject } from '../check.js'
import { TrtError } from '../errors.js'
import { readError, toPath } from '../files.js'
import type { BuildOptions, Calibration } from '../options.js'
import type { TensorLike } from '../tensor.js'

/**
 * `int8` and `fp8` as plain data that says what they depend on: samples by their hash, ranges as they are. The file that
 * keeps ranges is left out, as it is made of what is here.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` for samples that can be read only once; `FILE_NOT_FOUND`, `IO_ERROR`
 */
export async function hashCalibration({
  int8,
  fp8,
}: Pick<BuildOptions, 'int8' | 'fp8'>): Promise<Readonly<Record<string, unknown>>> {
  const hashed: Record<string, unknown> = {}
  for (const [type, options] of Object.entries({ int8, fp8 })) {
    if (options === undefined) continue
    const { cache: _, calibration, ...rest } = options
    hashed[type] = { ...rest, calibration: await identityOf(calibration) }
  }
  return hashed
}

async function identityOf(calibration: Calibration): Promise<unknown> {
  if (typeof calibration === 'string' || calibration instanceof URL)
    return { sha256: await hashPath(toPath(calibration)) }
  if (Array.isArray(calibration)) return { sha256: hashSamples(calibration) }
  if (isPlainObject(calibration) && !(Symbol.iterator in calibration) && !(Symbol.asyncIterator in calibration)) {
    return calibration
  }
  throw new TrtError('INVALID_ARGUMENT', 'cachedEngine: expected calibration by an array, a path or ranges', {
    hint: 'what gives samples one by one is at its end once they are hashed: gather them in an array, or a folder',
  })
}

function hashSamples(samples: readonly { readonly [input: string]: TensorLike }[]): string {
  const hash = createHash('sha256')
  for (const sample of samples) {
    for (const [name, { type, dims, data }] of Object.entries(sample)) {
      const { buffer, byteOffset, byteLength } = data as Uint8Array
      hash.update(JSON.stringify([name, type, dims, byteLength]))
      hash.update(new Uint8Array(buffer, byteOffset, byteLength))
    }
    hash.update('\0')
  }
  return hash.digest('hex')
}

/** Of a file, or of everything in a folder. */
async function hashPath(path: string): Promise<string> {
  const stats = await stat(path).catch((error: unknown) => {
    throw readError(path, error)
  })
  if (!stats.isDirectory()) return (await hashFile(path)).sha256
  const hash = createHash('sha256')
  for (const name of (await readdir(path)).sort()) hash.update(`${name}\0${await hashPath(join(path, name))}\0`)
  return hash.digest('hex')
}
