/**
 * Shapes for the dynamic inputs of a model, to build an engine with where nobody says which.
 *
 * One size stands for one name, over all inputs, since TensorRT ties dimensions of one name
 * (NvInfer.h, `ITensor::setDimensionName`); a name that one input has twice is a mistake of the exporter's, and stands for a
 * size of its own the second time (`rename-repeated-dims` mends it). What a dimension is follows from its name, else from its place: a batch in
 * front, height and width where the rank is 4, else a sequence. An input that carries a state from one call to the next
 * keeps one size.
 */
import type { Dim } from '../value-type.js'

/** The part of an input that is looked at; a `Value` and a `ValueInfo` have it. */
export interface ShapedInput {
  readonly name: string
  readonly dims: readonly Dim[] | undefined
}

/** The range of one input. */
export interface ProposedRange {
  readonly min: readonly number[]
  readonly opt: readonly number[]
  readonly max: readonly number[]
}

/** A fixed shape, or a range, as `buildEngine` takes them. */
export type GivenShape = readonly number[] | ProposedRange

type Sizes = readonly [min: number, opt: number, max: number]

const BATCH: Sizes = [1, 1, 8]
const PIXELS: Sizes = [32, 320, 1280]
const SEQUENCE: Sizes = [1, 128, 512]
const ONE: Sizes = [1, 1, 1]

const BATCH_NAME = /batch|^(n|b|bs|N|B)$/i
const PIXELS_NAME = /height|width|^(h|w)$/i
const SEQUENCE_NAME = /seq|len|time|frame|sample|token|step/i
const STATE_NAME = /(^|[._/])(h|c)(_?[0n])?$|state|hidden|cell|past|cache|mems?$/i

/**
 * Proposes a shape for each dynamic input, ranges with the opt that the engine is to be fastest for.
 *
 * @param given shapes that are decided; their sizes hold for dimensions of the same names elsewhere
 */
export function proposeShapes(
  inputs: readonly ShapedInput[],
  given: { readonly [input: string]: GivenShape } = {},
): Record<string, ProposedRange> {
  const named = new Map<string, Sizes>()
  for (const { name, dims } of inputs) {
    const range = Object.hasOwn(given, name) ? rangeOf(given[name] as GivenShape) : undefined
    for (const [axis, dim] of (range && dims)?.entries() ?? []) {
      const key = keyOf(dim, axis, dims)
      if (key !== undefined && range !== undefined) named.set(key, sizesAt(range, axis))
    }
  }
  const result: Record<string, ProposedRange> = {}
  for (const { name, dims } of inputs) {
    if (Object.hasOwn(given, name)) {
      result[name] = rangeOf(given[name] as GivenShape)
    } else if (dims?.some((dim) => typeof dim !== 'number')) {
      const sizes = dims.map((dim, axis) => sizesOf(name, dim, axis, dims, named))
      result[name] = {
        min: sizes.map(([min]) => min),
        opt: sizes.map(([, opt]) => opt),
        max: sizes.map(([, , max]) => max),
      }
    }
  }
  return result
}

function sizesOf(input: string, dim: Dim, axis: number, dims: readonly Dim[], named: Map<string, Sizes>): Sizes {
  if (typeof dim === 'number') return [dim, dim, dim]
  const byPlace = STATE_NAME.test(input) ? ONE : axis === 0 ? BATCH : dims.length >= 4 ? PIXELS : SEQUENCE
  const key = keyOf(dim, axis, dims)
  if (key === undefined || dim === null) return byPlace
  const known = named.get(key)
  if (known !== undefined) return known
  const sizes = key !== dim ? byPlace : (sizesNamed(dim) ?? byPlace)
  named.set(key, sizes)
  return sizes
}

/** What its name says of a dimension. */
function sizesNamed(name: string): Sizes | undefined {
  if (BATCH_NAME.test(name)) return BATCH
  if (PIXELS_NAME.test(name)) return PIXELS
  return SEQUENCE_NAME.test(name) ? SEQUENCE : undefined
}

/** What a symbolic dimension is kept under: its name, and how often the input had it before; undefined for others. */
function keyOf(dim: Dim, axis: number, dims: readonly Dim[] = []): string | undefined {
  if (typeof dim !== 'string' || dim === '') return undefined
  const before = dims.slice(0, axis).filter((other) => other === dim).length
  return before === 0 ? dim : `${dim} ${before}`
}

function rangeOf(shape: GivenShape): ProposedRange {
  return 'min' in shape ? shape : { min: shape, opt: shape, max: shape }
}

function sizesAt({ min, opt, max }: ProposedRange, axis: number): Sizes {
  return [min[axis] ?? 1, opt[axis] ?? 1, max[axis] ?? 1]
}
