import { TrtError } from '../errors.js'

/** What the header of a .npy file says. */
export interface NpyHeader {
  /** numpy's type text, e.g. `<f4`. */
  readonly descr: string
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the elements begin, in bytes from the start of the file. */
  readonly dataOffset: number
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

/** Whether `bytes` begins as a .npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte)
}

/**
 * Reads the header of formats 1.0, 2.0 and 3.0: `\x93NUMPY`, two bytes of version, the header's length (2 bytes, from
 * 2.0 on 4 bytes, little-endian), and a Python dict literal with `descr`, `fortran_order` and `shape`.
 *
 * @param what how messages name the file
 * @throws {TrtError} `INVALID_ARGUMENT` where it is no .npy file, or a damaged one
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpyHeader(bytes: Uint8Array, what: string): NpyHeader {
  if (!isNpy(bytes)) {
    throw damaged(what, `it does not begin with "\\x93NUMPY"`, 'write it with numpy.save(path, array)')
  }
  const major = bytes[6]
  if (major === undefined || major < 1 || major > 3) {
    throw damaged(what, `expected .npy format 1.0, 2.0 or 3.0, received ${major}.${bytes[7]}`)
  }
  const textOffset = major === 1 ? 10 : 12
  if (bytes.length < textOffset) throw damaged(what, 'it ends within its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const dataOffset = textOffset + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (bytes.length < dataOffset) throw damaged(what, `its header should end at byte ${dataOffset} of ${bytes.length}`)
  const text = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(textOffset, dataOffset))
  return { ...readDict(text, what), dataOffset }
}

/** The header of format 1.0, padded so that the elements begin at a multiple of 64 bytes. */
export function makeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64
  const header = new Uint8Array(length).fill(0x20)
  header.set([...MAGIC, 1, 0])
  new DataView(header.buffer).setUint16(8, length - 10, true)
  header.set(new TextEncoder().encode(dict), 10)
  header[length - 1] = 0x0a
  return header
}

/** The error of a file that is no sound .npy file. */
export function damaged(what: string, problem: string, hint?: string): TrtError {
  return new TrtError('INVALID_ARGUMENT', `${what} is not a usable .npy file: ${problem}`, { hint })
}

/**
 * The dict literal, as Python writes it: keys in any order and either quote. Regular expressions suffice because each
 * key's value has one form; a structured dtype (a list) matches none and is named as such.
 */
function readDict(text: string, what: string): Omit<NpyHeader, 'dataOffset'> {
  const entry = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\s,L]*)\)|(\[))\s*(?:,|(?=\s*\}))/y
  const open = /^\s*\{/.exec(text)
  if (open === null) throw damaged(what, 'its header is no dict')
  entry.lastIndex = open[0].length
  let descr: string | undefined
  let fortranOrder: boolean | undefined
  let shape: readonly number[] | undefined
  for (;;) {
    const end = entry.lastIndex
    const match = entry.exec(text)
    if (match === null) {
      if (/^\s*\}\s*$/.test(text.slice(end))) break
      const isStructured = /^\s*(['"])descr\1\s*:\s*\[/.test(text.slice(end))
      throw damaged(
        what,
        isStructured ? 'it holds records (a structured dtype)' : 'its header is damaged',
        isStructured ? 'save each field on its own: numpy.save(path, array["field"])' : undefined,
      )
    }
    const [, , key, , string, boolean, tuple] = match
    if (key === 'descr') descr = string
    else if (key === 'fortran_order') fortranOrder = boolean === undefined ? undefined : boolean === 'True'
    else if (key === 'shape') shape = tuple === undefined ? undefined : readTuple(tuple)
    else throw damaged(what, `its header has the unknown key ${JSON.stringify(key)}`)
  }
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    throw damaged(what, 'its header lacks descr, fortran_order or shape')
  }
  return { descr, fortranOrder, shape }
}

/** `3, 4L,` → `[3, 4]` (Python 2 wrote the `L`); `undefined` where it is no tuple of dimensions. */
function readTuple(text: string): readonly number[] | undefined {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.at(-1) === '') parts.pop()
  if (!parts.every((part) => /^\d+L?$/.test(part))) return undefined
  const dims = parts.map((part) => Number.parseInt(part, 10))
  return dims.every(Number.isSafeInteger) ? dims : undefined
}
