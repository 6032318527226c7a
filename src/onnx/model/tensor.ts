import { TrtError } from '../../errors.js'
import { checkTensor, isDataType, Tensor, type TensorLike } from '../../tensor.js'
import { bitsPerElement, byteLength, type ElementType, elementTypeName, elementTypeNumber } from '../data-types.js'
import { countElements, ExternalData, type ExternalFile, isExternal } from '../io/external-data.js'
import { blob, repeatBlobs } from '../io/packed.js'
import { changed, newMessage, type TensorProto } from '../io/proto.js'
import type { Span } from '../io/source.js'
import { rawBytes, rawSpan, stringsOf } from '../io/tensor-data.js'
import { computeStatistics, type TensorStatistics } from './statistics.js'

/** Contents of a tensor that {@link Tensor} has no typed array for. */
export interface RawTensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  /** As ONNX's raw data: little-endian, 2- and 4-bit types packed; texts for `string`. */
  readonly data: Uint8Array | readonly string[]
}

/** A tensor inside a model: an initializer, or an attribute's value. Its elements stay in the file until asked for. */
export class ModelTensor {
  /** @internal */
  readonly proto: TensorProto
  readonly #external: ExternalData

  /** @internal use {@link ModelTensor.from} */
  constructor(proto: TensorProto, external: ExternalData) {
    this.proto = proto
    this.#external = external
  }

  /**
   * A tensor of these elements; `data` is not copied, so leave it alone afterwards.
   *
   * @throws {TrtError} `INVALID_ARGUMENT` where type, dims and data do not fit together
   */
  static from(content: TensorLike | RawTensor, name = ''): ModelTensor {
    const tensor = new ModelTensor(newMessage('TensorProto', { name }), NOWHERE)
    tensor.set(content)
    return tensor
  }

  /** The name; an initializer's is changed by renaming its value. */
  get name(): string {
    return this.proto.name ?? ''
  }

  get type(): ElementType {
    return elementTypeName(this.proto.dataType)
  }

  /** The shape; `[]` for a scalar. */
  get dims(): readonly number[] {
    return this.proto.dims.map(Number)
  }

  /** Number of elements. */
  get size(): number {
    return countElements(this.proto.dims)
  }

  /** Bytes that the elements take raw; 0 for strings. */
  get byteLength(): number {
    return byteLength(this.type, this.size)
  }

  /** Whether the elements are in a file outside the model. */
  get isExternal(): boolean {
    return isExternal(this.proto)
  }

  /**
   * Where that file is; undefined for elements inside the model.
   *
   * @throws {TrtError} `EXTERNAL_DATA` where it is missing, too short, or outside the model's folder
   */
  get externalFile(): ExternalFile | undefined {
    return this.isExternal ? this.#external.resolve(this.proto) : undefined
  }

  /**
   * The elements as ONNX's raw bytes: little-endian, 2- and 4-bit types packed. May be a view into the model: read only.
   *
   * @throws {TrtError} `EXTERNAL_DATA`; `INVALID_MODEL` where they do not fit type and shape; `INVALID_ARGUMENT` for
   *   strings
   */
  bytes(): Uint8Array {
    return rawBytes(this.proto, this.#external)
  }

  /** @internal where {@link bytes} lie; undefined where they are kept in another form */
  span(): Span | undefined {
    return rawSpan(this.proto, this.#external)
  }

  /**
   * The elements in a typed array of their own.
   *
   * @throws {TrtError} as {@link bytes}; `INVALID_ARGUMENT` for types without a typed array (strings, complex, 2- to
   *   8-bit floats, 2- and 4-bit integers)
   */
  toTensor(): Tensor {
    const { type } = this
    if (!isDataType(type)) {
      throw new TrtError('INVALID_ARGUMENT', `tensor "${this.name}" is of type ${type}, which has no typed array`, {
        hint: 'Use bytes(), or strings().',
      })
    }
    const bytes = new Uint8Array(this.bytes())
    return Tensor.fromBuffer(type, bytes.buffer, this.dims)
  }

  /** The texts of a tensor of strings; `[]` for another one. */
  strings(): string[] {
    return stringsOf(this.proto)
  }

  /**
   * Least, greatest, mean and so on, read in pieces, so that memory stays bounded.
   *
   * @throws {TrtError} as {@link bytes}; `INVALID_ARGUMENT` for strings and complex numbers
   */
  statistics(): TensorStatistics {
    return computeStatistics(this)
  }

  /**
   * @internal the same elements, not copied, as a tensor of another name or place
   *
   * @param external what the place resolves external data by; elements in the folder of another model come inside
   */
  copy(name: string, external?: ExternalData): ModelTensor {
    const proto = external === this.#external ? this.proto : inlined(this.proto, this.#external)
    const target = external ?? NOWHERE
    return new ModelTensor(changed(proto, { name }), target)
  }

  /**
   * @internal the same elements, not copied, in another shape of as many
   */
  reshaped(dims: readonly number[]): ModelTensor {
    return new ModelTensor(changed(this.proto, { dims: [...dims] }), this.#external)
  }

  /**
   * Replaces type, shape and elements. `data` is not copied, so leave it alone afterwards.
   *
   * @throws {TrtError} `INVALID_ARGUMENT` where they do not fit together
   */
  set(content: TensorLike | RawTensor): void {
    const { type, dims, data } = checkContent(content, `tensor "${this.name}"`)
    const isText = type === 'string'
    Object.assign(this.proto, {
      $touched: true,
      dims: [...dims],
      dataType: elementTypeNumber(type),
      rawData: isText ? undefined : blob(data as Uint8Array),
      stringData: isText ? repeatBlobs(6, data as string[]) : [],
      floatData: [],
      int32Data: [],
      int64Data: [],
      doubleData: [],
      uint64Data: [],
      externalData: [],
      dataLocation: undefined,
      segment: undefined,
    } satisfies Partial<TensorProto>)
  }
}

/** Bytes of files are in no model's folder once they are a plain span. */
function inlined(proto: TensorProto, external: ExternalData): TensorProto {
  if (!isExternal(proto)) return proto
  const rawData = external.span(proto)
  return changed(proto, { rawData, externalData: [], dataLocation: undefined })
}

/** For tensors that have no file. */
const NOWHERE = new ExternalData(undefined)

function checkContent(content: TensorLike | RawTensor, what: string): RawTensor {
  const { type, dims, data } = content
  if (isDataType(type) && !(data instanceof Uint8Array && (bitsPerElement(type) !== 8 || type === 'int8'))) {
    const { view } = checkTensor(content as TensorLike, what)
    return { type, dims, data: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) }
  }
  const fail = (expected: string, received: string): never => {
    throw new TrtError('INVALID_ARGUMENT', `${what}: expected ${expected}, received ${received}`)
  }
  if (elementTypeNumber(type as ElementType) <= 0) fail('an element type of ONNX', String(type))
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) fail('dims of 0 or more', `[${dims.join(',')}]`)
  const count = countElements(dims)
  const isText = type === 'string'
  if (isText !== Array.isArray(data) || (!isText && !(data instanceof Uint8Array))) {
    fail(isText ? 'an array of texts' : `${type} as raw bytes in a Uint8Array`, typeof data)
  }
  const needed = isText ? count : byteLength(type as ElementType, count)
  const length = (data as ArrayLike<unknown>).length
  if (length !== needed) fail(`${needed} ${isText ? 'texts' : 'bytes'} for dims [${dims.join(',')}]`, `${length}`)
  return content as RawTensor
}
