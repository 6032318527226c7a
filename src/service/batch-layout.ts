/**
 * How single calls become one call along dimension 0, and how its outputs become theirs again. Pure functions: who waits
 * for whom is `batch.ts`'s business.
 *
 * Two calls can be joined where every input has the same type and the same dimensions but the first. Sizes come from the
 * optimization profiles: a joined call is never larger than the largest batch of a profile that takes its other
 * dimensions. Where it is smaller than the smallest one, it is filled up with copies of its last sample, and what comes
 * out for those is dropped; so engines of one fixed batch (`min = opt = max = 8`) take single samples too. Rejected: to
 * wait until enough have come, for nobody knows whether they will.
 */
import type { Engine, Feeds, Results } from '../api/engine.js'
import type { Profile, TensorInfo } from '../backends/backend.js'
import { TrtError } from '../errors.js'
import { BYTES_PER_ELEMENT, checkTensor, elementCount, Tensor } from '../tensor.js'

/**
 * What batching needs of an {@link Engine}. `infer` must be done with the feeds when it resolves: their memory is the next
 * batch's then.
 */
export type Batchable = Pick<Engine, 'inputs' | 'outputs' | 'profiles' | 'infer'>

/** The batches that a profile takes. */
interface BatchRange {
  readonly min: number
  readonly max: number
}

/** A call that can be joined with others of the same {@link key}. */
export interface JoinableFeeds {
  /** Types need not be in it: the engine fixes them. */
  readonly key: string
  /** Size of dimension 0, in every input. */
  readonly rows: number
  /** The batches that may hold it, one range for each profile that takes its other dimensions. At least one. */
  readonly ranges: readonly BatchRange[]
  /** By input, in the engine's order. */
  readonly tensors: ReadonlyMap<string, Tensor>
}

/**
 * Says why an engine's calls can never be joined.
 *
 * @throws {TrtError} `UNSUPPORTED` where an input has no dimension 0, or no profile takes more than one sample
 */
export function checkBatchable({ inputs, profiles }: Batchable): void {
  const scalar = inputs.find(({ shape }) => shape.length === 0)
  if (scalar !== undefined) {
    throw new TrtError('UNSUPPORTED', `batch: the input ${JSON.stringify(scalar.name)} is a scalar: it has no batch`)
  }
  const largest = Math.max(...profiles.map((profile) => batchRange(profile, inputs).max))
  if (largest >= 2) return
  throw new TrtError('UNSUPPORTED', 'batch: no profile of the engine takes more than one sample in a call', {
    hint: `build it with a range of batches, e.g. shapes: { ${inputs.map(({ name, shape }) => proposeRange(name, shape)).join(', ')} }`,
  })
}

/** The call as a {@link JoinableFeeds}; undefined where it cannot be joined, also because something is wrong with it. */
export function toJoinable({ inputs, profiles }: Batchable, feeds: Feeds): JoinableFeeds | undefined {
  if (typeof feeds !== 'object' || feeds === null || Object.keys(feeds).length !== inputs.length) return undefined
  const tensors = new Map<string, Tensor>()
  for (const { name, type } of inputs) {
    const tensor = Object.hasOwn(feeds, name) ? toTensor(feeds[name]) : undefined
    if (tensor?.type !== type) return undefined
    tensors.set(name, tensor)
  }
  const [first] = tensors.values()
  const rows = first?.dims[0] ?? 0
  if (rows === 0 || ![...tensors.values()].every(({ dims }) => dims[0] === rows)) return undefined
  const ranges = profiles
    .filter((profile) => takesOtherDims(profile, tensors))
    .map((profile) => batchRange(profile, inputs))
    .filter(({ min, max }) => min <= max)
  if (!ranges.some(({ max }) => max >= rows)) return undefined
  const key = [...tensors.values()].map(({ dims }) => dims.slice(1).join('x')).join(',')
  return { key, rows, ranges, tensors }
}

/** The most rows that one call may have. */
export function largestBatch(ranges: readonly BatchRange[]): number {
  return Math.max(...ranges.map(({ max }) => max))
}

/** The fewest rows, `rows` or more, that a call may have. @param rows up to {@link largestBatch} */
function fittingBatch(ranges: readonly BatchRange[], rows: number): number {
  return Math.min(...ranges.filter(({ max }) => max >= rows).map(({ min }) => Math.max(min, rows)))
}

/**
 * Where the inputs of one joined call lie: memory that is kept from call to call, grown and never shrunk. Fresh memory for
 * each made a garbage collection out of every seventh batch of PP-OCRv4's classifier (1.8 MB), which then took twice as long.
 */
export class JoinRoom {
  readonly #memory = new Map<string, ArrayBuffer>()

  /** Of the input `name`. @throws {TrtError} `OUT_OF_MEMORY` */
  take(name: string, bytes: number, dims: readonly number[]): ArrayBuffer {
    const kept = this.#memory.get(name)
    if (kept !== undefined && kept.byteLength >= bytes) return kept
    const fresh = allocate(bytes, dims)
    this.#memory.set(name, fresh)
    return fresh
  }
}

/** One call for all of `parts`, which agree in their key, in their order. What lay in `room` before is lost. */
export function joinFeeds(parts: readonly JoinableFeeds[], room: JoinRoom): { feeds: Feeds; rows: number } {
  const [first] = parts as [JoinableFeeds]
  const filled = parts.reduce((sum, part) => sum + part.rows, 0)
  const rows = fittingBatch(first.ranges, filled)
  if (parts.length === 1 && rows === filled) return { feeds: Object.fromEntries(first.tensors), rows }
  const feeds: Record<string, Tensor> = {}
  for (const [name, { type, dims }] of first.tensors) {
    const joinedDims = [rows, ...dims.slice(1)]
    const rowBytes = BYTES_PER_ELEMENT[type] * elementCount(dims.slice(1))
    const bytes = new Uint8Array(room.take(name, rowBytes * rows, joinedDims), 0, rowBytes * rows)
    let end = 0
    for (const part of parts) {
      const { buffer, byteOffset, byteLength } = (part.tensors.get(name) as Tensor).data
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), end)
      end += byteLength
    }
    for (const lastRow = end - rowBytes; end < bytes.length; end += rowBytes) {
      bytes.copyWithin(end, lastRow, lastRow + rowBytes)
    }
    feeds[name] = Tensor.fromBuffer(type, bytes.buffer, joinedDims)
  }
  return { feeds, rows }
}

/**
 * Rows `from` to `from + rows` of each output in `names`, in memory of their own.
 *
 * @param of the rows of the joined call
 * @throws {TrtError} `UNSUPPORTED` where dimension 0 of an output is not the batch
 */
export function takeRows(joined: Results, names: readonly string[], from: number, rows: number, of: number): Results {
  const results: Results = {}
  for (const name of names) {
    const { type, data, dims } = joined[name] as Tensor
    if (dims[0] !== of) throw notTheBatch(name, `${dims.length === 0 ? 'a scalar' : `[${dims}]`} for a batch of ${of}`)
    const step = elementCount(dims.slice(1))
    // A copy: views would keep the whole batch in memory, and one that is transferred would take the others along.
    const { buffer } = data.slice(from * step, (from + rows) * step)
    results[name] = Tensor.fromBuffer(type, buffer, [rows, ...dims.slice(1)])
  }
  return results
}

/** @throws {TrtError} `UNSUPPORTED` where the engine says of an output that dimension 0 is not the batch */
export function checkOutputIsBatched({ name, shape }: TensorInfo, inputs: readonly TensorInfo[]): void {
  const fixed = inputs[0]?.shape[0]
  if (shape[0] === -1 || (shape[0] !== undefined && shape[0] === fixed)) return
  throw notTheBatch(name, shape.length === 0 ? 'a scalar' : `[${shape.map((dim) => (dim < 0 ? '?' : dim))}]`)
}

function notTheBatch(name: string, shape: string): TrtError {
  return new TrtError(
    'UNSUPPORTED',
    `batch: dimension 0 of the output ${JSON.stringify(name)} is not the batch: it is ${shape}`,
    {
      hint: "leave it out, with infer(feeds, { outputs: ['another'] }), or call engine.infer itself",
    },
  )
}

function toTensor(feed: Feeds[string] | undefined): Tensor | undefined {
  if (feed instanceof Tensor) return feed
  try {
    const { type, view, dims } = checkTensor(feed as Feeds[string], '')
    return new Tensor(type, view, dims)
  } catch {
    return undefined
  }
}

function takesOtherDims(profile: Profile, tensors: ReadonlyMap<string, Tensor>): boolean {
  return [...tensors].every(([name, { dims }]) => {
    const { min = [], max = [] } = profile[name] ?? {}
    return (
      dims.length === min.length &&
      dims.every((dim, axis) => axis === 0 || (dim >= (min[axis] ?? 0) && dim <= (max[axis] ?? 0)))
    )
  })
}

/** The batches that every input's range allows; empty (min > max) where they contradict each other. */
function batchRange(profile: Profile, inputs: readonly TensorInfo[]): BatchRange {
  const ranges = inputs.map(({ name }) => profile[name])
  return {
    min: Math.max(1, ...ranges.map((range) => range?.min[0] ?? 1)),
    max: Math.min(...ranges.map((range) => range?.max[0] ?? 0)),
  }
}

function allocate(bytes: number, dims: readonly number[]): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes)
  } catch (error) {
    throw new TrtError('OUT_OF_MEMORY', `batch: no memory for a joined input [${dims}] of ${bytes} bytes`, {
      hint: 'lower maxBatch',
      cause: error,
    })
  }
}

function proposeRange(name: string, shape: readonly number[]): string {
  const of = (batch: number): string => `[${[batch, ...shape.slice(1).map((dim) => (dim < 0 ? '…' : dim))].join(', ')}]`
  return `${JSON.stringify(name)}: { min: ${of(1)}, opt: ${of(4)}, max: ${of(16)} }`
}
