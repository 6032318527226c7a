import { type Int, Lazy, type Message } from './proto.js'
import { Rope } from './rope.js'
import { type Field, SCHEMAS } from './schema.js'
import type { Span } from './source.js'

/** Messages to be written in place of others; the model itself stays as it is. */
export type Replacements = ReadonlyMap<Message, Message>

/**
 * Encodes a message. What was not touched is copied as it was read, byte for byte; a touched message is written anew,
 * its fields in order of their numbers, the unknown ones last.
 */
export function encode(message: Message, replacements: Replacements = new Map()): Rope {
  const rope = new Rope()
  const writer = new Encoder(replacements)
  writer.findDirty(message)
  const { $span } = message
  if ($span !== undefined && !writer.isDirty(message)) rope.copy($span.source, $span.from, $span.to)
  else writer.fields(rope, message)
  return rope
}

class Encoder {
  readonly #replacements: Replacements
  readonly #dirty = new Set<Message>()

  constructor(replacements: Replacements) {
    this.#replacements = replacements
  }

  isDirty(message: Message): boolean {
    return this.#dirty.has(message)
  }

  /** Notes every message that was touched, or that has a touched one inside. */
  findDirty(message: Message): boolean {
    let dirty = message.$touched || this.#replacements.has(message)
    for (const { slot, kind } of SCHEMAS[message.$type].messageFields) {
      const value = fieldOf(message, slot)
      if (value instanceof Lazy) continue
      if (kind === 'messages') {
        for (const inner of value as Message[]) dirty = this.findDirty(inner) || dirty
      } else if (value !== undefined) {
        dirty = this.findDirty(value as Message) || dirty
      }
    }
    if (dirty) this.#dirty.add(message)
    return dirty
  }

  fields(rope: Rope, message: Message): void {
    for (const field of SCHEMAS[message.$type].fields) {
      const value = fieldOf(message, field.slot)
      if (value instanceof Lazy) for (const { source, from, to } of value.spans) rope.copy(source, from, to)
      else if (value !== undefined) this.#field(rope, field, value)
    }
    for (const { source, from, to } of message.$unknown) rope.copy(source, from, to)
  }

  #field(rope: Rope, { number, kind }: Field, value: unknown): void {
    switch (kind) {
      case 'string':
        rope.string(number, value as string)
        break
      case 'strings':
        for (const text of value as string[]) rope.string(number, text)
        break
      case 'int':
        rope.int(number, value as Int)
        break
      case 'ints':
        for (const int of value as Int[]) rope.int(number, int)
        break
      case 'float':
        rope.float(number, value as number)
        break
      case 'blob':
        rope.blob(number, value as Span)
        break
      case 'packed':
        for (const { source, from, to } of value as Span[]) rope.copy(source, from, to)
        break
      case 'message':
        this.#message(rope, number, value as Message)
        break
      case 'messages':
        for (const inner of value as Message[]) this.#message(rope, number, inner)
    }
  }

  #message(rope: Rope, number: number, original: Message): void {
    const message = this.#replacements.get(original) ?? original
    const { $span } = message
    if ($span !== undefined && !this.#dirty.has(message)) {
      // Its head can be copied along where it stays the same field, which lets neighbours become one span.
      if ($span.field === number) rope.copy($span.source, $span.head, $span.to)
      else rope.blob(number, $span)
      return
    }
    const inner = new Rope()
    this.fields(inner, message)
    rope.message(number, inner)
  }
}

function fieldOf(message: Message, name: string): unknown {
  return (message as unknown as Record<string, unknown>)[name]
}
