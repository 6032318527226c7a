import type { Profile } from '../backends/backend.js'
import type { Dim } from '../onnx/index.js'
import { formatRange } from './shapes.js'

/** An input or output, of a model or of an engine. */
export interface ValueLike {
  readonly name: string
  readonly type: string
  readonly dims?: readonly Dim[] | undefined
  readonly shape?: readonly number[]
}

/**
 * Table rows for inputs and outputs: what it is, name, type, shape.
 *
 * @param symbols whether dynamic dimensions show the names that the model has for them; they can be long
 */
export function valueRows(
  inputs: readonly ValueLike[],
  outputs: readonly ValueLike[],
  { symbols = false }: { symbols?: boolean } = {},
): string[][] {
  const rows = (what: string, values: readonly ValueLike[]): string[][] =>
    values.map((value) => [what, value.name, value.type, formatDims(value, symbols)])
  return [...rows('input', inputs), ...rows('output', outputs)]
}

/** Table rows for profiles: which one, input, range. */
export function profileRows(profiles: readonly Profile[]): string[][] {
  return profiles.flatMap((profile, index) =>
    Object.entries(profile).map(([name, range]) => [`profile ${index}`, name, formatRange(range)]),
  )
}

/** `[batch, 3, ?, ?]`. */
function formatDims({ dims, shape }: ValueLike, symbols: boolean): string {
  const all: readonly Dim[] | undefined = shape ?? dims
  if (all === undefined) return 'any rank'
  const isKnown = (dim: Dim): boolean => (typeof dim === 'number' ? dim >= 0 : symbols && dim !== null)
  return `[${all.map((dim) => (isKnown(dim) ? dim : '?')).join(', ')}]`
}
