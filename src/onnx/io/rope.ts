import { TrtError } from '../../errors.js'
import type { Int } from './proto.js'
import type { ByteSource, Span } from './source.js'
import { BYTES, FIXED32, VARINT } from './wire-reader.js'

/**
 * A message under construction: literal bytes and spans of sources, in order. Spans that follow one another in their
 * source become one, so a model in which one node changed is two long copies and a few bytes between them.
 */
export class Rope {
  /** Bytes in all. */
  size = 0
  readonly #parts: (Uint8Array | Span)[] = []
  #literal = Buffer.allocUnsafe(64)
  #used = 0

  /** The parts in order. */
  get parts(): readonly (Uint8Array | Span)[] {
    this.#flush()
    return this.#parts
  }

  /** Bytes of a source, as they are. */
  copy(source: ByteSource, from: number, to: number): void {
    if (from === to) return
    this.#flush()
    this.size += to - from
    const last = this.#parts.at(-1)
    if (last !== undefined && !(last instanceof Uint8Array) && last.source === source && last.to === from) {
      this.#parts[this.#parts.length - 1] = { source, from: last.from, to }
    } else {
      this.#parts.push({ source, from, to })
    }
  }

  varint(value: Int): void {
    let rest = typeof value === 'number' && value >= 0 ? value : BigInt.asUintN(64, BigInt(value))
    this.#reserve(10)
    if (typeof rest === 'bigint') {
      for (; rest > 127n; rest >>= 7n) this.#byte(Number(rest & 127n) | 128)
      this.#byte(Number(rest))
      return
    }
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128)
    this.#byte(rest)
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
    this.#reserve(4)
    this.#literal.writeFloatLE(value, this.#used)
    this.#used += 4
    this.size += 4
  }

  string(field: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.tag(field, BYTES)
    this.varint(length)
    this.#reserve(length)
    this.#used += this.#literal.write(text, this.#used)
    this.size += length
  }

  /** Bytes that the caller leaves alone until the rope is written. */
  bytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#flush()
    this.#parts.push(bytes)
    this.size += bytes.length
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
    for (const part of inner.parts) {
      if (!(part instanceof Uint8Array)) this.copy(part.source, part.from, part.to)
      else if (part.length > 256) this.bytes(part)
      else this.#copyLiteral(part)
    }
  }

  /** @throws {TrtError} `UNSUPPORTED` where no buffer of Node's can hold it */
  toBytes(): Uint8Array {
    const whole = this.#allocate()
    let at = 0
    for (const part of this.parts) {
      const length = part instanceof Uint8Array ? part.length : part.to - part.from
      const target = whole.subarray(at, at + length)
      if (part instanceof Uint8Array) target.set(part)
      else part.source.readInto(target, part.from)
      at += length
    }
    return whole
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

  #copyLiteral(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#literal.set(bytes, this.#used)
    this.#used += bytes.length
    this.size += bytes.length
  }

  #byte(byte: number): void {
    this.#literal[this.#used++] = byte
    this.size++
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#literal.length) return
    this.#flush()
    // Buffer.allocUnsafe takes small blocks from a pool, so this costs little for a rope of a few bytes.
    if (bytes > this.#literal.length)
      this.#literal = Buffer.allocUnsafe(Math.max(bytes, this.#parts.length > 0 ? 1024 : 64))
  }

  #flush(): void {
    if (this.#used === 0) return
    this.#parts.push(this.#literal.subarray(0, this.#used))
    this.#literal = this.#literal.subarray(this.#used)
    this.#used = 0
  }
}
