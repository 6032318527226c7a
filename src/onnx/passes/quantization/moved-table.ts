/**
 * Quantised tables whose elements other nodes move before they are dequantised. TensorRT takes constants of int8 right
 * before their DequantizeLinear only (seen in TensorRT-RTX 1.7.1 with every op here: "Quantized constant is only allowed
 * before DQ").
 */
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import type { Constants } from '../constants.js'

/** Ops that put elements elsewhere, and compute nothing; each has its data first. */
const MOVING: ReadonlySet<string> = new Set([
  'Expand',
  'Flatten',
  'Gather',
  'GatherElements',
  'GatherND',
  'Identity',
  'Reshape',
  'Slice',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
])

/** What gave the elements, before they were moved. */
export function originOf(value: Value): Value {
  let origin = value
  while (origin.producer?.domain === '' && MOVING.has(origin.producer.opType)) {
    const [data] = origin.producer.inputs
    if (data === undefined || data.graph !== value.graph) break
    origin = data
  }
  return origin
}

/** Whether it is a DequantizeLinear of a constant that was moved. */
export function isMovedTable({ opType, inputs }: Node, constants: Constants): boolean {
  const [integers] = inputs
  if (opType !== 'DequantizeLinear' || integers === undefined) return false
  const origin = originOf(integers)
  return origin !== integers && constants.of(origin) !== undefined
}

/** Whether it is a DequantizeLinear of constants that a Concat joins, which is for constant folding to mend. */
export function isJoinedTable({ opType, inputs }: Node, constants: Constants): boolean {
  const { producer } = inputs[0] === undefined ? {} : originOf(inputs[0])
  if (opType !== 'DequantizeLinear' || producer?.opType !== 'Concat') return false
  return producer.inputs.some((value) => constants.of(value) !== undefined)
}
