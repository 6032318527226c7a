/** NumPy's .npy files as tensors and back. */
import { BYTES_PER_ELEMENT, type DataType, elementCount, Tensor } from '../tensor.js'
import { damaged, makeNpyHeader, readNpyHeader } from './npy-header.js'

/** numpy's kind and width for each type; NumPy has no bfloat16 and no float8, and ml_dtypes' are saved as raw bytes. */
const DESCR: Readonly<Record<DataType, string>> = {
  float32: '<f4',
  float16: '<f2',
  bfloat16: '<V2',
  float8e4m3fn: '|V1',
  float64: '<f8',
  int8: '|i1',
  uint8: '|u1',
  int16: '<i2',
  uint16: '<u2',
  int32: '<i4',
  uint32: '<u4',
  int64: '<i8',
  uint64: '<u8',
  bool: '|b1',
}

const TYPE_OF = new Map(Object.entries(DESCR).map(([type, descr]) => [descr.slice(1), type as DataType]))

/**
 * Reads a .npy file of format 1.0, 2.0 or 3.0. Big-endian elements and Fortran order are converted, so the tensor is
 * always little-endian and row-major. `V2` (ml_dtypes' bfloat16) becomes `bfloat16`, and
 * `V1` `float8e4m3fn`.
 *
 * @param bytes the whole file; the tensor shares them where they are aligned and need no conversion
 * @param what how messages name the file
 * @throws {TrtError} `INVALID_ARGUMENT` where it is damaged, longer or shorter than its header says, or of a type that
 *   {@link DataType} lacks (complex, text, object)
 */
export function parseNpy(bytes: Uint8Array, what = 'the file'): Tensor {
  const { descr, fortranOrder, shape, dataOffset } = readNpyHeader(bytes, what)
  const type = TYPE_OF.get(descr.slice(1))
  if (type === undefined || !'<>=|'.includes(descr[0] as string)) {
    throw damaged(
      what,
      `its dtype ${JSON.stringify(descr)} is none of ${[...TYPE_OF.values()].join(', ')}`,
      'convert it first: numpy.save(path, array.astype(numpy.float32))',
    )
  }
  const width = BYTES_PER_ELEMENT[type]
  const expected = elementCount(shape) * width
  const received = bytes.length - dataOffset
  if (expected !== received) {
    throw damaged(
      what,
      `a ${type} array of shape (${shape.join(', ')}) has ${expected} bytes, the file holds ${received}`,
    )
  }
  let data = bytes.subarray(dataOffset)
  if (data.byteOffset % width !== 0) data = data.slice()
  if (descr[0] === '>') data = swapBytes(data, width)
  const tensor = Tensor.fromBuffer(type, data.buffer, shape, data.byteOffset)
  if (type === 'bool' && (tensor.data as Uint8Array).some((value) => value > 1)) {
    throw damaged(what, 'it holds a bool that is neither 0 nor 1')
  }
  return fortranOrder && shape.length > 1 ? toRowMajor(tensor) : tensor
}

/** A tensor as the bytes of a .npy file of format 1.0. */
export function formatNpy({ type, dims, data }: Tensor): Uint8Array {
  const header = makeNpyHeader(DESCR[type], dims)
  const bytes = new Uint8Array(header.length + data.byteLength)
  bytes.set(header)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length)
  return bytes
}

function swapBytes(data: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const swapped = Buffer.from(new Uint8Array(data).buffer)
  if (width === 2) swapped.swap16()
  else if (width === 4) swapped.swap32()
  else if (width === 8) swapped.swap64()
  return swapped
}

/** Elements in Fortran order (first index fastest) put in C order (last index fastest). */
function toRowMajor({ type, dims, data }: Tensor): Tensor {
  const result = data.slice()
  const index = dims.map(() => 0)
  const strides = dims.map((_, axis) => elementCount(dims.slice(0, axis)))
  let from = 0
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from] as never
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const dim = dims[axis] as number
      const stride = strides[axis] as number
      from += stride
      if (++(index[axis] as number) < dim) break
      from -= dim * stride
      index[axis] = 0
    }
  }
  return new Tensor(type, result, dims)
}
