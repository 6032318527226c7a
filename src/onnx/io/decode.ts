import { MAX_DEPTH } from './limits.js'
import type { Message, MessageSpan, Messages, MessageType } from './proto.js'
import { type Field, SCHEMAS, type Schema } from './schema.js'
import type { ByteSource, Span } from './source.js'
import { BYTES, FIXED32, VARINT, WireReader } from './wire-reader.js'

/**
 * Decodes a whole source as one message. Payloads (see {@link Field}) are left where they are.
 *
 * @throws {TrtError} `INVALID_MODEL` where the bytes are no such message
 */
export function decodeSource<T extends MessageType>(source: ByteSource, type: T): Messages[T] {
  const reader = new WireReader(source)
  return decode(
    reader,
    SCHEMAS[type],
    { source, field: 0, head: 0, from: 0, to: source.size },
    0,
  ) as unknown as Messages[T]
}

/** A message with no field set. */
export function newMessage<T extends MessageType>(type: T, fields: Partial<Messages[T]> = {}): Messages[T] {
  return Object.assign(BLANKS[type](), fields, { $touched: true }) as unknown as Messages[T]
}

/** Stands for every absent repeated field: replaced at the first element, and frozen so that it stays empty. */
const NONE = Object.freeze([]) as unknown as never[]

type Fields = Message & Record<string, unknown>

/** Makers of blank messages: clones of one template a type, so that V8 gives them all one hidden class. */
const BLANKS = Object.fromEntries(
  Object.values(SCHEMAS).map((schema) => [schema.type, blankMaker(schema)]),
) as unknown as Record<MessageType, () => Fields>

function blankMaker({ type, fields }: Schema): () => Fields {
  const template: Record<string, unknown> = { $type: type, $span: undefined, $touched: false, $unknown: NONE }
  for (const { name, kind } of fields) template[name] = isRepeated(kind) ? NONE : undefined
  return () => ({ ...template }) as Fields
}

function isRepeated(kind: Field['kind']): boolean {
  return kind === 'strings' || kind === 'ints' || kind === 'packed' || kind === 'messages'
}

function decode(reader: WireReader, schema: Schema, span: MessageSpan, depth: number, merged?: Fields): Fields {
  if (depth > MAX_DEPTH) reader.fail(`nests messages deeper than ${MAX_DEPTH}`)
  reader.count()
  const { trail } = reader
  const { from, to } = span
  // A message that comes twice where one is expected is merged, as protobuf says; no span says it all then.
  const message = merged ?? BLANKS[schema.type]()
  message.$span = merged === undefined ? span : undefined
  reader.seek(from)
  while (reader.next(to)) {
    const field = schema.byNumber[reader.field]
    if (field === undefined) {
      message.$unknown = appendRun(message.$unknown, reader)
      continue
    }
    const { name } = field
    switch (field.kind) {
      case 'string':
        expectWire(reader, schema, field, BYTES)
        message[name] = reader.string()
        break
      case 'strings':
        expectWire(reader, schema, field, BYTES)
        reader.count()
        append(message, name, reader.string())
        break
      case 'int':
        expectWire(reader, schema, field, VARINT)
        message[name] = reader.int()
        break
      case 'ints':
        decodeInts(reader, schema, field, message)
        break
      case 'float':
        expectWire(reader, schema, field, FIXED32)
        message[name] = reader.float()
        break
      case 'blob':
        expectWire(reader, schema, field, BYTES)
        message[name] = { source: reader.source, from: reader.from, to: reader.to } satisfies Span
        break
      case 'packed':
        if (reader.wire !== field.element) expectWire(reader, schema, field, BYTES)
        message[name] = appendRun(message[name] as Span[], reader)
        break
      case 'message':
      case 'messages': {
        expectWire(reader, schema, field, BYTES)
        const inner = SCHEMAS[field.type as MessageType]
        const { source, head, from, to } = reader
        const span = { source, field: field.number, head, from, to }
        const one = field.kind === 'message'
        trail.push(name, one ? -1 : (message[name] as unknown[]).length)
        if (one) message[name] = decode(reader, inner, span, depth + 1, message[name] as Fields | undefined)
        else append(message, name, decode(reader, inner, span, depth + 1))
        trail.length -= 2
        reader.seek(to)
      }
    }
  }
  return message
}

function decodeInts(reader: WireReader, schema: Schema, field: Field, message: Fields): void {
  if (reader.wire === VARINT) {
    reader.count()
    append(message, field.name, reader.int())
    return
  }
  expectWire(reader, schema, field, BYTES)
  const { from, to } = reader
  for (reader.seek(from); reader.offset < to; ) {
    reader.count()
    append(message, field.name, reader.packedInt(to))
  }
}

function append(message: Fields, name: string, value: unknown): void {
  const list = message[name] as unknown[]
  if (list === NONE) message[name] = [value]
  else list.push(value)
}

/** Notes the current field as it stands; neighbours become one span, so a million single values cost one. */
function appendRun(runs: Span[], reader: WireReader): Span[] {
  const last = runs.at(-1)
  if (last !== undefined && last.to === reader.head) {
    runs[runs.length - 1] = { source: reader.source, from: last.from, to: reader.to }
    return runs
  }
  reader.count()
  const run = { source: reader.source, from: reader.head, to: reader.to }
  if (runs === NONE) return [run]
  runs.push(run)
  return runs
}

function expectWire(reader: WireReader, schema: Schema, field: Field, wire: number): void {
  if (reader.wire === wire) return
  reader.fail(
    `is damaged: ${schema.type}.${field.name} at byte ${reader.head} has wire type ${reader.wire}, not ${wire}`,
  )
}
