/**
 * Whether two tensors say the same to who reads them: the same classes on top, the same boxes found. Rounding moves every
 * number a little and none of these, and one swapped class among a thousand close numbers is what an error per element
 * hides.
 */
import { TrtError } from '../errors.js'
import { toNumbers } from '../npy/numbers.js'
import type { Tensor } from '../tensor.js'

/** Agreement of the greatest entries along the last axis, in any order; of integers, that are indices already, the first ones. */
export interface IndexTolerance {
  /** How many of the greatest. Default 1. */
  readonly top?: number
  /** The least share of them that has to be the same, over all rows, 0 to 1. Default 1. */
  readonly agreement?: number
}

/** Agreement of detected boxes, `[…, boxes, 4 or more]`, image by image. */
export interface DetectionTolerance {
  /** What the four numbers of a box are: two corners (default), or centre and size. */
  readonly format?: 'corners' | 'center'
  /**
   * The output that holds the scores, `[…, boxes]`, or with one for each class, of which the greatest counts; or the column
   * of the boxes' own tensor. Default: column 4 where it has one, else every box counts.
   */
  readonly scores?: string | number
  /** The output or column that holds the classes. Default: column 5 of six, the class of the greatest score, or none. */
  readonly labels?: string | number
  /** Boxes of a lesser score than that are not looked for. Default 0.25. */
  readonly minScore?: number
  /** The least intersection over union of two boxes that are one, 0 to 1. Default 0.9. */
  readonly iou?: number
  /** How far their scores may be apart. Default 0.05. */
  readonly score?: number
  /** The least share of the boxes of both sides that have to be on the other side too, 0 to 1. Default 1. */
  readonly agreement?: number
}

/** How far two sides say the same. */
export interface Agreement {
  readonly kind: 'indices' | 'detections'
  /** What is the same, 0 to 1; 1 where there is nothing. */
  readonly share: number
  /** What the tolerance asks for. */
  readonly least: number
  /** How many indices, or boxes of both sides, were looked for. */
  readonly count: number
  /** The first that differs, in words; undefined where all are the same. */
  readonly first: string | undefined
}

/** The share in words, and the first that differs. */
export function agreementText({ kind, share, least, count, first }: Agreement): string {
  const things = kind === 'indices' ? 'indices' : 'boxes'
  const text = `${percent(share)} of ${count} ${things} agree (asked: ${percent(least)})`
  return first === undefined ? text : `${text}; ${first}`
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`
}

/** @throws {TrtError} `INVALID_ARGUMENT` where there are not as many entries, or the tolerance is no tolerance */
export function indexAgreement(
  expected: Tensor,
  actual: Tensor,
  { top = 1, agreement = 1 }: IndexTolerance,
): Agreement {
  checkShare('agreement', agreement)
  const width = expected.dims.at(-1) ?? 0
  if (!Number.isInteger(top) || top < 1 || top > width) {
    throw new TrtError('INVALID_ARGUMENT', `expected top from 1 to ${width}, the last axis, received ${top}`)
  }
  const result = { kind: 'indices', least: agreement } as const
  const rows = expected.size / width
  if (expected.dims.join() !== actual.dims.join()) {
    const first = `shape [${expected.dims.join(',')}], received [${actual.dims.join(',')}]`
    return { ...result, share: 0, count: rows * top, first }
  }
  const [wanted, given] = [topIndices(expected, width, top), topIndices(actual, width, top)]
  let same = 0
  let first: string | undefined
  for (let row = 0; row < rows; row++) {
    const [ours, theirs] = [wanted(row), given(row)]
    const shared = ours.filter((index) => theirs.includes(index)).length
    same += shared
    if (shared < ours.length) first ??= `row ${row}: expected ${ours.join(', ')}, received ${theirs.join(', ')}`
  }
  return { ...result, share: rows === 0 ? 1 : same / (rows * top), count: rows * top, first }
}

/** The greatest entries' indices of a row, greatest first; of equal ones the first, NaN last, as numpy sorts. */
function topIndices(tensor: Tensor, width: number, top: number): (row: number) => number[] {
  const values = toNumbers(tensor)
  const at = (index: number): number => values[index] as number
  const isGreater = (a: number, b: number): boolean => at(a) > at(b) || (Number.isNaN(at(b)) && !Number.isNaN(at(a)))
  if (!tensor.type.includes('float')) {
    return (row) => Array.from({ length: top }, (_, column) => at(row * width + column))
  }
  return (row) => {
    const found: number[] = []
    for (let index = row * width; index < (row + 1) * width; index++) {
      let place = found.length
      while (place > 0 && isGreater(index, found[place - 1] as number)) place--
      if (place < top) found.splice(place, 0, index)
      if (found.length > top) found.pop()
    }
    return found.map((index) => index - row * width)
  }
}

interface Box {
  /** Left, top, right, bottom. */
  readonly corners: readonly [number, number, number, number]
  readonly score: number
  readonly label: number | undefined
  isMatched: boolean
}

/**
 * Boxes are matched as COCO's evaluation does it: the greatest score first, each with the free box of its class that it
 * overlaps most. Boxes just below the least score may be matched, and are not looked for.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` where the tensors hold no such boxes
 */
export function detectionAgreement(
  name: string,
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
  tolerance: DetectionTolerance,
): Agreement {
  const { minScore = 0.25, iou = 0.9, score = 0.05, agreement = 1 } = tolerance
  checkShare('agreement', agreement)
  checkShare('iou', iou)
  const [ours, theirs] = [expected, actual].map((side) => readBoxes(name, side, tolerance)) as [Box[][], Box[][]]
  let [count, matched] = [0, 0]
  let first: string | undefined
  for (let image = 0; image < Math.max(ours.length, theirs.length); image++) {
    const isNear = (box: Box): boolean => box.score >= minScore - score
    const [wanted, given] = [ours, theirs].map((side) => (side[image] ?? []).filter(isNear)) as [Box[], Box[]]
    match(wanted, given, iou, score)
    for (const [side, boxes] of [wanted, given].entries()) {
      for (const box of boxes) {
        if (!(box.score >= minScore)) continue
        count++
        if (box.isMatched) matched++
        else first ??= `image ${image}: ${boxText(box)} is only in ${side === 0 ? 'the reference' : 'the candidate'}`
      }
    }
  }
  return { kind: 'detections', share: count === 0 ? 1 : matched / count, least: agreement, count, first }
}

function match(wanted: Box[], given: readonly Box[], iou: number, score: number): void {
  for (const box of wanted.sort((a, b) => b.score - a.score)) {
    let best: Box | undefined
    let most = iou
    for (const other of given) {
      if (other.isMatched || other.label !== box.label || Math.abs(other.score - box.score) > score) continue
      const overlap = overlapOf(box.corners, other.corners)
      if (overlap < most) continue
      best = other
      most = overlap
    }
    if (best === undefined) continue
    box.isMatched = true
    best.isMatched = true
  }
}

/** Intersection over union; two boxes without an area are one where they are the same. */
function overlapOf(a: Box['corners'], b: Box['corners']): number {
  const area = ([left, top, right, bottom]: Box['corners']): number =>
    Math.max(0, right - left) * Math.max(0, bottom - top)
  const shared = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])])
  const union = area(a) + area(b) - shared
  return union > 0 ? shared / union : Number(a.every((value, index) => value === b[index]))
}

/** The boxes of each image. */
function readBoxes(
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
  { format = 'corners', scores, labels }: DetectionTolerance,
): Box[][] {
  const tensor = tensors[name] as Tensor
  const columns = tensor.dims.at(-1) ?? 0
  const perImage = tensor.dims.at(-2) ?? 0
  if (tensor.dims.length < 2 || columns < 4) {
    const text = `${tensor.type}[${tensor.dims.join(',')}]`
    throw new TrtError('INVALID_ARGUMENT', `expected boxes as [..., boxes, 4 or more], received ${text}`)
  }
  const values = toNumbers(tensor)
  const count = tensor.size / columns
  const column = (box: number, index: number): number => values[box * columns + index] as number
  const scoreOf = readerOf(tensors, scores ?? (columns > 4 ? 4 : undefined), count, columns, column)
  const labelOf = readerOf(tensors, labels ?? (columns === 6 ? 5 : undefined), count, columns, column)
  const images: Box[][] = []
  for (let box = 0; box < count; box++) {
    const [a, b, c, d] = [column(box, 0), column(box, 1), column(box, 2), column(box, 3)]
    const found = scoreOf?.(box)
    const entry: Box = {
      corners: format === 'corners' ? [a, b, c, d] : [a - c / 2, b - d / 2, a + c / 2, b + d / 2],
      score: found?.greatest ?? 1,
      label: labelOf?.(box).greatest ?? found?.index,
      isMatched: false,
    }
    const image = Math.floor(box / perImage)
    images[image] ??= []
    images[image].push(entry)
  }
  return images
}

/** The greatest number that a box has in an output or a column, and its index where it has several. */
type BoxReader = (box: number) => { readonly greatest: number; readonly index: number | undefined }

function readerOf(
  tensors: Readonly<Record<string, Tensor>>,
  source: string | number | undefined,
  count: number,
  columns: number,
  column: (box: number, index: number) => number,
): BoxReader | undefined {
  if (source === undefined) return undefined
  if (typeof source === 'number') {
    if (Number.isInteger(source) && source >= 0 && source < columns) {
      return (box) => ({ greatest: column(box, source), index: undefined })
    }
    throw new TrtError('INVALID_ARGUMENT', `expected a column from 0 to ${columns - 1}, received ${source}`)
  }
  const tensor = tensors[source]
  if (tensor === undefined) {
    throw new TrtError('INVALID_ARGUMENT', `there is no output ${JSON.stringify(source)} on both sides`)
  }
  const each = tensor.size / count
  if (!Number.isInteger(each) && count > 0) {
    const text = `${tensor.type}[${tensor.dims.join(',')}]`
    throw new TrtError('INVALID_ARGUMENT', `expected ${count} entries in ${JSON.stringify(source)}, received ${text}`)
  }
  const values = toNumbers(tensor)
  return (box) => {
    let [greatest, at] = [-Infinity, -1]
    for (let index = 0; index < each; index++) {
      const value = values[box * each + index] as number
      if (value > greatest) [greatest, at] = [value, index]
    }
    return { greatest, index: each > 1 ? at : undefined }
  }
}

function checkShare(name: string, share: number): void {
  if (share >= 0 && share <= 1) return
  throw new TrtError('INVALID_ARGUMENT', `expected ${name} from 0 to 1, received ${share}`)
}

function boxText({ corners, score, label }: Box): string {
  const text = `[${corners.map((value) => Number(value.toPrecision(5))).join(', ')}]`
  return `${text}${label === undefined ? '' : ` of class ${label}`}, score ${Number(score.toPrecision(3))},`
}
