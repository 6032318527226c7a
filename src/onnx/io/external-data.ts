import { realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, sep, win32 } from 'node:path'
import { messageOf, TrtError } from '../../errors.js'
import { bitsPerElement, byteLength, elementTypeName } from '../data-types.js'
import type { Int, TensorProto } from './proto.js'
import { FileSource, type Span } from './source.js'
import { textOf } from './text.js'

/** Where a tensor's bytes lie outside the model. */
export interface ExternalFile {
  /** As the model has it: relative to the model's folder. */
  readonly location: string
  /** Bytes from the start of the file. */
  readonly offset: number
  /** Bytes of the tensor. */
  readonly length: number
  /** The file, resolved. */
  readonly path: string
}

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1

/** Whether a tensor's bytes lie outside the model. */
export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === EXTERNAL
}

/** Elements of a shape. */
export function countElements(dims: readonly Int[]): number {
  let count = 1
  for (const dim of dims) count *= Number(dim)
  return count
}

/** Resolves external tensors of one model, and refuses what lies outside its folder. */
export class ExternalData {
  readonly #folder: string | undefined
  /** By location: the file's size and resolved path, so that a thousand tensors of one file ask the disk once. */
  readonly #files = new Map<string, { path: string; size: number }>()
  readonly #sources = new Map<string, FileSource>()

  /** @param modelPath undefined for a model given as bytes, which has no folder */
  constructor(modelPath: string | undefined) {
    this.#folder = modelPath === undefined ? undefined : dirname(modelPath)
  }

  /**
   * Finds a tensor's bytes, and checks that they are there.
   *
   * @throws {TrtError} `EXTERNAL_DATA` where the file is missing, too short, or not inside the model's folder (also by
   *   way of a symbolic link, as onnx's own checker refuses it)
   */
  resolve(tensor: TensorProto): ExternalFile {
    const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value ? textOf(value, 2 ** 16) : '']))
    const location = entries.get('location') ?? ''
    const what = `tensor "${tensor.name ?? ''}"`
    const offset = parseBytes(entries.get('offset') ?? '0', 'offset', what)
    const { path, size } = this.#file(location, what)
    const needed = neededBytes(tensor)
    const stated = entries.get('length')
    const length = stated === undefined ? (needed ?? size - offset) : parseBytes(stated, 'length', what)
    if (needed !== undefined && length < needed) {
      throw external(
        `${what} needs ${needed} bytes for its type and shape, its external data "${location}" says ${length}`,
      )
    }
    if (offset + length > size) {
      const found = `${path} has ${size} bytes`
      throw external(`${what} needs bytes ${offset} to ${offset + length} of its external data, and ${found}`, AGAIN)
    }
    return { location, offset, length, path }
  }

  /** A tensor's bytes, to be read when somebody asks. The file stays open as long as the span is in use. */
  span(tensor: TensorProto): Span {
    const { path, offset, length } = this.resolve(tensor)
    let source = this.#sources.get(path)
    if (source === undefined) {
      source = openExternal(path)
      this.#sources.set(path, source)
    }
    const needed = neededBytes(tensor) ?? length
    return { source, from: offset, to: offset + needed }
  }

  #file(location: string, what: string): { path: string; size: number } {
    const known = this.#files.get(location)
    if (known !== undefined) return known
    if (location === '' || location.includes('\0')) throw external(`${what} does not say which file holds its data`)
    if (this.#folder === undefined) {
      throw external(`${what} has its data in "${location}", and a model given as bytes has no folder to look in`, {
        hint: 'Give the path of the model instead of its bytes.',
      })
    }
    // On Linux a backslash is a plain character; it is refused in paths that climb, as the same model may go to Windows.
    if (isAbsolute(location) || win32.isAbsolute(location) || location.split(/[/\\]/).includes('..')) {
      throw external(`${what} has its data at "${location}", which is outside the model's folder`, INSIDE)
    }
    const path = join(this.#folder, location)
    const file = { path, size: this.#size(path, what, location) }
    this.#files.set(location, file)
    return file
  }

  #size(path: string, what: string, location: string): number {
    try {
      const inside = relative(realpathSync(this.#folder as string), realpathSync(path))
      if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
        throw external(`${what} has its data at "${location}", a link to outside the model's folder`, INSIDE)
      }
      const stats = statSync(path)
      if (!stats.isFile()) throw external(`${what} has its data at "${location}", which is not a regular file`)
      return stats.size
    } catch (error) {
      if (error instanceof TrtError) throw error
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const problem = missing ? 'which is missing' : `which cannot be used: ${messageOf(error)}`
      throw external(`${what} has its data in ${path}, ${problem}`, { ...AGAIN, cause: error })
    }
  }
}

function openExternal(path: string): FileSource {
  try {
    return new FileSource(path)
  } catch (error) {
    throw external(`external data in ${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

const INSIDE = {
  hint: "Put the data file itself into the model's folder, and export the model with a plain file name.",
}
const AGAIN = { hint: 'A model with external data is several files: copy or download all of them.' }

function external(message: string, options: { hint?: string; cause?: unknown } = {}): TrtError {
  return new TrtError('EXTERNAL_DATA', message, options)
}

function parseBytes(text: string, key: string, what: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw external(`${what} has external data with ${key} ${JSON.stringify(text)}; expected a number of bytes`)
  }
  return value
}

/** Bytes that the shape asks for; undefined where the type has no fixed size. */
function neededBytes({ dataType, dims }: TensorProto): number | undefined {
  const type = elementTypeName(dataType)
  return bitsPerElement(type) === 0 ? undefined : byteLength(type, countElements(dims))
}
