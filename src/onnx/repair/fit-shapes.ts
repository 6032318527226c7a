/**
 * Moves proposed ranges to where the model really runs: convolutions want a least size, and models for pieces of sound often
 * one size only. All dimensions that have a range, the batch excepted, move together, along {@link LADDER}.
 */
import { TrtError } from '../../errors.js'
import type { Tensor } from '../../tensor.js'
import type { ProposedRange } from '../lint/propose-shapes.js'
import type { Runner } from '../run/runner.js'
import type { Feeds } from './proof.js'

/** Sizes that models were made for: of convolutions' least inputs, pictures, and pieces of sound. */
const LADDER = [1, 8, 16, 32, 64, 80, 96, 128, 160, 192, 224, 256, 320, 512, 576, 640, 1024, 1536, 4096, 8000, 16_000]

type Ranges = { readonly [input: string]: ProposedRange }
type Shapes = { readonly [input: string]: readonly number[] }

/** Ranges that the model runs with, and what it gave at their opt. */
export interface Fitted {
  readonly shapes: Ranges
  readonly feeds: Feeds
  readonly results: Record<string, Tensor>
}

/** What a fit needs. */
export interface FitOptions {
  readonly proposed: Ranges
  /** Whether an input's shape is the user's, and stays. */
  readonly isGiven: (input: string) => boolean
  readonly feedsOf: (shapes: Shapes) => Feeds
}

/** See the head of this file. @throws {TrtError} what the first run threw, where no size runs */
export async function fitShapes(runner: Runner, { proposed, isGiven, feedsOf }: FitOptions): Promise<Fitted> {
  const attempt = async (shapes: Shapes): Promise<Omit<Fitted, 'shapes'> | TrtError> => {
    const feeds = feedsOf(shapes)
    try {
      return { feeds, results: await runner.run(feeds) }
    } catch (error) {
      if (error instanceof TrtError && error.code === 'INFERENCE_FAILED') return error
      throw error
    }
  }
  const first = await attempt(mapValues(proposed, ({ opt }) => opt))
  if (!(first instanceof TrtError)) {
    const { least, opt } = sizesOf(proposed, isGiven)
    const runs = async (size: number) => !((await attempt(atSize(proposed, isGiven, size))) instanceof TrtError)
    const size =
      least === opt
        ? opt
        : ((await firstOf(
            LADDER.filter((x) => x >= least && x < opt),
            runs,
          )) ?? opt)
    return { ...first, shapes: withLeast(proposed, isGiven, atSize(proposed, isGiven, size)) }
  }
  for (const size of LADDER) {
    const shapes = atSize(proposed, isGiven, size)
    const run = await attempt(shapes)
    if (!(run instanceof TrtError))
      return { ...run, shapes: mapValues(shapes, (dims) => ({ min: dims, opt: dims, max: dims })) }
  }
  throw first
}

/** The proposed opt, but for dimensions that move, which get this size. */
function atSize(proposed: Ranges, isGiven: FitOptions['isGiven'], size: number): Shapes {
  return mapValues(proposed, (range, name) =>
    range.opt.map((opt, axis) => (!isGiven(name) && moves(range, axis) ? size : opt)),
  )
}

/** A batch, whose opt is 1, and what has one size do not move. */
function moves({ min, opt, max }: ProposedRange, axis: number): boolean {
  return opt[axis] !== 1 && min[axis] !== max[axis]
}

/** The least size of the dimensions that move, and the least of their opts; both 0 where none does. */
function sizesOf(proposed: Ranges, isGiven: FitOptions['isGiven']): { least: number; opt: number } {
  const moving = Object.entries(proposed).flatMap(([name, range]) =>
    isGiven(name)
      ? []
      : range.opt.flatMap((opt, axis) => (moves(range, axis) ? [{ min: range.min[axis] as number, opt }] : [])),
  )
  if (moving.length === 0) return { least: 0, opt: 0 }
  return { least: Math.min(...moving.map(({ min }) => min)), opt: Math.min(...moving.map(({ opt }) => opt)) }
}

function withLeast(proposed: Ranges, isGiven: FitOptions['isGiven'], least: Shapes): Ranges {
  return mapValues(proposed, (range, name) => ({
    ...range,
    min: range.min.map((min, axis) =>
      !isGiven(name) && moves(range, axis) ? Math.max(min, least[name]?.[axis] ?? min) : min,
    ),
  }))
}

async function firstOf(
  sizes: readonly number[],
  fits: (size: number) => Promise<boolean>,
): Promise<number | undefined> {
  for (const size of sizes) if (await fits(size)) return size
  return undefined
}

function mapValues<A, B>(
  object: { readonly [key: string]: A },
  change: (value: A, key: string) => B,
): { [key: string]: B } {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]))
}
