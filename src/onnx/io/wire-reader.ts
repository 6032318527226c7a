import { isUtf8 } from 'node:buffer'
import { TrtError } from '../../errors.js'
import { MAX_DEPTH, MAX_NAME_BYTES, MAX_RECORDS, MAX_TEXT_BYTES } from './limits.js'
import type { ByteSource } from './source.js'

/** Protobuf wire types. */
export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
const START_GROUP = 3
const END_GROUP = 4
export const FIXED32 = 5

const TWO_32 = 2 ** 32

const EMPTY = Buffer.alloc(0)

/**
 * Walks protobuf fields, in memory or in a file of any size. {@link next} reads a field's head and steps over its
 * payload, so payloads that nobody asks for are never read. Everything that damaged bytes can claim (lengths, depth,
 * counts) is checked against what is there, and against the bounds in limits.ts.
 */
export class WireReader {
  /** Number of the current field. */
  field = 0
  /** Wire type of the current field. */
  wire = 0
  /** Offset of the current field's tag. */
  head = 0
  /** Payload of the current field: from… */
  from = 0
  /** …to, exclusive. */
  to = 0
  /** Low and high half of a varint field. */
  low = 0
  high = 0
  readonly source: ByteSource
  #at = 0
  #window: Buffer = EMPTY
  #windowAt = 0
  #records = 0
  /** Messages around the walk, and of each its field's name and index; what is beyond the depth is left over. */
  #depth = 0
  readonly #names: string[] = []
  readonly #indices: number[] = []
  #text = 0

  /** @param depth how deep in messages the walk starts */
  constructor(source: ByteSource, depth = 0) {
    this.source = source
    for (; this.#depth < depth; this.#depth++) {
      this.#names.push('…')
      this.#indices.push(-1)
    }
  }

  /** Goes to an offset, as to a payload's first byte to walk the fields inside. */
  seek(offset: number): void {
    this.#at = offset
  }

  /** Reads the next field before `end`; false at `end`. */
  next(end: number): boolean {
    if (this.#at >= end) return false
    this.head = this.#at
    this.#varint(end)
    const tag = this.low
    this.wire = tag & 7
    this.field = tag >>> 3
    if (this.field === 0 || this.high !== 0) this.fail(`has a damaged field at byte ${this.head}`)
    this.#payload(end, 0)
    return true
  }

  /** The current varint as a signed 64-bit integer: a number where that is exact, else a bigint. */
  int(): number | bigint {
    const high = this.high | 0
    const value = high * TWO_32 + this.low
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(this.low)
  }

  /** A varint inside a packed field, at the current offset. */
  packedInt(end: number): number | bigint {
    this.#varint(end)
    return this.int()
  }

  /** Messages around the walk. */
  get depth(): number {
    return this.#depth
  }

  get offset(): number {
    return this.#at
  }

  /** The current 4-byte payload as a float. */
  float(): number {
    const bytes = this.bytes(this.from, this.to)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true)
  }

  /** The current payload as a name. */
  string(): string {
    const ascii = this.checkString()
    const { from, to } = this
    return this.#window.toString(ascii ? 'latin1' : 'utf8', from - this.#windowAt, to - this.#windowAt)
  }

  /** Checks that the current payload is a name; returns whether it is ASCII, as almost all are. */
  checkString(): boolean {
    const { from, to } = this
    if (to - from > MAX_NAME_BYTES) this.fail(`has a name of ${to - from} bytes`)
    this.#text += to - from
    if (this.#text > MAX_TEXT_BYTES) this.fail(`has more than ${MAX_TEXT_BYTES} bytes of names`)
    this.#fill(from, to)
    const window = this.#window
    const stop = to - this.#windowAt
    for (let i = from - this.#windowAt; i < stop; i++) {
      if ((window[i] as number) < 128) continue
      if (isUtf8(window.subarray(i, stop))) return false
      this.fail(`has a name at byte ${from} that is not UTF-8`)
    }
    return true
  }

  /** Bytes of a range; a view that the next call may overwrite where the source is a file. */
  bytes(from: number, to: number): Uint8Array {
    this.#fill(from, to)
    return this.#window.subarray(from - this.#windowAt, to - this.#windowAt)
  }

  /**
   * Goes into the current field, a message.
   *
   * @param index its place in a list; -1 for one that is in none
   */
  enter(name: string, index: number): void {
    this.count()
    this.#names[this.#depth] = name
    this.#indices[this.#depth] = index
    if (++this.#depth > MAX_DEPTH) this.fail(`nests messages deeper than ${MAX_DEPTH}`)
    this.#at = this.from
  }

  /** Goes on behind a message that ends there. */
  leave(to: number): void {
    this.#depth--
    this.#at = to
  }

  /** Counts one more thing held in memory. */
  count(records = 1): void {
    this.#records += records
    if (this.#records > MAX_RECORDS) this.fail(`has more than ${MAX_RECORDS} nodes, names and dimensions`)
  }

  /** @throws {TrtError} `INVALID_MODEL`, naming the source and the place */
  fail(what: string): never {
    throw new TrtError('INVALID_MODEL', `${this.source.name} ${what}${this.#place()}`, {
      hint: 'It is damaged or no ONNX model: export or download it again.',
    })
  }

  #place(): string {
    const steps = this.#names.slice(0, this.#depth).map((name, i) => {
      const index = this.#indices[i] as number
      return index < 0 ? name : `${name}[${index}]`
    })
    return steps.length === 0 ? '' : ` (in ${steps.join('.')})`
  }

  #payload(end: number, depth: number): void {
    const from = this.#at
    switch (this.wire) {
      case VARINT:
        this.#varint(end)
        break
      case FIXED64:
        this.#step(8, end)
        break
      case FIXED32:
        this.#step(4, end)
        break
      case BYTES: {
        this.#varint(end)
        const length = this.high * TWO_32 + this.low
        this.from = this.#at
        this.#step(length, end)
        this.to = this.#at
        return
      }
      case START_GROUP:
        this.#group(end, depth)
        break
      default:
        this.fail(`has a damaged field at byte ${this.head} (wire type ${this.wire})`)
    }
    this.from = from
    this.to = this.#at
  }

  /** Steps over a group, a form of nesting that protobuf has given up and unknown fields may still use. */
  #group(end: number, depth: number): void {
    const { head, field } = this
    if (depth >= MAX_DEPTH) this.fail(`nests groups deeper than ${MAX_DEPTH}`)
    for (;;) {
      this.#varint(end)
      const inner = this.low >>> 3
      this.wire = this.low & 7
      if (inner === 0) this.fail(`has a damaged group at byte ${head}`)
      if (this.wire === END_GROUP) {
        if (inner !== field) this.fail(`has a damaged group at byte ${head}`)
        break
      }
      this.field = inner
      this.#payload(end, depth + 1)
    }
    this.head = head
    this.field = field
    this.wire = START_GROUP
  }

  #step(length: number, end: number): void {
    if (length > end - this.#at) this.#overrun(length, end)
    this.#at += length
  }

  #overrun(length: number, end: number): never {
    const claim = `the field at byte ${this.head} says ${length} bytes, ${end - this.#at} are left`
    return this.fail(end === this.source.size ? `ends inside a field: ${claim}` : `is damaged: ${claim}`)
  }

  /** Reads a varint into `low` and `high`. */
  #varint(end: number): void {
    let at = this.#at
    if (at >= end) this.#overrun(1, end)
    if (at < this.#windowAt || at + 10 > this.#windowAt + this.#window.length) this.#fill(at, Math.min(at + 10, end))
    const window = this.#window
    const base = this.#windowAt
    let byte = window[at++ - base] as number
    if (byte < 128) {
      this.low = byte
      this.high = 0
      this.#at = at
      return
    }
    let low = byte & 127
    let high = 0
    for (let shift = 7; ; shift += 7) {
      if (shift > 63) this.fail(`has a damaged number at byte ${this.#at}`)
      if (at >= end) this.#overrun(1, end)
      byte = window[at++ - base] as number
      const bits = byte & 127
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 128) break
    }
    this.low = low >>> 0
    this.high = high >>> 0
    this.#at = at
  }

  /** Makes the window hold a range. */
  #fill(from: number, to: number): void {
    if (from >= this.#windowAt && to <= this.#windowAt + this.#window.length) return
    const window = this.source.window(from, to)
    this.#window = window.bytes
    this.#windowAt = window.from
  }
}
