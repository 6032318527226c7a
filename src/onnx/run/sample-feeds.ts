import { TrtError } from '../../errors.js'
import { randomTensor, seededRandom, type ValueRange } from '../../npy/random.js'
import { isDataType, type Tensor } from '../../tensor.js'
import type { Model } from '../model/model.js'
import type { Value } from '../model/value.js'

/** Options of {@link sampleFeeds}. */
export interface SampleOptions {
  /** The same seed gives the same values everywhere. Default 0. */
  readonly seed?: number
  /** Shapes of inputs by name; the others follow from `sizes`. */
  readonly shapes?: { readonly [input: string]: readonly number[] }
  /**
   * What stands for dynamic dimensions: `batch` for the first one of an input, `other` for the rest; dimensions of one
   * name get one size. Default: 2 and 8.
   */
  readonly sizes?: { readonly batch: number; readonly other: number }
  /** Where floats lie. Default -1 to 1. */
  readonly range?: ValueRange
}

/** Integers may be indices or lengths of whatever size, so that 0 and 1 are all that is safe to feed. */
const INTEGERS: ValueRange = { low: 0, high: 1 }

/**
 * Random inputs for a model: floats as `range` says, integers and booleans 0 or 1.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` where `shapes` names no input or does not fit one; `UNSUPPORTED` for inputs that
 *   are no tensors of a {@link DataType}, or have no known rank and no shape
 */
export function sampleFeeds(model: Model, options: SampleOptions = {}): Record<string, Tensor> {
  const { seed = 0, shapes = {}, sizes = { batch: 2, other: 8 }, range = { low: -1, high: 1 } } = options
  const inputs = model.graph.fedInputs
  const unknown = Object.keys(shapes).find((name) => !inputs.some((input) => input.name === name))
  if (unknown !== undefined) {
    throw new TrtError('INVALID_ARGUMENT', `shapes: there is no input ${JSON.stringify(unknown)}`, {
      hint: `the inputs are ${inputs.map(({ name }) => name).join(', ')}`,
    })
  }
  const random = seededRandom(seed)
  const named = new Map<string, number>()
  const feeds: Record<string, Tensor> = {}
  for (const input of inputs) {
    const { name, type } = input
    if (!isDataType(type)) {
      throw new TrtError('UNSUPPORTED', `input ${JSON.stringify(name)} is of type ${type}, which cannot be made up`)
    }
    const dims = shapes[name] === undefined ? dimsOf(input, sizes, named) : checkedDims(input, shapes[name])
    feeds[name] = randomTensor(type, dims, random, type.includes('float') ? range : INTEGERS)
  }
  return feeds
}

function dimsOf(
  { name, dims }: Value,
  { batch, other }: NonNullable<SampleOptions['sizes']>,
  named: Map<string, number>,
): number[] {
  if (dims === undefined) {
    throw new TrtError('UNSUPPORTED', `input ${JSON.stringify(name)} has no known rank`, {
      hint: `give its shape: shapes: { ${JSON.stringify(name)}: [1, …] }`,
    })
  }
  return dims.map((dim, axis) => {
    if (typeof dim === 'number') return dim
    const size = axis === 0 ? batch : other
    if (dim === null) return size
    if (!named.has(dim)) named.set(dim, size)
    return named.get(dim) as number
  })
}

function checkedDims({ name, dims }: Value, shape: readonly number[]): readonly number[] {
  const fits = dims?.every((dim, axis) => typeof dim !== 'number' || dim === shape[axis]) ?? true
  if (fits && (dims === undefined || dims.length === shape.length)) return shape
  const expected = dims?.map((dim) => dim ?? '?').join(',')
  throw new TrtError(
    'INVALID_ARGUMENT',
    `shapes: input ${JSON.stringify(name)} is [${expected}], received [${shape.join(',')}]`,
  )
}
