/** How tensors lie in a scratch file between an owner and a child that holds a session: one call at a time in each file. */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ScratchFile } from '../host/scratch-file.js'
import { allocate } from '../memory.js'
import { BYTES_PER_ELEMENT, type DataType, elementCount, isDataType, Tensor } from '../tensor.js'
import { runError } from './ort-errors.js'
import { type OrtModule, unsupportedValue } from './ort-session.js'

/** A tensor's place in a file. */
export interface Placed {
  readonly type: string
  readonly dims: readonly number[]
  /** Bytes from the start of the file, a multiple of {@link ALIGNMENT}. */
  readonly offset: number
}

/** A call: what lies in the file, and what to put there instead. */
export interface Call {
  readonly inputs: { readonly [name: string]: Placed }
  /** Bytes of all inputs together. */
  readonly length: number
  readonly outputs: readonly string[]
}

/** As ArrayBuffers are aligned; enough for every element type, and for a cache line. */
const ALIGNMENT = 64

/** The owner's half of a call: puts the inputs into the file. */
export async function writeCall(
  file: ScratchFile,
  feeds: ReadonlyMap<string, Tensor>,
  outputs: readonly string[],
): Promise<Call> {
  const inputs: Record<string, Placed> = {}
  let length = 0
  for (const [name, { type, dims, data }] of feeds) {
    // An empty tensor takes no place: past the last byte written there would be nothing to read.
    const offset = data.byteLength === 0 ? 0 : nextOffset(length)
    length = Math.max(length, offset + data.byteLength)
    inputs[name] = { type, dims, offset }
    await file.write(data, offset)
  }
  return { inputs, length, outputs }
}

/** The owner's other half: takes the outputs, in the order asked for, out of the file. */
export async function readResults(
  file: ScratchFile,
  names: readonly string[],
  placed: readonly Placed[],
): Promise<Record<string, Tensor>> {
  const results: Record<string, Tensor> = {}
  for (const [index, { type, dims, offset }] of placed.entries()) {
    const name = names[index] as string
    const length = elementCount(dims) * BYTES_PER_ELEMENT[type as DataType]
    const bytes = allocate(length, `output ${JSON.stringify(name)}`)
    await file.read(bytes, offset)
    results[name] = Tensor.fromBuffer(type as DataType, bytes.buffer, dims)
  }
  return results
}

/** The child's side of a file: runs calls out of it, and puts their outputs in the inputs' place. */
export class CallSlot {
  readonly file: ScratchFile
  /** The inputs of the slot's call; kept, since fresh memory costs a page fault per 4 KiB. */
  #memory = allocate(0, 'the inputs')

  constructor(file: ScratchFile) {
    this.file = file
  }

  /** @throws {TrtError} `INFERENCE_FAILED`, `OUT_OF_MEMORY`, `UNSUPPORTED` */
  async run(
    ort: OrtModule,
    session: InferenceSession,
    { inputs, length, outputs }: Call,
    options: InferenceSession.RunOptions = {},
  ): Promise<Placed[]> {
    try {
      if (this.#memory.byteLength < length) this.#memory = allocate(length, 'the inputs')
      this.file.readSync(this.#memory.subarray(0, length), 0)
      const feeds: Record<string, OrtTensor> = {}
      for (const [name, { type, dims, offset }] of Object.entries(inputs)) {
        const { data } = Tensor.fromBuffer(type as DataType, this.#memory.buffer, dims, offset)
        feeds[name] = new ort.Tensor(type as 'float32', data as Float32Array, dims)
      }
      return this.#write(outputs, await session.run(feeds, outputs, options))
    } catch (error) {
      throw runError(error)
    }
  }

  #write(names: readonly string[], results: Readonly<Record<string, OrtTensor>>): Placed[] {
    let end = 0
    return names.map((name): Placed => {
      const { type, dims, data } = results[name] as OrtTensor
      if (!isDataType(type)) throw unsupportedValue('output', name, type)
      const offset = nextOffset(end)
      this.file.writeSync(data as Float32Array, offset)
      end = offset + (data as Float32Array).byteLength
      return { type, dims, offset }
    })
  }
}

/** The first offset from `end` on where a tensor may lie. */
export function nextOffset(end: number): number {
  return Math.ceil(end / ALIGNMENT) * ALIGNMENT
}
