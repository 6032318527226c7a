/**
 * Writes small ONNX models for tests, straight as protocol buffers (field numbers: onnx.proto of ONNX 1.22), so that
 * tests do not depend on the code under test.
 *
 * @example
 * makeModel({
 *   inputs: { x: ['float32', ['N', 3]] },
 *   outputs: { y: ['float32', ['N', 3]] },
 *   initializers: { w: constant('float32', [3], [1, 2, 3]) },
 *   nodes: [node('Add', ['x', 'w'], ['y'])],
 * })
 */
import type { DataType } from '#dist/tensor.js'

/** Element type and dims; a string is a symbolic dimension, and undefined dims an unknown rank. */
export type ValueInfo = readonly [type: DataType | 'string', dims?: readonly (number | string)[]]

export interface GraphSpec {
  readonly name?: string
  readonly inputs?: { readonly [name: string]: ValueInfo }
  readonly outputs: { readonly [name: string]: ValueInfo }
  readonly initializers?: { readonly [name: string]: Constant }
  readonly nodes: readonly NodeSpec[]
}

export interface ModelSpec extends GraphSpec {
  /** ONNX IR version; default 8. */
  readonly ir?: number
  /** Version of the default operator set, or versions by domain (`''` is the default one); default 17. */
  readonly opset?: number | { readonly [domain: string]: number }
}

export interface NodeSpec {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: { readonly [name: string]: Attribute }
  readonly name: string
  readonly domain: string
}

/** An integer is an INT, another number a FLOAT; {@link float} makes a FLOAT of an integer. Arrays likewise. */
export type Attribute = number | string | readonly number[] | Float | Constant | GraphSpec

interface Float {
  readonly float: number | readonly number[]
}

/** A tensor inside a model. */
export interface Constant {
  readonly type: DataType
  readonly dims: readonly number[]
  /** Little-endian elements. */
  readonly bytes?: Uint8Array
  /** In a file beside the model. */
  readonly external?: { readonly location: string; readonly offset?: number; readonly length?: number }
}

/** Where the node has no name given, it is called as its first output. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: { readonly [name: string]: Attribute } = {},
  { name = outputs[0] ?? op, domain = '' }: { name?: string; domain?: string } = {},
): NodeSpec {
  return { op, inputs, outputs, attributes, name, domain }
}

/** `values` are numbers (rounded to the type), or bigint for int64 and uint64; 16-bit floats are bit patterns. */
export function constant(type: DataType, dims: readonly number[], values: readonly (number | bigint)[]): Constant {
  const [width, write] = ELEMENTS[type]
  const view = new DataView(new ArrayBuffer(width * values.length))
  for (const [i, value] of values.entries()) write(view, i * width, value as never)
  return { type, dims, bytes: new Uint8Array(view.buffer) }
}

/** A tensor whose elements are in the file `location` beside the model. */
export function external(
  type: DataType,
  dims: readonly number[],
  location: string,
  range: { offset?: number; length?: number } = {},
): Constant {
  return { type, dims, external: { location, ...range } }
}

/** A FLOAT or FLOATS attribute, where the numbers happen to be integers. */
export function float(value: number | readonly number[]): Float {
  return { float: value }
}

/** The bytes of an .onnx file. Nothing is checked: a test may want a wrong model. */
export function makeModel({ ir = 8, opset = 17, ...graph }: ModelSpec): Uint8Array {
  const opsets = typeof opset === 'number' ? { '': opset } : opset
  return new Message()
    .int(1, ir)
    .text(2, 'tensorrt-node tests')
    .message(7, graphMessage(graph))
    .messages(
      8,
      Object.entries(opsets).map(([domain, version]) => new Message().text(1, domain).int(2, version)),
    )
    .bytes()
}

/**
 * A model that takes as long as it is told: `y` is `rounds`, counted one by one in a Loop (about 1 µs a round in
 * onnxruntime). Both are int64 scalars.
 */
export function slowModel(): Uint8Array {
  const body: GraphSpec = {
    inputs: { i: ['int64', []], go: ['bool', []], count: ['int64', []] },
    outputs: { still: ['bool', []], next: ['int64', []] },
    initializers: { one: constant('int64', [], [1]) },
    nodes: [node('Identity', ['go'], ['still']), node('Add', ['count', 'one'], ['next'])],
  }
  return makeModel({
    inputs: { rounds: ['int64', []] },
    outputs: { y: ['int64', []] },
    initializers: { zero: constant('int64', [], [0]) },
    nodes: [node('Loop', ['rounds', '', 'zero'], ['y'], { body })],
  })
}

function graphMessage({ name = 'test', inputs = {}, outputs, initializers = {}, nodes }: GraphSpec): Message {
  return new Message()
    .messages(1, nodes.map(nodeMessage))
    .text(2, name)
    .messages(
      5,
      Object.entries(initializers).map(([name, value]) => tensorMessage(value, name)),
    )
    .messages(11, Object.entries(inputs).map(valueMessage))
    .messages(12, Object.entries(outputs).map(valueMessage))
}

function nodeMessage({ op, inputs, outputs, attributes, name, domain }: NodeSpec): Message {
  return new Message()
    .texts(1, inputs)
    .texts(2, outputs)
    .text(3, name)
    .text(4, op)
    .messages(5, Object.entries(attributes).map(attributeMessage))
    .text(7, domain)
}

function attributeMessage([name, value]: [string, Attribute]): Message {
  const message = new Message().text(1, name)
  if (typeof value === 'string') return message.text(4, value).int(20, 3)
  if (typeof value === 'number') {
    return Number.isInteger(value) ? message.int(3, value).int(20, 2) : message.float(2, value).int(20, 1)
  }
  if (isArray(value)) {
    if (value.every(Number.isInteger)) return message.ints(8, value).int(20, 7)
    return message.floats(7, value).int(20, 6)
  }
  if ('float' in value) {
    const { float } = value
    return isArray(float) ? message.floats(7, float).int(20, 6) : message.float(2, float).int(20, 1)
  }
  if ('nodes' in value) return message.message(6, graphMessage(value)).int(20, 5)
  return message.message(5, tensorMessage(value)).int(20, 4)
}

function tensorMessage({ type, dims, bytes, external }: Constant, name = ''): Message {
  const message = new Message().ints(1, dims).int(2, TYPE_CODES[type]).text(8, name)
  if (external === undefined) return message.raw(9, bytes ?? new Uint8Array())
  return message
    .messages(
      13,
      Object.entries(external).map(([key, value]) => new Message().text(1, key).text(2, String(value))),
    )
    .int(14, 1)
}

function valueMessage([name, [type, dims]]: [string, ValueInfo]): Message {
  const tensor = new Message().int(1, TYPE_CODES[type])
  if (dims !== undefined) {
    const shape = dims.map((dim) => (typeof dim === 'string' ? new Message().text(2, dim) : new Message().int(1, dim)))
    tensor.message(2, new Message().messages(1, shape))
  }
  return new Message().text(1, name).message(2, new Message().message(1, tensor))
}

/** TensorProto.DataType. */
const TYPE_CODES: Readonly<Record<DataType | 'string', number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  float8e4m3fn: 17,
}

type Write = (view: DataView, at: number, value: never) => void

const ELEMENTS: Readonly<Record<DataType, readonly [width: number, write: Write]>> = {
  float32: [4, (view, at, value) => view.setFloat32(at, value, true)],
  float64: [8, (view, at, value) => view.setFloat64(at, value, true)],
  float16: [2, (view, at, value) => view.setUint16(at, value, true)],
  bfloat16: [2, (view, at, value) => view.setUint16(at, value, true)],
  float8e4m3fn: [1, (view, at, value) => view.setUint8(at, value)],
  int8: [1, (view, at, value) => view.setInt8(at, value)],
  uint8: [1, (view, at, value) => view.setUint8(at, value)],
  bool: [1, (view, at, value) => view.setUint8(at, value)],
  int16: [2, (view, at, value) => view.setInt16(at, value, true)],
  uint16: [2, (view, at, value) => view.setUint16(at, value, true)],
  int32: [4, (view, at, value) => view.setInt32(at, value, true)],
  uint32: [4, (view, at, value) => view.setUint32(at, value, true)],
  int64: [8, (view, at, value) => view.setBigInt64(at, BigInt(value), true)],
  uint64: [8, (view, at, value) => view.setBigUint64(at, BigInt(value), true)],
}

function isArray(value: unknown): value is readonly number[] {
  return Array.isArray(value)
}

/** A protocol buffer under construction: varints (wire type 0), lengths (2) and 32-bit values (5). */
class Message {
  readonly #parts: Uint8Array[] = []

  int(field: number, value: number): this {
    return this.#push(varint(field << 3), varint(value))
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    return this.#push(varint((field << 3) | 5), bytes)
  }

  raw(field: number, bytes: Uint8Array): this {
    return this.#push(varint((field << 3) | 2), varint(bytes.length), bytes)
  }

  text(field: number, text: string): this {
    return this.raw(field, new TextEncoder().encode(text))
  }

  message(field: number, message: Message): this {
    return this.raw(field, message.bytes())
  }

  ints(field: number, values: readonly number[]): this {
    for (const value of values) this.int(field, value)
    return this
  }

  floats(field: number, values: readonly number[]): this {
    for (const value of values) this.float(field, value)
    return this
  }

  texts(field: number, texts: readonly string[]): this {
    for (const text of texts) this.text(field, text)
    return this
  }

  messages(field: number, messages: readonly Message[]): this {
    for (const message of messages) this.message(field, message)
    return this
  }

  bytes(): Uint8Array {
    // Not the Buffer itself: its slice() shares memory, which surprises who treats it as the Uint8Array that it claims to be.
    return new Uint8Array(Buffer.concat(this.#parts))
  }

  #push(...parts: Uint8Array[]): this {
    this.#parts.push(...parts)
    return this
  }
}

/** Negative numbers are their 64-bit two's complement, as int64 fields want them. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
