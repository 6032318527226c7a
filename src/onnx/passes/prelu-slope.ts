import type { Dim } from '../value-type.js'

/**
 * How a slope of shape `[C]` is meant, for an input of three dimensions or more:
 *
 * - `last`: by the last dimension, as ONNX broadcasts (onnx/docs/Broadcasting.md, "Unidirectional")
 * - `channel`: by the channel, dimension 1, as MXNet's exporter and PyTorch's for its own early runtimes wrote it; ONNX
 *   refuses it
 * - `either`: C channels, and C in the last dimension
 * - `unknown`: the sizes that decide are not known
 */
export type SlopeMeaning = 'last' | 'channel' | 'either' | 'unknown'

/** @param input shape of the node's data @returns undefined where the slope is not of that kind */
export function slopeMeaning(slope: readonly Dim[], input: readonly Dim[]): SlopeMeaning | undefined {
  const [size] = slope
  if (slope.length !== 1 || typeof size !== 'number' || size === 1 || input.length < 3) return undefined
  const [channels, last] = [input[1] ?? null, input.at(-1) ?? null]
  if (channels === size) return last === size ? 'either' : typeof last === 'number' ? 'channel' : 'unknown'
  if (last === size) return 'last'
  return typeof channels === 'number' && typeof last !== 'number' ? 'last' : 'unknown'
}

/** `[C]` by channel of an input of that rank: `[C,1,1]` for four dimensions. */
export function byChannel(size: number, rank: number): number[] {
  return [size, ...Array<number>(rank - 2).fill(1)]
}
