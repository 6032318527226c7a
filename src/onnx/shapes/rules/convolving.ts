/** Convolutions and pooling: everything that moves a window over the axes behind batch and channels. */
import type { Dim } from '../../value-type.js'
import { add, ceilDivide, floorDivide, multiply, subtract } from '../dim-algebra.js'
import type { OpContext, Rule } from '../op-context.js'
import type { Dims } from '../value-kinds.js'

/** How a window moves; a list has an entry for each spatial axis. */
interface Window {
  readonly kernel: Dims
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** All that are before the axes, then all that are behind. */
  readonly pads: readonly number[]
  readonly autoPad: string
}

function windowOf(op: OpContext, kernel: Dims): Window {
  const count = kernel.length
  const list = (name: string, length: number, otherwise: number) => {
    const given = op.ints(name)
    if (given === undefined) return new Array<number>(length).fill(otherwise)
    if (given.length !== length) op.fail(`${name} has ${given.length} entries, expected ${length}`)
    return given
  }
  const strides = list('strides', count, 1)
  const dilations = list('dilations', count, 1)
  if ([...strides, ...dilations].some((step) => !(step > 0))) op.fail('a stride or dilation is not above 0')
  return { kernel, strides, dilations, pads: list('pads', 2 * count, 0), autoPad: op.text('auto_pad', 'NOTSET') }
}

/** Sizes of what a window gives. */
function slide(op: OpContext, spatial: Dims, window: Window, roundsUp = false): Dims {
  return spatial.map((size, axis) => {
    const stride = window.strides[axis] as number
    const kernel = window.kernel[axis] ?? null
    if (window.autoPad.startsWith('SAME')) return ceilDivide(size, stride)
    // The window, with the gaps that dilation makes.
    const extent = add(multiply(subtract(kernel, 1), window.dilations[axis] as number), 1)
    const before = window.autoPad === 'VALID' ? 0 : (window.pads[axis] as number)
    const behind = window.autoPad === 'VALID' ? 0 : (window.pads[axis + spatial.length] as number)
    const room = subtract(add(size, before, behind), extent)
    if (typeof room === 'number' && room < 0 && size !== 0) op.fail(`a window of ${extent} does not fit size ${size}`)
    const steps = add(roundsUp ? ceilDivide(room, stride) : floorDivide(room, stride), 1)
    if (!roundsUp || typeof steps !== 'number' || typeof size !== 'number')
      return roundsUp && stride > 1 ? number(steps) : steps
    // No window begins in the padding behind.
    return (steps - 1) * stride >= size + before ? steps - 1 : steps
  })
}

function number(dim: Dim): Dim {
  return typeof dim === 'number' ? dim : null
}

/** @param at the inputs that hold the tensor and the weights */
function convolution([x, w]: readonly [number, number], elem?: (op: OpContext) => void): Rule {
  return (op) => {
    elem?.(op)
    const [dims, weights] = [op.dims(x), op.dims(w)]
    const rank = dims?.length ?? weights?.length
    if (rank === undefined) return
    if (rank < 3) op.fail(`rank ${rank}: expected batch, channels and at least one more axis`)
    const [input, filter] = [op.dimsOfRank(x, rank), op.dimsOfRank(w, rank)]
    const [channels, perGroup] = [input[1], filter[1]]
    const group = op.int('group', 1)
    if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * group) {
      op.fail(`input of ${channels} channels, weights for ${perGroup} × ${group} groups`)
    }
    const kernel = op.ints('kernel_shape') ?? filter.slice(2)
    if (kernel.length !== rank - 2) op.fail(`kernel_shape has ${kernel.length} entries, expected ${rank - 2}`)
    op.give(0, [input[0] ?? null, filter[0] ?? null, ...slide(op, input.slice(2), windowOf(op, kernel))])
  }
}

function pooling(op: OpContext): void {
  const dims = op.dims(0)
  const kernel = op.ints('kernel_shape')
  if (dims === undefined || kernel === undefined) return
  if (kernel.length !== dims.length - 2) op.fail(`kernel_shape has ${kernel.length} entries for rank ${dims.length}`)
  const spatial = slide(op, dims.slice(2), windowOf(op, kernel), op.int('ceil_mode', 0) === 1)
  for (const index of [0, 1]) op.give(index, [...dims.slice(0, 2), ...spatial])
}

function globalPooling(op: OpContext): void {
  op.give(
    0,
    op.dims(0)?.map((dim, axis) => (axis < 2 ? dim : 1)),
  )
}

export const CONVOLVING: Readonly<Record<string, Rule>> = {
  Conv: convolution([0, 1]),
  ConvInteger: convolution([0, 1]),
  QLinearConv: convolution([0, 3]),
  DeformConv: convolution([0, 1]),
  ConvTranspose: (op) => {
    const [dims, weights] = [op.dims(0), op.dims(1)]
    const rank = dims?.length ?? weights?.length
    if (rank === undefined) return
    const [input, filter] = [op.dimsOfRank(0, rank), op.dimsOfRank(1, rank)]
    const window = windowOf(op, op.ints('kernel_shape') ?? filter.slice(2))
    const extra = op.ints('output_padding') ?? window.strides.map(() => 0)
    const count = window.kernel.length
    const shape = op.ints('output_shape')
    const spatial = input.slice(2).map((size, axis): Dim => {
      if (shape !== undefined) return shape[shape.length - count + axis] ?? null
      const stride = window.strides[axis] as number
      if (window.autoPad.startsWith('SAME')) return multiply(size, stride)
      const extent = add(multiply(subtract(window.kernel[axis] ?? null, 1), window.dilations[axis] as number), 1)
      const pads =
        window.autoPad === 'VALID' ? 0 : (window.pads[axis] as number) + (window.pads[axis + count] as number)
      return subtract(add(multiply(subtract(size, 1), stride), extra[axis] ?? 0, extent), pads)
    })
    op.give(0, [input[0] ?? null, multiply(filter[1] ?? null, op.int('group', 1)), ...spatial])
  },
  MaxPool: pooling,
  AveragePool: pooling,
  LpPool: pooling,
  GlobalAveragePool: globalPooling,
  GlobalMaxPool: globalPooling,
  GlobalLpPool: globalPooling,
  MaxUnpool: (op) => {
    const dims = op.dims(0)
    const kernel = op.ints('kernel_shape')
    if (op.hasInput(2)) {
      const shape = op.elements(2)
      return op.give(0, shape ?? dims?.map(() => null))
    }
    if (dims === undefined || kernel === undefined) return
    const { strides, pads } = windowOf(op, kernel)
    const spatial = dims.slice(2).map((size, axis) => {
      const grown = add(multiply(subtract(size, 1), strides[axis] as number), kernel[axis] ?? null)
      return subtract(grown, (pads[axis] as number) + (pads[axis + kernel.length] as number))
    })
    op.give(0, [...dims.slice(0, 2), ...spatial])
  },
}
