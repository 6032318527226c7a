import { TrtError } from '../../errors.js'
import type { ExternalData } from '../io/external-data.js'
import { blob, packedBlobs, packedFixed, packedInts, repeatBlobs, repeatFloats, repeatInts } from '../io/packed.js'
import { type AttributeProto, type Int, newMessage } from '../io/proto.js'
import { textOf } from '../io/text.js'
import type { Graph } from './graph.js'
import { ModelTensor } from './tensor.js'

/** The values of each attribute type. An int is a bigint only where a number would not be exact. */
export interface AttributeValues {
  float: number
  int: Int
  string: string
  tensor: ModelTensor
  graph: Graph
  floats: readonly number[]
  ints: readonly Int[]
  strings: readonly string[]
  tensors: readonly ModelTensor[]
  graphs: readonly Graph[]
}

export type AttributeType = keyof AttributeValues

/** A type and a value of it, e.g. `['int', -1]` or `['floats', [0.5, 2]]`. */
export type AttributeContent = {
  [T in AttributeType]: readonly [type: T, value: AttributeValues[T]]
}[AttributeType]

/** Types that can be looked at as messages only. */
type OtherType = 'sparse_tensor' | 'sparse_tensors' | 'type_proto' | 'type_protos' | 'undefined'

/** Names in order of their numbers in `AttributeProto.AttributeType`. */
const TYPES: readonly (AttributeType | OtherType)[] = [
  'undefined',
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
  'sparse_tensor',
  'sparse_tensors',
  'type_proto',
  'type_protos',
]

/** A named constant of a node. */
export class Attribute {
  /** @internal */
  readonly proto: AttributeProto
  /** The graphs in it: the branches of If, the bodies of Loop and Scan. */
  readonly graphs: readonly Graph[]
  readonly #external: ExternalData

  /** @internal */
  constructor(proto: AttributeProto, external: ExternalData, graphs: readonly Graph[]) {
    this.proto = proto
    this.#external = external
    this.graphs = graphs
  }

  get name(): string {
    return this.proto.name ?? ''
  }

  get type(): AttributeType | OtherType {
    return TYPES[Number(this.proto.type ?? 0)] || guessType(this.proto)
  }

  /** In a function's body: the function's attribute that this one takes its value from. */
  get refName(): string | undefined {
    return this.proto.refAttrName || undefined
  }

  /** The value; undefined for a reference, and for types that are not among {@link AttributeValues}. */
  get value(): AttributeValues[AttributeType] | undefined {
    if (this.refName !== undefined) return undefined
    const { proto } = this
    switch (this.type) {
      case 'float':
        return proto.f ?? 0
      case 'int':
        return proto.i ?? 0
      case 'string':
        return proto.s === undefined ? '' : textOf(proto.s)
      case 'tensor':
        return proto.t && new ModelTensor(proto.t, this.#external)
      case 'graph':
        return this.graphs[0]
      case 'floats':
        return floatsOf(packedFixed(proto.floats, 4))
      case 'ints':
        return [...packedInts(proto.ints)]
      case 'strings':
        return Array.from(packedBlobs(proto.strings), (span) => textOf(span))
      case 'tensors':
        return proto.tensors.map((tensor) => new ModelTensor(tensor, this.#external))
      case 'graphs':
        return this.graphs
      default:
        return undefined
    }
  }

  /** The bytes of a string attribute, which need not be text. */
  get bytes(): Uint8Array | undefined {
    const { s } = this.proto
    return s && Uint8Array.from(s.source.read(s.from, s.to))
  }
}

/** Models of IR version 1 leave the type out. */
function guessType(proto: AttributeProto): AttributeType | OtherType {
  if (proto.f !== undefined) return 'float'
  if (proto.i !== undefined) return 'int'
  if (proto.s !== undefined) return 'string'
  if (proto.t !== undefined) return 'tensor'
  if (proto.g !== undefined) return 'graph'
  if (proto.floats.length > 0) return 'floats'
  if (proto.ints.length > 0) return 'ints'
  if (proto.strings.length > 0) return 'strings'
  if (proto.tensors.length > 0) return 'tensors'
  return proto.graphs.length > 0 ? 'graphs' : 'undefined'
}

/**
 * The message of an attribute.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` where the value is not of the type
 */
export function makeAttribute(
  name: string,
  type: AttributeType,
  value: AttributeValues[AttributeType],
): AttributeProto {
  checkValue(name, type, value)
  return newMessage('AttributeProto', {
    name,
    type: TYPES.indexOf(type),
    ...fieldsOf([type, value] as AttributeContent),
  })
}

function fieldsOf([type, value]: AttributeContent): Partial<AttributeProto> {
  switch (type) {
    case 'float':
      return { f: value }
    case 'int':
      return { i: value }
    case 'string':
      return { s: blob(value) }
    case 'tensor':
      return { t: value.copy(value.name).proto }
    case 'graph':
      return { g: value.graphProto }
    case 'floats':
      return { floats: repeatFloats(7, value) }
    case 'ints':
      return { ints: repeatInts(8, value) }
    case 'strings':
      return { strings: repeatBlobs(9, value) }
    case 'tensors':
      return { tensors: value.map((tensor) => tensor.copy(tensor.name).proto) }
    case 'graphs':
      return { graphs: value.map(({ graphProto }) => graphProto) }
  }
}

function checkValue(name: string, type: AttributeType, value: unknown): void {
  const fits = CHECKS[type]
  if (fits === undefined) invalid(name, `a type, one of ${Object.keys(CHECKS).join(', ')}`, type)
  if (!fits(value)) invalid(name, `a value of type ${type}`, value)
}

const isInt = (value: unknown): boolean =>
  Number.isSafeInteger(value) || (typeof value === 'bigint' && BigInt.asIntN(64, value) === value)
const isFloat = (value: unknown): boolean => typeof value === 'number'
const isText = (value: unknown): boolean => typeof value === 'string'
const isTensor = (value: unknown): boolean => value instanceof ModelTensor
// Graph cannot be imported as a value here: graph.ts imports this file.
const isGraph = (value: unknown): boolean => value instanceof Object && 'graphProto' in value
const listOf = (fits: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(fits)

const CHECKS: Record<AttributeType, (value: unknown) => boolean> = {
  float: isFloat,
  int: isInt,
  string: isText,
  tensor: isTensor,
  graph: isGraph,
  floats: listOf(isFloat),
  ints: listOf(isInt),
  strings: listOf(isText),
  tensors: listOf(isTensor),
  graphs: listOf(isGraph),
}

function invalid(name: string, expected: string, received: unknown): never {
  throw new TrtError('INVALID_ARGUMENT', `attribute "${name}": expected ${expected}, received ${String(received)}`)
}

function floatsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true))
}
