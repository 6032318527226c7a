import { TrtError } from './errors.js'

/**
 * The element types, named as onnxruntime names them.
 * `float16` and `bfloat16` are 16-bit patterns, `float8e4m3fn` is an 8-bit one (ONNX's FLOAT8E4M3FN, TensorRT's kFP8), `bool`
 * is one byte of 0 or 1.
 */
export type DataType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'

/** The typed arrays that hold each {@link DataType}. */
export interface DataOf {
  float32: Float32Array
  /** IEEE 754 binary16 bit patterns; `Float16Array` is taken too where Node has it (24 and later). */
  float16: Uint16Array
  bfloat16: Uint16Array
  float8e4m3fn: Uint8Array
  float64: Float64Array
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  int64: BigInt64Array
  uint64: BigUint64Array
  bool: Uint8Array
}

/** Any typed array that a tensor may hold. */
export type TensorData = DataOf[DataType]

/** Bytes of one element of each {@link DataType}. */
export const BYTES_PER_ELEMENT: Readonly<Record<DataType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8e4m3fn: 1,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
}

const ARRAY_OF: { [T in DataType]: new (buffer: ArrayBufferLike, offset?: number, length?: number) => DataOf[T] } = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float8e4m3fn: Uint8Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
}

/** Whether `type` names a {@link DataType}. */
export function isDataType(type: unknown): type is DataType {
  return typeof type === 'string' && Object.hasOwn(BYTES_PER_ELEMENT, type)
}

/** The number of elements of a shape; 1 for a scalar (`[]`). */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** By dimension, how many elements lie between two neighbours, in row-major order. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length)
  for (let axis = dims.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= dims[axis] as number
  }
  return strides
}

/** The index for each dimension of the row-major element `at`. */
export function unravel(at: number, dims: readonly number[]): number[] {
  const index: number[] = []
  let rest = at
  for (const dim of dims.toReversed()) {
    index.unshift(rest % dim)
    rest = Math.floor(rest / dim)
  }
  return index
}

/**
 * What `infer` takes: `{ type, dims, data }`, as onnxruntime's own `Tensor` has it, so that either package's tensors
 * go into the other.
 */
export interface TensorLike {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayLike<unknown> | ArrayBufferView
}

/**
 * A typed array with a shape, row-major and contiguous. Holds `data`, never a copy of it.
 *
 * @example
 * const images = new trt.Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224])
 */
export class Tensor<T extends DataType = DataType> {
  readonly type: T
  readonly data: DataOf[T]
  readonly dims: readonly number[]

  /**
   * @param type element type
   * @param data the elements, row-major; a typed array of exactly the type's kind (see {@link DataOf})
   * @param dims the shape, each 0 or more; default: one dimension, as long as `data`
   * @throws {TrtError} `INVALID_ARGUMENT` where type, data and dims do not fit together
   */
  constructor(type: T, data: DataOf[T], dims: readonly number[] = [data?.length]) {
    const { type: checkedType, view } = checkTensor({ type, data, dims }, 'new Tensor')
    this.type = checkedType as T
    this.data = view as DataOf[T]
    this.dims = Object.freeze([...dims])
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length
  }

  /** Where the data is. `run()` of onnxruntime-node asks for it, and so takes these tensors as it takes its own. */
  get location(): 'cpu' {
    return 'cpu'
  }

  /** A tensor over the bytes of `buffer`, not copied: `byteOffset` must suit the type. */
  static fromBuffer<T extends DataType>(
    type: T,
    buffer: ArrayBufferLike,
    dims: readonly number[],
    byteOffset = 0,
  ): Tensor<T> {
    return new Tensor(type, new ARRAY_OF[type](buffer, byteOffset, elementCount(dims)), dims)
  }
}

/**
 * Checks that type, data and dims of `tensor` fit together, and gives the data as this package's array for the type
 * (a `Float16Array` becomes a `Uint16Array` over the same bytes; nothing is copied).
 *
 * @param what how the message names the tensor; a function where the text costs more than the check
 * @param code the code of the error: `INVALID_ARGUMENT`, or `INVALID_INPUT` for the feeds of `infer`
 * @throws {TrtError} `code`
 */
export function checkTensor(
  tensor: TensorLike,
  what: string | (() => string),
  code: 'INVALID_ARGUMENT' | 'INVALID_INPUT' = 'INVALID_ARGUMENT',
): { type: DataType; view: TensorData; dims: readonly number[] } {
  const fail = (expected: string, received: string, hint: string): never => {
    const subject = typeof what === 'string' ? what : what()
    throw new TrtError(code, `${subject}: expected ${expected}, received ${received}`, { hint })
  }
  const example = "e.g. new trt.Tensor('float32', new Float32Array(6), [2, 3])"
  if (tensor === null || typeof tensor !== 'object') fail('a Tensor { type, data, dims }', describe(tensor), example)
  const { type, dims, data } = tensor
  if (!isDataType(type)) {
    return fail(`a type, one of ${Object.keys(BYTES_PER_ELEMENT).join(', ')}`, describe(type), example)
  }
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    fail('dims, an array of integers of 0 or more', describe(dims), example)
  }
  const view = viewOf(type, data)
  if (view === undefined) {
    const array = ARRAY_OF[type].name
    return fail(`data of type ${type} in a ${array}`, describe(data), `convert it: ${array}.from(data)`)
  }
  const count = elementCount(dims)
  if (view.length !== count) {
    fail(
      `${count} elements for dims [${dims.join(',')}]`,
      `${view.length}`,
      'data holds as many elements as the product of dims',
    )
  }
  return { type, view, dims }
}

function viewOf(type: DataType, data: unknown): TensorData | undefined {
  if (data instanceof ARRAY_OF[type]) return data
  // Uint8ClampedArray is what canvases and picture decoders give; Float16Array is there from Node 24 on.
  const sameBytes =
    (type === 'uint8' && data instanceof Uint8ClampedArray) ||
    (type === 'float16' && ArrayBuffer.isView(data) && data.constructor.name === 'Float16Array')
  if (!sameBytes) return undefined
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView
  return new ARRAY_OF[type](buffer, byteOffset, byteLength / BYTES_PER_ELEMENT[type])
}

/** A short text of a value for error messages: its type, and the value itself where it is short. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const length = (value as unknown as ArrayLike<unknown>).length
    const name = Array.isArray(value) ? 'an array' : `a ${value.constructor.name}`
    if (length === undefined) return name
    return length <= 8 && Array.isArray(value) ? `[${value.map(String).join(',')}]` : `${name} of length ${length}`
  }
  switch (typeof value) {
    case 'string':
      return value.length <= 80 ? JSON.stringify(value) : `a string of length ${value.length}`
    case 'object':
      return `an object of class ${(value as object).constructor?.name ?? 'null'}`
    case 'function':
      return 'a function'
    default:
      return String(value)
  }
}
