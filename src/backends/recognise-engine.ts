/**
 * Tells from the first bytes what a file is, with no GPU and no TensorRT.
 *
 * TensorRT documents no plan format. What is read here was seen in plans of TensorRT-RTX 1.7.1.116 and is used only to
 * name things in messages and to find truncated files; TensorRT itself has the last word when the plan is loaded:
 *
 * | bytes | content |
 * |---|---|
 * | 0–3 | `vtrt` (TensorRT-RTX, seen), `ftrt` (TensorRT, reported but not seen) |
 * | 16–23 | length of the whole file, little-endian (seen on RTX) |
 * | 24–27 | major, minor, patch and build of the version (build: one byte; seen on RTX) |
 * | 32–35 | the GPUs that the plan was built for, one bit each from 7.5 up (seen on RTX, each bit and all together) |
 */

import { TrtError } from '../errors.js'
import type { ComputeCapability } from '../options.js'
import { ORT_ENGINE_MAGIC } from './onnxruntime/engine-file.js'

/** As many bytes as {@link recogniseEngine} looks at. */
export const HEADER_BYTES = 36

/** What a file is. */
export type EngineKind =
  | { readonly kind: 'tensorrt'; readonly version: string; readonly length: number }
  | {
      readonly kind: 'tensorrt-rtx'
      readonly version: string
      readonly length: number
      /** The GPUs that it was built for; those that this package knows. */
      readonly computeCapabilities: readonly ComputeCapability[]
    }
  | { readonly kind: 'onnxruntime' }

/** In the order of their bits, which is that of `nvinfer1::ComputeCapability`. */
const TARGETS: readonly ComputeCapability[] = ['7.5', '8.0', '8.6', '8.9', '12.0', '12.1']

const PLAN_MAGIC: Readonly<Record<string, 'tensorrt' | 'tensorrt-rtx'>> = { vtrt: 'tensorrt-rtx', ftrt: 'tensorrt' }

/**
 * @param header the file's first {@link HEADER_BYTES} bytes, or fewer where it is shorter
 * @param size the file's length in bytes
 * @param name how the message names the file
 * @throws {TrtError} `INVALID_ENGINE` where it is no engine, or shorter than it says of itself
 */
export function recogniseEngine(header: Uint8Array, size: number, name: string): EngineKind {
  if (size === 0) throw new TrtError('INVALID_ENGINE', `${name} is empty`, { hint: 'build the engine again' })
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength)
  if (bytes.subarray(0, ORT_ENGINE_MAGIC.length).equals(ORT_ENGINE_MAGIC)) return { kind: 'onnxruntime' }
  const kind = PLAN_MAGIC[bytes.toString('latin1', 0, 4)]
  if (kind === undefined) throw notAnEngine(bytes, name)
  if (size < HEADER_BYTES) {
    throw new TrtError('INVALID_ENGINE', `${name} is a ${kind} plan cut off inside its header, at ${size} bytes`, {
      hint: 'copy the file again, or build it again',
    })
  }
  const length = Number(bytes.readBigUInt64LE(16))
  if (kind === 'tensorrt-rtx' && length > size) {
    throw new TrtError(
      'INVALID_ENGINE',
      `${name} is a truncated plan: it says it has ${length} bytes, and has ${size}`,
      {
        hint: 'copy the file again, or build it again',
      },
    )
  }
  const version = [...bytes.subarray(24, 28)].join('.')
  if (kind === 'tensorrt') return { kind, version, length }
  const targets = bytes.readUInt32LE(32)
  return { kind, version, length, computeCapabilities: TARGETS.filter((_, bit) => (targets >> bit) & 1) }
}

function notAnEngine(bytes: Buffer, name: string): TrtError {
  // Field 1 (ir_version) as a varint, which is how every exporter begins an ONNX file.
  if (bytes[0] === 0x08 && bytes.length > 2) {
    return new TrtError('INVALID_ENGINE', `${name} looks like an ONNX model, and not like an engine`, {
      hint: 'build it first: await trt.buildEngine({ onnx }), or: tensorrt-node build MODEL -o ENGINE',
    })
  }
  const text = bytes.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)
  const begins = text
    ? `text, beginning ${JSON.stringify(bytes.toString('latin1', 0, 16))}`
    : `a file beginning ${bytes.toString('hex', 0, 8)}`
  return new TrtError(
    'INVALID_ENGINE',
    `${name} is no engine: expected a TensorRT plan or an engine of this package, found ${begins}`,
    { hint: 'give a file that buildEngine, tensorrt-node build or trtexec made' },
  )
}
