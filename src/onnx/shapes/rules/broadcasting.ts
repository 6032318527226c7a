import { broadcast } from '../broadcast.js'
import type { OpContext, Rule } from '../op-context.js'

/** Ops that broadcast all their inputs to one shape; before opset 7, the second to the first. */
const NAMES = `
  Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul
  Or Pow StringConcat Sub Sum Where Xor
`

function giveBroadcast(op: OpContext): void {
  const isOld = op.opset < 7 && op.schema?.attributes.has('broadcast')
  op.give(
    0,
    isOld
      ? op.dims(0)
      : broadcast(
          op,
          op.node.inputs.map((_, index) => op.dims(index)),
        ),
  )
}

export const BROADCASTING: Readonly<Record<string, Rule>> = Object.fromEntries(
  NAMES.trim()
    .split(/\s+/)
    .map((name) => [name, giveBroadcast]),
)
