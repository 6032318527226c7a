import { elementCount } from '../tensor.js'
import { elementTypeName } from './data-types.js'
import type { DimensionProto, TensorShapeProto, TypeProto } from './io/proto.js'

/** A dimension: its size, its symbolic name, or null where it is unknown. */
export type Dim = number | string | null

/** Whether a shape has sizes that are not fixed, or is not known at all. */
export function isDynamic({ dims }: { readonly dims?: readonly Dim[] | undefined }): boolean {
  return dims === undefined || dims.some((dim) => typeof dim !== 'number')
}

/** How many elements a shape has; undefined where a size of it is not fixed. */
export function fixedCount(dims: readonly Dim[]): number | undefined {
  return dims.every((dim) => typeof dim === 'number') ? elementCount(dims) : undefined
}

/** The type's name: an element type for tensors, else such as `sequence(float32)`, `optional(…)`, `map(int64,…)`. */
export function typeNameOf(type: TypeProto | undefined): string {
  if (type?.tensorType) return elementTypeName(type.tensorType.elemType)
  if (type?.sparseTensorType) return `sparse_tensor(${elementTypeName(type.sparseTensorType.elemType)})`
  if (type?.sequenceType) return `sequence(${typeNameOf(type.sequenceType.elemType)})`
  if (type?.optionalType) return `optional(${typeNameOf(type.optionalType.elemType)})`
  if (type?.mapType) return `map(${elementTypeName(type.mapType.keyType)},${typeNameOf(type.mapType.valueType)})`
  return 'undefined'
}

/** The shape of a tensor type; undefined where the rank is unknown, or where the type is no tensor. */
export function dimsOf(type: TypeProto | undefined): Dim[] | undefined {
  return shapeOf(type)?.dim.map(dimOf)
}

/** The shape message inside a tensor's type. */
export function shapeOf(type: TypeProto | undefined): TensorShapeProto | undefined {
  return (type?.tensorType ?? type?.sparseTensorType)?.shape
}

/** A negative size is how some exporters write "unknown". */
function dimOf({ dimValue, dimParam }: DimensionProto): Dim {
  if (dimParam) return dimParam
  return typeof dimValue === 'number' && dimValue >= 0 ? dimValue : null
}
