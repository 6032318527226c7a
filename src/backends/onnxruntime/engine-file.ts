/**
 * The CPU backend's engine file: the model with everything it needs, and the options it was built with, in one file.
 *
 * | bytes | content (integers little-endian) |
 * |---|---|
 * | 0–7 | magic, `TRTNODE\0` |
 * | 8–11 | format version |
 * | 12–15 | length of the JSON header in bytes |
 * | 16–23 | length of the file in bytes |
 * | 24–55 | SHA-256 of bytes 0–23 and 56–end |
 * | 56– | JSON header ({@link OrtEngineHeader}) in UTF-8 |
 * | then | the model, then each file of external data, each at the next multiple of 64 bytes |
 *
 * Bytes 0–55 stay as they are in every later version, so that each version can tell a newer file from a damaged one.
 */
import { createHash } from 'node:crypto'
import { messageOf, TrtError } from '../../errors.js'
import type { PackedModel } from '../../ort/ort-session.js'
import type { BuildSettings, Profile, TensorInfo } from '../backend.js'

/** How an engine file of the CPU backend begins. */
export const ORT_ENGINE_MAGIC: Uint8Array = Buffer.from('TRTNODE\0', 'latin1')

const FORMAT_VERSION = 1
const DIGEST_AT = 24
const PREAMBLE_BYTES = 56
const ALIGNMENT = 64

/** What an engine file says of itself. */
export interface OrtEngineHeader {
  /** The version of onnxruntime-node that it was built with. */
  readonly onnxruntime: string
  /** The model's file name; absent where it was given as bytes. */
  readonly modelName?: string
  /** SHA-256 of the model's bytes, in hex. */
  readonly modelSha256: string
  /** What computes, e.g. `'fp32'`. */
  readonly precision: string
  /** The options it was built with. */
  readonly settings: BuildSettings
  readonly profiles: readonly Profile[]
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
}

/** The parts of the engine file, to be written one after the other; the model's bytes are not copied. */
export function packEngine(header: Omit<OrtEngineHeader, 'modelSha256'>, packed: PackedModel): Uint8Array[] {
  const json = Buffer.from(
    JSON.stringify({
      ...header,
      modelSha256: createHash('sha256').update(packed.model).digest('hex'),
      modelBytes: packed.model.byteLength,
      external: [...packed.external].map(([location, { byteLength }]) => ({ location, byteLength })),
    } satisfies StoredHeader),
  )
  const preamble = Buffer.alloc(PREAMBLE_BYTES)
  const parts: Uint8Array[] = [preamble, json]
  let length = PREAMBLE_BYTES + json.byteLength
  for (const blob of [packed.model, ...packed.external.values()]) {
    parts.push(new Uint8Array(aligned(length) - length), blob)
    length = aligned(length) + blob.byteLength
  }
  preamble.set(ORT_ENGINE_MAGIC)
  preamble.writeUInt32LE(FORMAT_VERSION, 8)
  preamble.writeUInt32LE(json.byteLength, 12)
  preamble.writeBigUInt64LE(BigInt(length), 16)
  preamble.set(digestOf(preamble.subarray(0, DIGEST_AT), ...parts.slice(1)), DIGEST_AT)
  return parts
}

/**
 * Takes an engine file apart; the model's bytes are views.
 * @param name how messages name the file
 * @throws {TrtError} `INVALID_ENGINE` where it is truncated, damaged or something else; `ENGINE_MISMATCH` where a later
 *   version of this package made it
 */
export function unpackEngine(bytes: Uint8Array, name: string): { header: OrtEngineHeader } & PackedModel {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const invalid = (why: string, cause?: unknown) =>
    new TrtError('INVALID_ENGINE', `${name} ${why}`, { hint: 'Copy the file again, or build it again.', cause })
  if (!file.subarray(0, ORT_ENGINE_MAGIC.length).equals(ORT_ENGINE_MAGIC)) {
    throw invalid('is no engine of the CPU backend: expected it to begin with TRTNODE')
  }
  const length = file.length < PREAMBLE_BYTES ? undefined : Number(file.readBigUInt64LE(16))
  if (length !== file.length) {
    throw invalid(
      `is truncated or damaged: expected ${length ?? `at least ${PREAMBLE_BYTES}`} bytes, found ${file.length}`,
    )
  }
  const digest = digestOf(file.subarray(0, DIGEST_AT), file.subarray(PREAMBLE_BYTES))
  if (!digest.equals(file.subarray(DIGEST_AT, PREAMBLE_BYTES))) {
    throw invalid('is damaged: its SHA-256 is not the one that it was written with')
  }
  const version = file.readUInt32LE(8)
  if (version !== FORMAT_VERSION) {
    throw new TrtError(
      'ENGINE_MISMATCH',
      `${name} has format version ${version}; this version reads ${FORMAT_VERSION}`,
      {
        hint: 'Update this package (npm install tensorrt-node@latest), or build the engine again.',
      },
    )
  }
  const jsonEnd = PREAMBLE_BYTES + file.readUInt32LE(12)
  try {
    const header = checkedHeader(JSON.parse(file.toString('utf8', PREAMBLE_BYTES, jsonEnd)))
    let end = jsonEnd
    const next = (byteLength: number): Uint8Array => {
      const start = aligned(end)
      end = start + byteLength
      if (!Number.isSafeInteger(byteLength) || byteLength < 0 || end > file.length)
        throw new Error('a part ends outside')
      return file.subarray(start, end)
    }
    const model = next(header.modelBytes)
    const external = new Map(header.external.map(({ location, byteLength }) => [location, next(byteLength)]))
    return { header, model, external }
  } catch (error) {
    throw invalid(`has a wrong header: ${messageOf(error)}`, error)
  }
}

interface StoredHeader extends OrtEngineHeader {
  readonly modelBytes: number
  readonly external: readonly { readonly location: string; readonly byteLength: number }[]
}

/** The digest vouches for what {@link packEngine} wrote; this stands between us and what somebody else did. */
function checkedHeader(header: StoredHeader): StoredHeader {
  const sound =
    header !== null &&
    typeof header === 'object' &&
    typeof header.precision === 'string' &&
    [header.profiles, header.inputs, header.outputs, header.external].every(Array.isArray) &&
    header.profiles.length > 0 &&
    [...header.profiles, ...header.inputs, ...header.outputs].every(
      (value) => value !== null && typeof value === 'object',
    )
  if (!sound) throw new Error('fields are missing')
  return header
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT
}

function digestOf(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
