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

/** Table rows for inputs and outputs: what it is, name, type, shape. */
export function valueRows(inputs: readonly ValueLike[], outputs: readonly ValueLike[]): string[][] {
  const rows = (what: string, values: readonly ValueLike[]): string[][] =>
    values.map((value) => [what, value.name, value.type, formatDims(value)])
  return [...rows('input', inputs), ...rows('output', outputs)]
}

/** Table rows for profiles: which one, input, range. */
export function profileRows(profiles: readonly Profile[]): string[][] {
  return profiles.flatMap((profile, index) =>
    Object.entries(profile).map(([name, range]) => [`profile ${index}`, name, formatRange(range)]),
  )
}

/** `[batch, 3, ?, ?]`: symbolic names may be long, and hold an `x`. */
function formatDims({ dims, shape }: ValueLike): string {
  const all = shape ?? dims
  return all === undefined ? 'any rank' : `[${all.map((dim) => (dim === null || dim === -1 ? '?' : dim)).join(', ')}]`
}
