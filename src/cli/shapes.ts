/**
 * Shapes on the command line, in trtexec's own words where it has any:
 *
 *     --shapes 'images:1x3x224x224'                            a fixed shape
 *     --shapes 'ids:1x8..4x128..8x512'                         a range: min..opt..max
 *     --min-shapes ids:1x8 --opt-shapes ids:4x128 --max-shapes ids:8x512
 *                                                              the same range, as trtexec has it
 *     --profile 'ids:1x8..1x64..1x128' --profile 'ids:8x8..8x64..8x128'
 *                                                              several optimization profiles, one each
 *
 * A list is `NAME:DIMS,NAME:DIMS`. Names may hold `:`, `/`, `.`, and even `,`: a name ends at the first colon that
 * dimensions follow up to a comma or the end.
 */
import type { ShapeRange, Shapes } from '../options.js'
import { UsageError } from './command.js'
import { formatShape } from './format.js'

/** The options that {@link toShapes} reads, as commander gives them: each may be repeated. */
export interface ShapeFlags {
  shapes?: readonly string[]
  minShapes?: readonly string[]
  optShapes?: readonly string[]
  maxShapes?: readonly string[]
  profile?: readonly string[]
}

type Dims = readonly number[]

const DIMS = String.raw`-?\d+(?:x-?\d+)*`
const ENTRY = new RegExp(String.raw`(.+?):(${DIMS})(?:\.\.(${DIMS})\.\.(${DIMS}))?(?:,|$)`, 'y')

/**
 * What the option `shapes` of the API shall be; `undefined` where no flag was given.
 *
 * @throws {UsageError} where a list cannot be read, or the flags contradict each other
 */
export function toShapes(flags: ShapeFlags): Shapes | Shapes[] | undefined {
  const single = new Map([...parseShapeList('--shapes', flags.shapes)])
  for (const [name, range] of toRanges(flags)) {
    if (single.has(name)) throw new UsageError(`input "${name}" is both in --shapes and in --min-shapes`)
    single.set(name, range)
  }
  if (flags.profile === undefined) return single.size === 0 ? undefined : Object.fromEntries(single)
  if (single.size > 0) {
    throw new UsageError(
      '--profile cannot be combined with --shapes, --min-shapes, --opt-shapes or --max-shapes',
      'each --profile names every dynamic input: --profile NAME:MIN..OPT..MAX,…',
    )
  }
  return flags.profile.map((text) => Object.fromEntries(parseShapeList('--profile', [text])))
}

/**
 * Reads lists of shapes and ranges.
 *
 * @throws {UsageError} where a list cannot be read, or names an input twice
 */
export function parseShapeList(flag: string, texts: readonly string[] = []): Map<string, Dims | ShapeRange> {
  const shapes = new Map<string, Dims | ShapeRange>()
  for (const text of texts) {
    let position = 0
    while (position < text.length) {
      ENTRY.lastIndex = position
      const [, name, first, opt, max] = ENTRY.exec(text) ?? []
      if (name === undefined || first === undefined) {
        throw new UsageError(
          `${flag}: expected NAME:DIMS or NAME:MIN..OPT..MAX, received "${text.slice(position)}"`,
          `for example ${flag} images:1x3x224x224`,
        )
      }
      if (shapes.has(name)) throw new UsageError(`${flag}: input "${name}" is named twice`)
      position = ENTRY.lastIndex
      const isFixed = opt === undefined || max === undefined
      shapes.set(name, isFixed ? toDims(first) : { min: toDims(first), opt: toDims(opt), max: toDims(max) })
    }
  }
  return shapes
}

/** {@link parseShapeList} where a range makes no sense. */
export function parseFixedShapes(flag: string, texts: readonly string[] | undefined): Map<string, Dims> {
  const shapes = new Map<string, Dims>()
  for (const [name, shape] of parseShapeList(flag, texts)) {
    if ('min' in shape) throw new UsageError(`${flag}: expected one shape for "${name}", received a range`)
    shapes.set(name, shape)
  }
  return shapes
}

/** A profile as {@link toShapes} reads it: what to put behind `--shapes` or `--profile`. */
export function formatProfile(shapes: Shapes): string {
  return Object.entries(shapes)
    .map(([name, shape]) => `${name}:${formatRange(shape)}`)
    .join(',')
}

/** A shape, or a range as `min..opt..max` where it is no single shape. */
export function formatRange(shape: Dims | ShapeRange): string {
  if (!('min' in shape)) return formatShape(shape)
  const texts = [shape.min, shape.opt, shape.max].map(formatShape)
  return texts[0] === texts[2] ? (texts[0] as string) : texts.join('..')
}

function toRanges(flags: ShapeFlags): Map<string, ShapeRange> {
  const min = parseFixedShapes('--min-shapes', flags.minShapes)
  const opt = parseFixedShapes('--opt-shapes', flags.optShapes)
  const max = parseFixedShapes('--max-shapes', flags.maxShapes)
  const ranges = new Map<string, ShapeRange>()
  for (const name of [...min.keys(), ...opt.keys(), ...max.keys()]) {
    const range = { min: min.get(name), opt: opt.get(name), max: max.get(name) }
    const lacking = Object.entries(range).filter(([, dims]) => dims === undefined)
    if (lacking.length > 0) {
      const flagsLacking = lacking.map(([bound]) => `--${bound}-shapes`).join(' and ')
      throw new UsageError(
        `input "${name}" lacks ${flagsLacking}`,
        'a range needs a smallest, a best and a largest shape',
      )
    }
    ranges.set(name, range as ShapeRange)
  }
  return ranges
}

function toDims(text: string): Dims {
  return text.split('x').map(Number)
}
