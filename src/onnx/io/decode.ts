import { Lazy, MESSAGES, type Message, type MessageSpan, type Messages, type MessageType, NONE } from './proto.js'
import { type Field, SCHEMAS, type Schema } from './schema.js'
import type { ByteSource, Span } from './source.js'
import { VARINT, WireReader } from './wire-reader.js'

/**
 * Decodes a whole source as one message. Payloads (see {@link Field}) are left where they are.
 *
 * @throws {TrtError} `INVALID_MODEL` where the bytes are no such message
 */
export function decodeSource<T extends MessageType>(source: ByteSource, type: T): Messages[T] {
  const reader = new WireReader(source)
  const span = { source, field: 0, head: 0, from: 0, to: source.size }
  return decode(reader, SCHEMAS[type], span) as unknown as Messages[T]
}

type Fields = Message & Record<string, unknown>

function decode(reader: WireReader, schema: Schema, span: MessageSpan, merged?: Fields): Fields {
  // A message that comes twice where one is expected is merged, as protobuf says; no span says it all then.
  const message = merged ?? (new MESSAGES[schema.type]() as unknown as Fields)
  message.$span = merged === undefined ? span : undefined
  while (reader.next(span.to)) decodeField(reader, schema, message)
  return message
}

function decodeField(reader: WireReader, schema: Schema, message: Fields): void {
  const field = fieldAt(reader, schema)
  if (field === undefined) {
    message.$unknown = appendRun(message.$unknown, reader)
    return
  }
  const { name } = field
  switch (field.kind) {
    case 'string':
      message[name] = reader.string()
      break
    case 'strings':
      reader.count()
      append(message, name, reader.string())
      break
    case 'int':
      message[name] = reader.int()
      break
    case 'ints':
      decodeInts(reader, name, message)
      break
    case 'float':
      message[name] = reader.float()
      break
    case 'blob':
      message[name] = { source: reader.source, from: reader.from, to: reader.to } satisfies Span
      break
    case 'packed':
      message[name] = appendRun(message[name] as Span[], reader)
      break
    default:
      if (field.lazy) postpone(reader, field, message)
      else decodeMessage(reader, field, message)
  }
}

function decodeMessage(reader: WireReader, field: Field, message: Fields): void {
  const { name } = field
  const inner = SCHEMAS[field.type as MessageType]
  const { source, head, from, to } = reader
  const span = { source, field: field.number, head, from, to }
  if (field.repeated) {
    reader.enter(name, (message[name] as unknown[]).length)
    append(message, name, decode(reader, inner, span))
  } else {
    reader.enter(name, -1)
    message[name] = decode(reader, inner, span, message[name] as Fields | undefined)
  }
  reader.leave(to)
}

/** Checks messages as {@link decode} does, and leaves it to their first user to decode them. */
function postpone(reader: WireReader, field: Field, message: Fields): void {
  let lazy = message[field.slot]
  if (lazy instanceof Postponed) {
    lazy.spans = appendRun(lazy.spans as Span[], reader)
  } else {
    lazy = new Postponed(appendRun(NONE, reader), field, reader.depth)
    message[field.slot] = lazy
  }
  if (skim(reader, field)) (lazy as Postponed).hasGraphs = true
}

class Postponed extends Lazy<unknown> {
  readonly #field: Field
  readonly #depth: number

  constructor(spans: readonly Span[], field: Field, depth: number) {
    super(spans)
    this.#field = field
    this.#depth = depth
  }

  override decode(): unknown {
    return decodeLazy(this.#field, this.spans, this.#depth)
  }
}

/** Checks the current field, a message; returns whether there is a graph in it. */
function skim(reader: WireReader, outer: Field): boolean {
  const schema = SCHEMAS[outer.type as MessageType]
  const { to } = reader
  let hasGraphs = schema.type === 'GraphProto'
  reader.enter(outer.name, -1)
  while (reader.next(to)) {
    const field = fieldAt(reader, schema)
    if (field === undefined) continue
    if (field.kind === 'string' || field.kind === 'strings') reader.checkString()
    else if (field.type !== undefined && skim(reader, field)) hasGraphs = true
  }
  reader.leave(to)
  return hasGraphs
}

function decodeLazy(field: Field, spans: readonly Span[], depth: number): unknown {
  const holder = { [field.name]: field.kind === 'messages' ? [] : undefined } as Fields
  for (const { source, from, to } of spans) {
    const reader = new WireReader(source, depth)
    reader.seek(from)
    while (reader.next(to)) decodeMessage(reader, field, holder)
  }
  return holder[field.name]
}

/** What the schema says about the current field; undefined for one that it does not know. */
function fieldAt(reader: WireReader, schema: Schema): Field | undefined {
  const field = schema.byNumber[reader.field]
  if (field !== undefined && ((field.wires >> reader.wire) & 1) === 0) {
    reader.fail(`is damaged: ${schema.type}.${field.name} at byte ${reader.head} has wire type ${reader.wire}`)
  }
  return field
}

function decodeInts(reader: WireReader, name: string, message: Fields): void {
  if (reader.wire === VARINT) {
    reader.count()
    append(message, name, reader.int())
    return
  }
  const { from, to } = reader
  for (reader.seek(from); reader.offset < to; ) {
    reader.count()
    append(message, name, reader.packedInt(to))
  }
}

/** A list that is empty may be the one that all messages share. */
function append(message: Fields, name: string, value: unknown): void {
  const list = message[name] as unknown[]
  if (list.length === 0) message[name] = [value]
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
