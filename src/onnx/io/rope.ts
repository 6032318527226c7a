import { TrtError } from '../../errors.js'
import type { Int } from './proto.js'
import { type ByteSource, MemorySource, type Span } from './source.js'
import { BYTES, FIXED32, VARINT } from './wire-reader.js'

/** Spans up to this length are copied into the bytes around them rather than kept apart. */
const SHORT = 64

/**
 * A message under construction: a list of spans, some of them of bytes written here. Spans that follow one another in
 * their source become one, so a model in which one node changed is two long copies and a few bytes between them.
 */
export class Rope {
  /** Bytes in all. */
  size = 0
  readonly #spans: { source: ByteSource; from: number; to: number }[] = []

  /** The bytes, in order. */
  get spans(): readonly Span[] {
    return this.#spans
  }

  /** Bytes of a source, as they are. */
  copy(source: ByteSource, from: number, to: number): void {
    if (from === to) return
    this.size += to - from
    const last = this.#spans.at(-1)
    if (last !== undefined && last.source === source && last.to === from) last.to = to
    else this.#spans.push({ source, from, to })
  }

  varint(value: Int): void {
    const page = pageFor(10)
    const from = page.used
    let rest = typeof value === 'number' && value >= 0 ? value : BigInt.asUintN(64, BigInt(value))
    if (typeof rest === 'bigint') {
      for (; rest > 127n; rest >>= 7n) page.bytes[page.used++] = Number(rest & 127n) | 128
    } else {
      for (; rest > 127; rest = Math.floor(rest / 128)) page.bytes[page.used++] = (rest % 128) | 128
    }
    page.bytes[page.used++] = Number(rest)
    this.copy(page.source, from, page.used)
  }

  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire)
  }

  int(field: number, value: Int): void {
    this.tag(field, VARINT)
    this.varint(value)
  }

  float(field: number, value: number): void {
    this.tag(field, FIXED32)
    const page = pageFor(4)
    const from = page.used
    page.used = page.bytes.writeFloatLE(value, from)
    this.copy(page.source, from, page.used)
  }

  string(field: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.tag(field, BYTES)
    this.varint(length)
    const page = pageFor(length)
    const from = page.used
    page.used += page.bytes.write(text, from)
    this.copy(page.source, from, page.used)
  }

  /** Bytes that the caller leaves alone until the rope is written. */
  bytes(bytes: Uint8Array): void {
    this.copy(new MemorySource(bytes), 0, bytes.length)
  }

  blob(field: number, { source, from, to }: Span): void {
    this.tag(field, BYTES)
    this.varint(to - from)
    this.copy(source, from, to)
  }

  /** A nested message. */
  message(field: number, inner: Rope): void {
    this.tag(field, BYTES)
    this.varint(inner.size)
    for (const { source, from, to } of inner.spans) {
      if (to - from <= SHORT && source instanceof MemorySource) this.#rewrite(source.bytes, from, to)
      else this.copy(source, from, to)
    }
  }

  /** @throws {TrtError} `UNSUPPORTED` where no array of Node's can hold it */
  toBytes(): Uint8Array {
    const whole = this.#allocate()
    let at = 0
    for (const { source, from, to } of this.spans) {
      source.readInto(whole.subarray(at, at + to - from), from)
      at += to - from
    }
    return whole
  }

  #rewrite(bytes: Uint8Array, from: number, to: number): void {
    const page = pageFor(to - from)
    const start = page.used
    for (let i = from; i < to; i++) page.bytes[page.used++] = bytes[i] as number
    this.copy(page.source, start, page.used)
  }

  #allocate(): Uint8Array {
    try {
      return new Uint8Array(this.size)
    } catch (error) {
      throw new TrtError('UNSUPPORTED', `the model takes ${this.size} bytes, more than one array can hold`, {
        cause: error,
        hint: 'Write it to a file: await model.write(path)',
      })
    }
  }
}

/** Where new bytes are written, of all ropes one after the other: what one rope writes in a row is one span. */
class Page {
  readonly bytes: Buffer
  readonly source: MemorySource
  used = 0

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.source = new MemorySource(this.bytes)
  }
}

const PAGE = 2 ** 16
let current = new Page(0)

/** The page with room for some more bytes. A full one lives on in the ropes that it has spans in. */
function pageFor(bytes: number): Page {
  if (current.used + bytes > current.bytes.length) current = new Page(Math.max(PAGE, bytes))
  return current
}
