/** What inference knows of a value: its type, and of a tensor the shape too. Immutable. */
import { type ElementType, elementTypeName, elementTypeNumber } from '../data-types.js'
import { newMessage, type TypeProto } from '../io/proto.js'
import { tensorType } from '../model/value.js'
import { type Dim, dimsOf, typeNameOf } from '../value-type.js'

export type Dims = readonly Dim[]

export interface TensorKind {
  readonly kind: 'tensor'
  /** `undefined` (the text) where it is not known. */
  readonly elem: ElementType
  /** Undefined where the rank is not known. */
  readonly dims: Dims | undefined
}

/** A sequence or an optional value of something. */
export interface WrapperKind {
  readonly kind: 'sequence' | 'optional'
  readonly of: ValueKind
}

/** A map or a sparse tensor: passed on as it is declared. */
export interface OtherKind {
  readonly kind: 'other'
  readonly proto: TypeProto
}

export type ValueKind = TensorKind | WrapperKind | OtherKind

/** Of which nothing is known. */
export const UNKNOWN: TensorKind = { kind: 'tensor', elem: 'undefined', dims: undefined }

export function tensor(elem: ElementType, dims?: Dims): TensorKind {
  return { kind: 'tensor', elem, dims }
}

/** What a model declares; {@link UNKNOWN} where it says nothing. */
export function kindOf(type: TypeProto | undefined): ValueKind {
  if (type?.tensorType) return tensor(elementTypeName(type.tensorType.elemType), dimsOf(type)?.map(unlessPlaceholder))
  if (type?.sequenceType) return { kind: 'sequence', of: kindOf(type.sequenceType.elemType) }
  if (type?.optionalType) return { kind: 'optional', of: kindOf(type.optionalType.elemType) }
  return type?.mapType || type?.sparseTensorType ? { kind: 'other', proto: type } : UNKNOWN
}

/** Exporters write these for sizes that have nothing to do with one another. */
const PLACEHOLDER = /^(\?|\*|-1|None|null|unknown)$/

export function unlessPlaceholder(dim: Dim): Dim {
  return typeof dim === 'string' && PLACEHOLDER.test(dim) ? null : dim
}

/** As {@link Value.type} writes it. */
export function kindName(kind: ValueKind): string {
  if (kind.kind === 'tensor') return kind.elem
  return kind.kind === 'other' ? typeNameOf(kind.proto) : `${kind.kind}(${kindName(kind.of)})`
}

/** The kind of a name in a schema, such as `int64` or `sequence(float32)`; undefined for maps. */
export function kindNamed(name: string): ValueKind | undefined {
  const wrapped = /^(sequence|optional)\((.*)\)$/.exec(name)
  if (wrapped !== null) {
    const of = kindNamed(wrapped[2] ?? '')
    return of && { kind: wrapped[1] as WrapperKind['kind'], of }
  }
  return elementTypeNumber(name as ElementType) > 0 ? tensor(name as ElementType) : undefined
}

/** Whether the type is known to the last; the shape need not be. */
export function isTyped(kind: ValueKind): boolean {
  return kind.kind === 'other' || (kind.kind === 'tensor' ? kind.elem !== 'undefined' : isTyped(kind.of))
}

/** Without sizes, as far as they are known: what is left of a value that may be of another shape the next time. */
export function withoutShape(kind: ValueKind): ValueKind {
  if (kind.kind === 'tensor') return tensor(kind.elem)
  return kind.kind === 'other' ? kind : { ...kind, of: withoutShape(kind.of) }
}

/** For people: `float32[N,3]`. */
export function describe(kind: ValueKind): string {
  if (kind.kind === 'other') return kindName(kind)
  if (kind.kind !== 'tensor') return `${kind.kind}(${describe(kind.of)})`
  const elem = kind.elem === 'undefined' ? '?' : kind.elem
  return kind.dims === undefined ? elem : `${elem}[${kind.dims.map((dim) => dim ?? '?').join(',')}]`
}

/** The message that declares it. */
export function protoOf(kind: ValueKind): TypeProto {
  if (kind.kind === 'tensor') return tensorType(kind.elem, kind.dims)
  if (kind.kind === 'other') return kind.proto
  const inner = newMessage('ElementTypeProto', { elemType: protoOf(kind.of) })
  return newMessage('TypeProto', kind.kind === 'sequence' ? { sequenceType: inner } : { optionalType: inner })
}
