import { TrtError } from '../../errors.js'
import { bitsPerElement, byteLength, type ElementType, elementTypeName } from '../data-types.js'
import { countElements, type ExternalData, isExternal } from './external-data.js'
import { fixedSpans, packedBlobs, packedFixed, packedInts } from './packed.js'
import type { TensorProto } from './proto.js'
import type { Span } from './source.js'

/**
 * Where a tensor's elements lie as ONNX's raw bytes (little-endian, 2- and 4-bit types packed): in the model, or in a
 * file outside. Undefined where they are kept in another form and must be converted, see {@link rawBytes}.
 *
 * @throws {TrtError} `EXTERNAL_DATA`; `INVALID_MODEL` where the bytes do not fit type and shape
 */
export function rawSpan(tensor: TensorProto, external: ExternalData): Span | undefined {
  const type = elementTypeName(tensor.dataType)
  if (type === 'string') return undefined
  if (isExternal(tensor)) return external.span(tensor)
  return checkSpan(tensor, type, tensor.rawData ?? fixedSpan(tensor, type))
}

function fixedSpan(tensor: TensorProto, type: ElementType): Span | undefined {
  const fields = type === 'float32' || type === 'complex64' ? tensor.floatData : tensor.doubleData
  if (fields.length === 0) return undefined
  const spans = fixedSpans(fields, fields === tensor.floatData ? 4 : 8)
  return spans.length === 1 ? spans[0] : undefined
}

function checkSpan(tensor: TensorProto, type: ElementType, span: Span | undefined): Span | undefined {
  if (span !== undefined) checkBytes(tensor, type, span.to - span.from)
  return span
}

function checkBytes(tensor: TensorProto, type: ElementType, bytes: number): void {
  const needed = byteLength(type, countElements(tensor.dims))
  if (bytes === needed) return
  const what = `tensor "${tensor.name ?? ''}" ${type}[${tensor.dims.join(',')}]`
  throw new TrtError('INVALID_MODEL', `${what} needs ${needed} bytes, and has ${bytes}`, {
    hint: 'The model is damaged: export or download it again.',
  })
}

/**
 * A tensor's elements as ONNX's raw bytes. A view where they are in memory as such, so not to be written into.
 *
 * @throws {TrtError} `EXTERNAL_DATA`; `INVALID_MODEL` where the bytes do not fit type and shape;
 *   `INVALID_ARGUMENT` for strings, which have no raw bytes
 */
export function rawBytes(tensor: TensorProto, external: ExternalData): Uint8Array {
  const type = elementTypeName(tensor.dataType)
  if (bitsPerElement(type) === 0) {
    throw new TrtError('INVALID_ARGUMENT', `tensor "${tensor.name ?? ''}" is of type ${type}, which has no raw bytes`)
  }
  const span = rawSpan(tensor, external)
  const bytes = span === undefined ? convert(tensor, type) : span.source.read(span.from, span.to)
  checkBytes(tensor, type, bytes.length)
  return bytes
}

/** The texts of a string tensor. */
export function stringsOf(tensor: TensorProto): string[] {
  return Array.from(packedBlobs(tensor.stringData), ({ source, from, to }) =>
    Buffer.from(source.read(from, to)).toString('utf8'),
  )
}

/** Converts the typed fields of TensorProto. Which type is kept where: onnx.proto, at each of those fields. */
function convert(tensor: TensorProto, type: ElementType): Uint8Array {
  switch (type) {
    case 'float32':
    case 'complex64':
      return packedFixed(tensor.floatData, 4)
    case 'float64':
    case 'complex128':
      return packedFixed(tensor.doubleData, 8)
    case 'int64':
      return bytesOf(BigInt64Array.from(bigints(tensor.int64Data)))
    case 'uint64':
      return bytesOf(BigInt64Array.from(bigints(tensor.uint64Data)))
    case 'uint32':
      return bytesOf(Uint32Array.from(numbers(tensor.uint64Data)))
    case 'int32':
      return bytesOf(Int32Array.from(numbers(tensor.int32Data)))
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return bytesOf(Uint16Array.from(numbers(tensor.int32Data)))
    default:
      // One byte each: also the 2- and 4-bit types, of which an entry holds as many as fit into a byte.
      return Uint8Array.from(numbers(tensor.int32Data))
  }
}

function* numbers(fields: readonly Span[]): Generator<number> {
  for (const int of packedInts(fields)) yield Number(int)
}

function* bigints(fields: readonly Span[]): Generator<bigint> {
  for (const int of packedInts(fields)) yield BigInt(int)
}

// ONNX is little-endian, as is every machine that Node runs on with TensorRT.
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
