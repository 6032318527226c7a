/** Fourier transforms. */
import type { Dim } from '../../value-type.js'
import { add, floorDivide, multiply, subtract } from '../dim-algebra.js'
import type { Rule } from '../op-context.js'

/** The number of results that are not mirrored. */
function oneSided(length: Dim): Dim {
  return add(floorDivide(length, 2), 1)
}

export const SIGNAL: Readonly<Record<string, Rule>> = {
  DFT: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const isInput = op.opset >= 20
    const given = isInput ? (op.hasInput(2) ? op.element(2) : -2) : op.int('axis', 1)
    const [isOneSided, isInverse] = [op.int('onesided', 0) === 1, op.int('inverse', 0) === 1]
    const isReal = isOneSided && isInverse
    const parts = isReal ? 1 : 2
    if (!isOneSided && !op.hasInput(1)) return op.give(0, dims.with(-1, parts))
    if (typeof given !== 'number')
      return op.give(
        0,
        dims.map((_, axis) => (axis === dims.length - 1 ? parts : null)),
      )
    const axis = op.axis(given, dims.length)
    const size = dims[axis] ?? null
    const length = op.hasInput(1) ? op.element(1) : isReal ? multiply(2, subtract(size, 1)) : size
    op.give(0, dims.with(axis, isOneSided && !isInverse ? oneSided(length) : length).with(-1, parts))
  },
  STFT: (op) => {
    const [batch = null, size = null] = op.dims(0) ?? []
    const step = op.element(1)
    const window = op.dims(2)?.[0] ?? null
    const length = op.hasInput(3) ? op.element(3) : window
    const frames = typeof step === 'number' ? add(floorDivide(subtract(size, length), step), 1) : null
    op.give(0, [batch, frames, op.int('onesided', 1) === 1 ? oneSided(length) : length, 2])
  },
}
