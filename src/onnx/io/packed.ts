import type { Int } from './proto.js'
import { Rope } from './rope.js'
import { MemorySource, type Span } from './source.js'
import { BYTES, FIXED32, FIXED64, VARINT, WireReader } from './wire-reader.js'

/** The integers of a repeated field, packed or not. */
export function* packedInts(fields: readonly Span[]): Generator<Int> {
  for (const { reader, to } of readersOf(fields)) {
    while (reader.next(to)) {
      if (reader.wire === VARINT) {
        yield reader.int()
      } else {
        const end = reader.to
        for (reader.seek(reader.from); reader.offset < end; ) yield reader.packedInt(end)
      }
    }
  }
}

/**
 * The bytes of a repeated field of fixed-width numbers, packed or not, little-endian.
 *
 * @param width 4 or 8
 */
export function packedFixed(fields: readonly Span[], width: 4 | 8): Uint8Array {
  const spans = fixedSpans(fields, width)
  const [first] = spans
  if (first === undefined) return new Uint8Array(0)
  if (spans.length === 1) return first.source.read(first.from, first.to)
  return Buffer.concat(spans.map(({ source, from, to }) => Uint8Array.from(source.read(from, to))))
}

/** Where the numbers of {@link packedFixed} are: one span for a packed field. */
export function fixedSpans(fields: readonly Span[], width: 4 | 8): Span[] {
  const spans: Span[] = []
  for (const { reader, to, source } of readersOf(fields)) {
    while (reader.next(to)) {
      const whole = reader.wire === BYTES || reader.wire === (width === 4 ? FIXED32 : FIXED64)
      if (!whole || (reader.to - reader.from) % width !== 0) {
        reader.fail(`is damaged: a list of ${width}-byte numbers at byte ${reader.head}`)
      }
      if (reader.to > reader.from) spans.push({ source, from: reader.from, to: reader.to })
    }
  }
  return spans
}

/** The byte strings of a repeated field, where they are. */
export function* packedBlobs(fields: readonly Span[]): Generator<Span> {
  for (const { reader, to, source } of readersOf(fields)) {
    while (reader.next(to)) yield { source, from: reader.from, to: reader.to }
  }
}

function* readersOf(fields: readonly Span[]): Generator<{ reader: WireReader; to: number; source: Span['source'] }> {
  for (const { source, from, to } of fields) {
    const reader = new WireReader(source)
    reader.seek(from)
    yield { reader, to, source }
  }
}

/** A packed field of integers, for a message of ours. */
export function packInts(field: number, values: Iterable<Int>): Span[] {
  const rope = new Rope()
  for (const value of values) rope.varint(value)
  return rope.size === 0 ? [] : [packedField(field, rope.toBytes())]
}

/** Unpacked integers, as onnx's own serialiser writes those that onnx.proto does not call packed. */
export function repeatInts(field: number, values: Iterable<Int>): Span[] {
  const rope = new Rope()
  for (const value of values) rope.int(field, value)
  return spanOf(rope)
}

/** Unpacked floats. */
export function repeatFloats(field: number, values: Iterable<number>): Span[] {
  const rope = new Rope()
  for (const value of values) rope.float(field, value)
  return spanOf(rope)
}

/** Repeated byte strings or texts. */
export function repeatBlobs(field: number, values: Iterable<string | Uint8Array>): Span[] {
  const rope = new Rope()
  for (const value of values) rope.blob(field, blob(value))
  return spanOf(rope)
}

/** Bytes or a text as the payload of a message of ours. The bytes are not copied. */
export function blob(value: string | Uint8Array): Span {
  const source = new MemorySource(typeof value === 'string' ? Buffer.from(value) : value)
  return { source, from: 0, to: source.size }
}

function packedField(field: number, payload: Uint8Array): Span {
  const rope = new Rope()
  rope.blob(field, blob(payload))
  return blob(rope.toBytes())
}

function spanOf(rope: Rope): Span[] {
  return rope.size === 0 ? [] : [blob(rope.toBytes())]
}
