/**
 * The manifest beside a plan, `PLAN.json`: what the plan is, for people and programs that have no GPU to ask it. Plans in a
 * cache have one, and plans of models that were repaired, since they take things for granted. It is written after the plan,
 * so a plan with a manifest that fits is a whole one.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import type { Profile } from '../backends/backend.js'
import { isPlainObject } from '../check.js'
import { TrtError } from '../errors.js'
import { openForReading, readError, writeFileAtomic } from '../files.js'
import type { Assumption, Fix, Proof, ValueInfo } from '../onnx/index.js'
import type { BackendName } from '../options.js'
import type { BuildResult } from './build-engine.js'

/** The version of this package. */
export const PACKAGE_VERSION = (createRequire(import.meta.url)('../../package.json') as { version: string }).version

/** How much is hashed at once: about half a millisecond. */
const PIECE_BYTES = 2 ** 20

const FORMAT = 'tensorrt-node manifest'
const FORMAT_VERSION = 1

/** What a plan is. Plain data, as it stands in the file. */
export interface PlanManifest {
  readonly format: typeof FORMAT
  /** Of this format: 1. */
  readonly formatVersion: number
  /** The plan's file. */
  readonly plan: { readonly bytes: number; readonly sha256: string }
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
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly warnings: readonly string[]
  /** What `repair` took for granted: inputs that became constants, and shapes that are fixed. Absent in older manifests. */
  readonly assumptions?: readonly Assumption[]
  /** What `repair` changed, and how the outputs compare with the original's; absent where it changed nothing. */
  readonly repair?: { readonly fixes: readonly Fix[]; readonly proof: Proof }
  /** When, in ISO 8601. */
  readonly builtAt: string
  /** Milliseconds that the build took. */
  readonly durationMs: number
}

/** What a manifest says of a plan that was built just now. */
export async function describePlan(built: BuildResult): Promise<PlanManifest> {
  const { plan, profiles, backend, backendReason, precision, version, computeCapabilities } = built
  const { inputs, outputs, warnings, repair, durationMs } = built
  const fixes = repair?.steps.flatMap(({ outcome, fix }) => (outcome === 'kept' ? [fix] : [])) ?? []
  return {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    plan: { bytes: plan.byteLength, sha256: await hashBytes(plan) },
    profiles,
    backend,
    backendReason,
    precision,
    version,
    packageVersion: PACKAGE_VERSION,
    computeCapabilities,
    inputs,
    outputs,
    warnings,
    assumptions: repair?.assumptions ?? [],
    ...(repair?.outcome === 'repaired' && { repair: { fixes, proof: repair.proof } }),
    builtAt: new Date().toISOString(),
    durationMs,
  }
}

/** The manifest's path for a plan's. */
export function manifestPath(plan: string): string {
  return `${plan}.json`
}

/** Writes the manifest of a plan that has been written. @throws {TrtError} `IO_ERROR` */
export async function writeManifest(plan: string, manifest: PlanManifest): Promise<void> {
  await writeFileAtomic(manifestPath(plan), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
}

/** Removes the manifest beside `plan`, where there is one. What else has that name stays. @throws {TrtError} `IO_ERROR` */
export async function removeManifest(plan: string): Promise<void> {
  if (isManifest(await readJson(manifestPath(plan)))) await rm(manifestPath(plan), { force: true })
}

/**
 * What `repair` took for granted in a plan of `bytes` bytes, as its manifest says. Without one, or with one of another
 * plan, nothing: feeding what was assumed is an error all the same, which does not say why then.
 */
export async function readAssumptions(plan: string, bytes: number): Promise<readonly Assumption[]> {
  const manifest = await readManifest(plan).catch(() => undefined)
  return (manifest?.plan.bytes === bytes && manifest.assumptions) || []
}

/**
 * The manifest beside `plan`; undefined where there is none, or the file of that name is something else.
 *
 * @throws {TrtError} `IO_ERROR`; `ENGINE_MISMATCH` where a later version of this package wrote it
 */
export async function readManifest(plan: string): Promise<PlanManifest | undefined> {
  const manifest = await readJson(manifestPath(plan))
  if (!isManifest(manifest)) return undefined
  if (manifest.formatVersion !== FORMAT_VERSION) {
    throw new TrtError(
      'ENGINE_MISMATCH',
      `${manifestPath(plan)} is of format ${manifest.formatVersion}, and this version knows ${FORMAT_VERSION}`,
      { hint: 'npm install tensorrt-node@latest' },
    )
  }
  return manifest
}

/**
 * Reads the plan once, and holds it against its manifest.
 *
 * @throws {TrtError} `INVALID_ENGINE` where it is another, or a damaged one; `FILE_NOT_FOUND`, `IO_ERROR`
 */
export async function verifyPlan(plan: string, manifest: PlanManifest, signal?: AbortSignal): Promise<void> {
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
    for await (const chunk of createReadStream(path, { fd: file, highWaterMark: PIECE_BYTES, signal })) {
      bytes += (chunk as Buffer).byteLength
      hash.update(chunk as Buffer)
    }
  } catch (error) {
    if (signal?.aborted) throw new TrtError('ABORTED', `reading ${path} was aborted`, { cause: signal.reason })
    throw readError(path, error)
  }
  return { bytes, sha256: digest(hash) }
}

/** SHA-256 in hex of what may be large: the event loop turns after every {@link PIECE_BYTES}. */
export async function hashBytes(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let from = 0; from < bytes.byteLength; from += PIECE_BYTES) {
    hash.update(bytes.subarray(from, from + PIECE_BYTES))
    await setImmediate()
  }
  return digest(hash)
}

/** SHA-256 in hex. */
export function sha256Of(text: string): string {
  return digest(createHash('sha256').update(text))
}

function digest(hash: Hash): string {
  return hash.digest('hex')
}

/** What a JSON file holds; undefined where there is none, or it is something else. @throws {TrtError} `IO_ERROR` */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const problem = readError(path, error)
    if (problem.code === 'FILE_NOT_FOUND') return ''
    throw problem
  })
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isManifest(content: unknown): content is PlanManifest {
  return isPlainObject(content) && content.format === FORMAT
}
