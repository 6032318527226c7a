import type { ElementType } from '../../data-types.js'
import type { OpContext, Rule } from '../op-context.js'
import { elemIn } from './same-shape.js'

/** The type of a zero point, else the one that an attribute names. */
export function quantizedElem(op: OpContext, zeroPoint: number): ElementType {
  return op.hasInput(zeroPoint) ? op.elem(zeroPoint) : (elemIn(op, 'output_dtype') ?? 'uint8')
}

export const QUANTIZING: Readonly<Record<string, Rule>> = {
  QuantizeLinear: (op) => op.give(0, op.dims(0), quantizedElem(op, 2)),
  // Before opset 19 the schema says float32; after, it is the type of the scale unless an attribute names another.
  DequantizeLinear: (op) =>
    op.give(0, op.dims(0), elemIn(op, 'output_dtype') ?? (op.opset < 19 ? 'float32' : op.elem(1))),
  DynamicQuantizeLinear: (op) => {
    op.give(0, op.dims(0))
    op.give(1, [])
    op.give(2, [])
  },
}
