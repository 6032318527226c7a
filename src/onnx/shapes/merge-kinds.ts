/** Putting together what is known of a value from two sides. */
import type { Dim } from '../value-type.js'
import { isSame } from './dim-algebra.js'
import { type Dims, kindName, type ValueKind } from './value-kinds.js'

/**
 * Both at once; undefined where they contradict each other: other types, ranks or sizes. Names are no contradiction, as
 * two of them may stand for one size, and a size for a name.
 *
 * @param first its names win where both have one
 */
export function refine(first: ValueKind, second: ValueKind): ValueKind | undefined {
  if (isUnknown(first)) return second
  if (isUnknown(second)) return first
  if (first.kind === 'tensor' && second.kind === 'tensor') {
    const elem = first.elem === 'undefined' ? second.elem : first.elem
    if (second.elem !== 'undefined' && second.elem !== elem) return undefined
    const dims = refineDims(first.dims, second.dims)
    return dims === null ? undefined : { kind: 'tensor', elem, dims }
  }
  if (first.kind === 'other' || second.kind === 'other') {
    return kindName(first) === kindName(second) ? first : undefined
  }
  if (first.kind !== second.kind || first.kind === 'tensor' || second.kind === 'tensor') return undefined
  const of = refine(first.of, second.of)
  return of && { kind: first.kind, of }
}

/** What holds for both of two values that may take each other's place, such as the results of If's branches. */
export function widen(first: ValueKind, second: ValueKind): ValueKind | undefined {
  if (first.kind === 'tensor' && second.kind === 'tensor') {
    if (first.elem !== second.elem) {
      return isUnknown(first) || isUnknown(second) ? { kind: 'tensor', elem: 'undefined', dims: undefined } : undefined
    }
    return { kind: 'tensor', elem: first.elem, dims: widenDims(first.dims, second.dims) }
  }
  if (first.kind === 'other' || second.kind === 'other') return refine(first, second)
  if (first.kind !== second.kind || first.kind === 'tensor' || second.kind === 'tensor') return undefined
  const of = widen(first.of, second.of)
  return of && { kind: first.kind, of }
}

/** Whether two say the same. */
export function isEqual(first: ValueKind, second: ValueKind): boolean {
  if (first.kind === 'tensor' && second.kind === 'tensor') {
    if (first.elem !== second.elem || first.dims?.length !== second.dims?.length) return false
    return first.dims === undefined || first.dims.every((dim, axis) => dim === second.dims?.[axis])
  }
  if (first.kind === 'other' || second.kind === 'other') return kindName(first) === kindName(second)
  return first.kind === second.kind && 'of' in first && 'of' in second && isEqual(first.of, second.of)
}

function isUnknown(kind: ValueKind): boolean {
  return kind.kind === 'tensor' && kind.elem === 'undefined' && kind.dims === undefined
}

function refineDims(first: Dims | undefined, second: Dims | undefined): Dims | undefined | null {
  if (first === undefined || second === undefined) return first ?? second
  if (first.length !== second.length) return null
  const dims = first.map((dim, axis) => refineDim(dim, second[axis] ?? null))
  return dims.includes(undefined) ? null : (dims as Dims)
}

/** The more precise one; undefined for two different sizes. */
export function refineDim(first: Dim, second: Dim): Dim | undefined {
  if (typeof first === 'number') return typeof second === 'number' && second !== first ? undefined : first
  return typeof second === 'number' ? second : (first ?? second)
}

function widenDims(first: Dims | undefined, second: Dims | undefined): Dims | undefined {
  if (first === undefined || second === undefined || first.length !== second.length) return undefined
  return first.map((dim, axis) => (isSame(dim, second[axis] ?? null) ? dim : null))
}
