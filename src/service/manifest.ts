/**
 * The manifest beside a cached plan, `PLAN.json`: what the plan is, for people and programs that have no GPU to ask it.
 * It is written after the plan, so a plan with a manifest that fits is a whole one.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Profile } from '../backends/backend.js'
import { isPlainObject } from '../check.js'
import { TrtError } from '../errors.js'
import { openForReading, readError, writeFileAtomic } from '../files.js'
import type { Assumption, ValueInfo } from '../onnx/index.js'
import type { BackendName } from '../options.js'
import type { ModelHash } from './model-hash.js'

const FORMAT = 'tensorrt-node manifest'
const FORMAT_VERSION = 1

/** What a plan is, and how it was made. Plain data, as it stands in the file. */
export interface Manifest {
  readonly format: typeof FORMAT
  /** Of this format: 1. */
  readonly formatVersion: number
  /** What the plan is kept under: a hash of everything that it depends on. */
  readonly key: string
  /** The plan's file. */
  readonly plan: { readonly bytes: number; readonly sha256: string }
  /** What was built. */
  readonly model: ModelHash
  /** The options that shaped the plan, as they were given, but for those that have a place of their own here. */
  readonly options: { readonly [option: string]: unknown }
  /** The plugin libraries that it was built with. */
  readonly plugins: readonly { readonly path: string; readonly sha256: string }[]
  readonly profiles: readonly Profile[]
  readonly backend: BackendName
  readonly backendReason: string
  readonly precision: string
  /** The version of the library that built it. */
  readonly version: string
  /** The version of this package. */
  readonly packageVersion: string
  /** The GPUs that the plan runs on, as compute capabilities; empty where it needs none. */
  readonly computeCapabilities: readonly string[]
  /** The GPU that it was built on, as a compute capability; null where none was asked. */
  readonly gpu: string | null
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly warnings: readonly string[]
  /** What `repair` took for granted: inputs that became constants, and shapes that are fixed. Absent in older manifests. */
  readonly assumptions?: readonly Assumption[]
  /** When, in ISO 8601. */
  readonly builtAt: string
  /** Milliseconds that the build took. */
  readonly durationMs: number
}

/** The manifest's path for a plan's. */
export function manifestPath(plan: string): string {
  return `${plan}.json`
}

/** Writes the manifest of a plan that has been written. */
export async function writeManifest(
  plan: string,
  about: Omit<Manifest, 'format' | 'formatVersion'>,
): Promise<Manifest> {
  const manifest: Manifest = { format: FORMAT, formatVersion: FORMAT_VERSION, ...about }
  await writeFileAtomic(manifestPath(plan), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  return manifest
}

/**
 * The manifest beside `plan`; undefined where there is none, or the file of that name is something else.
 *
 * @throws {TrtError} `IO_ERROR`; `ENGINE_MISMATCH` where a later version of this package wrote it
 */
export async function readManifest(plan: string): Promise<Manifest | undefined> {
  const text = await readFile(manifestPath(plan), 'utf8').catch((error: unknown) => {
    const problem = readError(manifestPath(plan), error)
    if (problem.code === 'FILE_NOT_FOUND') return undefined
    throw problem
  })
  const manifest = text === undefined ? undefined : parse(text)
  if (!isPlainObject(manifest) || manifest.format !== FORMAT) return undefined
  if (manifest.formatVersion !== FORMAT_VERSION) {
    throw new TrtError(
      'ENGINE_MISMATCH',
      `${manifestPath(plan)} is of format ${manifest.formatVersion}, and this version knows ${FORMAT_VERSION}`,
      { hint: 'npm install tensorrt-node@latest' },
    )
  }
  return manifest as unknown as Manifest
}

/**
 * Reads the plan once, and holds it against its manifest.
 *
 * @throws {TrtError} `INVALID_ENGINE` where it is another, or a damaged one; `FILE_NOT_FOUND`, `IO_ERROR`
 */
export async function verifyPlan(plan: string, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  const { bytes, sha256 } = await hashFile(plan, signal)
  if (bytes === manifest.plan.bytes && sha256 === manifest.plan.sha256) return
  throw new TrtError(
    'INVALID_ENGINE',
    `${plan} is not what its manifest says: expected ${manifest.plan.bytes} bytes of SHA-256 ${manifest.plan.sha256}, found ${bytes} bytes of ${sha256}`,
    { hint: 'the plan is damaged, or was replaced: copy both files again, or build it again' },
  )
}

/**
 * A file's length and SHA-256 in hex, read piece by piece.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<{ bytes: number; sha256: string }> {
  const { file } = await openForReading(path)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(path, { fd: file, highWaterMark: 2 ** 20, signal })) {
      bytes += (chunk as Buffer).byteLength
      hash.update(chunk as Buffer)
    }
  } catch (error) {
    if (signal?.aborted) throw new TrtError('ABORTED', `reading ${path} was aborted`, { cause: signal.reason })
    throw readError(path, error)
  }
  return { bytes, sha256: digest(hash) }
}

/** SHA-256 in hex. */
export function sha256Of(bytes: Uint8Array | string): string {
  return digest(createHash('sha256').update(bytes))
}

function digest(hash: Hash): string {
  return hash.digest('hex')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
