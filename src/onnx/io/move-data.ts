import { realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { TrtError } from '../../errors.js'
import { elementTypeName } from '../data-types.js'
import { type ExternalData, isExternal } from './external-data.js'
import { blob } from './packed.js'
import {
  changed,
  type Message,
  type ModelProto,
  newMessage,
  type StringStringEntryProto,
  type TensorProto,
} from './proto.js'
import { Rope } from './rope.js'
import { SCHEMAS } from './schema.js'
import { rawBytes, rawSpan } from './tensor-data.js'
import type { OutputFile } from './write-files.js'

/** Options of `Model.write`. */
export interface WriteOptions {
  /**
   * Where the weights go:
   * - left out: where they are, inside or outside. Written to another folder, outside ones go into one file there
   * - `false`: inside the model
   * - `true` or `{ location, threshold }`: tensors of `threshold` bytes (default 1024) and more into one file beside the
   *   model, as a model over 2 GiB must have it for other software. Default location: the model's name with `.data`
   */
  readonly externalData?: boolean | { readonly location?: string; readonly threshold?: number }
}

/** What is to be written besides the model, and which messages change by it. The model itself stays as it is. */
export interface MovedData {
  readonly replacements: ReadonlyMap<Message, Message>
  readonly files: readonly OutputFile[]
}

const EXTERNAL = 1

/** Offsets are multiples of a page, as onnx.proto advises, so that others can map the file into memory. */
const ALIGNMENT = 4096

/** Decides for every tensor where its elements go. Nothing is read here but tensors in other forms than raw bytes. */
export function moveData(
  model: ModelProto,
  external: ExternalData,
  from: string | undefined,
  to: string,
  { externalData }: WriteOptions,
): MovedData {
  const { location = `${basename(to)}.data`, threshold = 1024 } = typeof externalData === 'object' ? externalData : {}
  checkLocation(location)
  const pack = new DataFile(external, location)
  const replacements = new Map<Message, Message>()
  if (externalData === undefined && from !== undefined && sameFolder(from, to)) return { replacements, files: [] }
  for (const tensor of tensorsOf(model)) {
    const outside = isExternal(tensor)
    if (externalData === undefined) {
      if (outside) replacements.set(tensor, pack.add(tensor))
    } else if (externalData === false) {
      if (outside) replacements.set(tensor, inside(tensor, external))
    } else if (isBig(tensor, external, threshold)) {
      replacements.set(tensor, pack.add(tensor))
    }
  }
  const files = pack.content.size === 0 ? [] : [{ path: resolve(dirname(to), location), content: pack.content }]
  return { replacements, files }
}

/** The file that tensors are gathered in. */
class DataFile {
  readonly content = new Rope()
  readonly #external: ExternalData
  readonly #location: string

  constructor(external: ExternalData, location: string) {
    this.#external = external
    this.#location = location
  }

  /** Appends a tensor's elements; returns the tensor that refers to them. */
  add(tensor: TensorProto): TensorProto {
    const { content } = this
    content.bytes(new Uint8Array(-content.size & (ALIGNMENT - 1)))
    const offset = content.size
    const span = rawSpan(tensor, this.#external)
    if (span === undefined) content.bytes(rawBytes(tensor, this.#external))
    else content.copy(span.source, span.from, span.to)
    const length = content.size - offset
    const externalData = [
      entry('location', this.#location),
      entry('offset', String(offset)),
      entry('length', String(length)),
    ]
    return changed(withoutData(tensor), { dataLocation: EXTERNAL, externalData })
  }
}

function inside(tensor: TensorProto, external: ExternalData): TensorProto {
  return changed(withoutData(tensor), { rawData: external.span(tensor) })
}

function withoutData(tensor: TensorProto): TensorProto {
  const none = { floatData: [], int32Data: [], int64Data: [], doubleData: [], uint64Data: [], externalData: [] }
  return changed(tensor, { ...none, rawData: undefined, dataLocation: undefined })
}

function entry(key: string, value: string): StringStringEntryProto {
  return newMessage('StringStringEntryProto', { key, value: blob(value) })
}

function isBig(tensor: TensorProto, external: ExternalData, threshold: number): boolean {
  const type = elementTypeName(tensor.dataType)
  if (type === 'string' || type === 'undefined') return false
  const span = rawSpan(tensor, external)
  return (span === undefined ? rawBytes(tensor, external).length : span.to - span.from) >= threshold
}

/** Every tensor of a model: of initializers and attributes, in every graph. */
function tensorsOf(message: Message, found: TensorProto[] = []): TensorProto[] {
  if (message.$type === 'TensorProto') found.push(message as TensorProto)
  for (const { name, kind } of SCHEMAS[message.$type].messageFields) {
    const value = (message as unknown as Record<string, unknown>)[name]
    if (kind === 'messages') for (const inner of value as Message[]) tensorsOf(inner, found)
    else if (value !== undefined) tensorsOf(value as Message, found)
  }
  return found
}

function checkLocation(location: string): void {
  if (/^[^/\\\0]+$/.test(location) && location !== '..' && location !== '.') return
  throw new TrtError(
    'INVALID_ARGUMENT',
    `externalData.location: expected a file name, received ${JSON.stringify(location)}`,
    {
      hint: "The file goes into the model's folder.",
    },
  )
}

function sameFolder(one: string, other: string): boolean {
  try {
    return realpathSync(dirname(one)) === realpathSync(dirname(other))
  } catch {
    return false
  }
}
