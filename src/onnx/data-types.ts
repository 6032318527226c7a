import type { DataType } from '../tensor.js'

/** ONNX's element types that {@link DataType} has no typed array for. */
export type OtherElementType =
  | 'string'
  | 'complex64'
  | 'complex128'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'uint4'
  | 'int4'
  | 'uint2'
  | 'int2'
  | 'undefined'

/** Every element type of ONNX up to IR version 13: `TensorProto.DataType`, with this package's names. */
export type ElementType = DataType | OtherElementType

/** Names in order of their numbers in `TensorProto.DataType`. */
const NAMES: readonly ElementType[] = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
]

const BITS: Readonly<Record<ElementType, number>> = {
  undefined: 0,
  string: 0,
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
  uint4: 4,
  int4: 4,
  uint2: 2,
  int2: 2,
}

/** The name of a number in `TensorProto.DataType`; `undefined` (the string) for one that this version does not know. */
export function elementTypeName(number: number | bigint | undefined): ElementType {
  return NAMES[Number(number ?? 0)] ?? 'undefined'
}

/** The number in `TensorProto.DataType`. */
export function elementTypeNumber(type: ElementType): number {
  return NAMES.indexOf(type)
}

/** Bits of one element; 0 for `string` and `undefined`, which have no fixed size. */
export function bitsPerElement(type: ElementType): number {
  return BITS[type]
}

/** Bytes of `count` elements, packed as ONNX packs 2- and 4-bit types (the last byte filled up with zeros). */
export function byteLength(type: ElementType, count: number): number {
  return Math.ceil((count * BITS[type]) / 8)
}
