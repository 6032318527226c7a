import type { Dim } from '../onnx/index.js'
import { formatShape } from './format.js'

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
    values.map((value) => [what, value.name, value.type, shapeText(value)])
  return [...rows('input', inputs), ...rows('output', outputs)]
}

function shapeText({ dims, shape }: ValueLike): string {
  const all = shape ?? dims
  return all === undefined ? 'any rank' : formatShape(all.map((dim) => dim ?? -1))
}
