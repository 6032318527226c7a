/** Ops that give a tensor another shape and leave its elements as they are, and those that tell shapes. */
import type { Dim } from '../../value-type.js'
import { floorDivide, isSame, multiply } from '../dim-algebra.js'
import type { OpContext, Rule } from '../op-context.js'
import type { Dims } from '../value-kinds.js'

export const SHAPING: Readonly<Record<string, Rule>> = {
  Reshape: (op) => {
    const isOld = op.opset < 5
    const shape = isOld ? op.ints('shape') : op.elements(1)
    const length = isOld ? undefined : op.dims(1)?.[0]
    if (shape !== undefined) op.give(0, reshaped(op, op.dims(0), shape, op.int('allowzero', 0) === 1))
    else op.give(0, typeof length === 'number' ? new Array<Dim>(length).fill(null) : undefined)
  },
  Flatten: (op) => {
    const dims = op.dims(0)
    const axis = op.int('axis', 1)
    const at = axis < 0 && dims !== undefined ? axis + dims.length : axis
    if (dims === undefined) return op.give(0, [null, null])
    if (at < 0 || at > dims.length) op.fail(`axis ${axis} is outside rank ${dims.length}`)
    op.give(0, [multiply(...dims.slice(0, at)), multiply(...dims.slice(at))])
  },
  Squeeze: (op) => {
    const dims = op.dims(0)
    const axes = op.opset < 13 ? op.ints('axes') : op.numbers(1)
    if (dims === undefined) return
    if (axes === undefined) {
      const isGiven = op.opset >= 13 && op.hasInput(1)
      // Without axes all sizes of 1 go, which an unknown size may be.
      if (!isGiven && dims.every((dim) => typeof dim === 'number'))
        op.give(
          0,
          dims.filter((dim) => dim !== 1),
        )
      return
    }
    const gone = new Set(axes.map((axis) => op.axis(axis, dims.length)))
    for (const axis of gone)
      if (typeof dims[axis] === 'number' && dims[axis] !== 1) op.fail(`axis ${axis} has size ${dims[axis]}, not 1`)
    op.give(
      0,
      dims.filter((_, axis) => !gone.has(axis)),
    )
  },
  Unsqueeze: (op) => {
    const dims = op.dims(0)
    const axes = op.opset < 13 ? op.ints('axes') : op.numbers(1)
    const count = axes?.length ?? op.dims(1)?.[0]
    if (dims === undefined || typeof count !== 'number') return
    const rank = dims.length + count
    if (axes === undefined) return op.give(0, new Array<Dim>(rank).fill(null))
    const added = new Set(axes.map((axis) => op.axis(axis, rank)))
    if (added.size !== count) op.fail(`axes [${axes.join(',')}] name one twice`)
    const rest = dims.values()
    op.give(
      0,
      Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.next().value ?? null))),
    )
  },
  Transpose: (op) => {
    const dims = op.dims(0)
    const order = op.ints('perm')
    if (dims === undefined) return op.give(0, order && new Array<Dim>(order.length).fill(null))
    const perm = order ?? dims.map((_, axis) => dims.length - 1 - axis)
    if (perm.length !== dims.length || new Set(perm.map((axis) => op.axis(axis, dims.length))).size !== perm.length) {
      op.fail(`perm [${perm.join(',')}] is no order of ${dims.length} axes`)
    }
    op.give(
      0,
      perm.map((axis) => dims[op.axis(axis, dims.length)] ?? null),
    )
  },
  Shape: (op) => {
    const rank = op.dims(0)?.length
    op.give(0, [rank === undefined ? null : rangeLength(op, rank)])
  },
  Size: (op) => op.give(0, []),
  DepthToSpace: (op) => {
    const [n, c, h, w] = op.dimsOfRank(0, 4) as [Dim, Dim, Dim, Dim]
    const block = op.int('blocksize', 1)
    op.give(0, [n, floorDivide(c, block * block), multiply(h, block), multiply(w, block)])
  },
  SpaceToDepth: (op) => {
    const [n, c, h, w] = op.dimsOfRank(0, 4) as [Dim, Dim, Dim, Dim]
    const block = op.int('blocksize', 1)
    op.give(0, [n, multiply(c, block * block), floorDivide(h, block), floorDivide(w, block)])
  },
  Expand: (op) => {
    const [dims, length] = [op.dims(0), op.dims(1)?.[0]]
    const shape = op.elements(1) ?? (typeof length === 'number' ? new Array<Dim>(length).fill(null) : undefined)
    if (dims !== undefined && shape !== undefined) op.give(0, broadcastTo(op, dims, shape))
  },
  Tile: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return
    const repeats = op.elements(1)
    if (op.opset < 6)
      return op.give(
        0,
        dims.map(() => null),
      )
    if (repeats !== undefined && repeats.length !== dims.length)
      op.fail(`${repeats.length} repeats for ${dims.length} axes`)
    op.give(
      0,
      dims.map((dim, axis) => multiply(dim, repeats?.[axis] ?? null)),
    )
  },
}

/** Reshape: 0 keeps a size (unless `allowZero`), -1 is what is left. */
function reshaped(op: OpContext, dims: Dims | undefined, shape: Dims, allowZero: boolean): Dims {
  const text = `[${shape.join(',')}]`
  const keeps = (axis: number) => shape[axis] === 0 && !allowZero
  const target = shape.map((size, axis): Dim => {
    if (!keeps(axis)) return size
    if (dims !== undefined && axis >= dims.length)
      op.fail(`the shape ${text} keeps axis ${axis} of ${dims.length} axes`)
    return dims?.[axis] ?? null
  })
  const open = target.indexOf(-1)
  if (target.lastIndexOf(-1) !== open) op.fail(`the shape ${text} has more than one -1`)
  const [before, after] = [multiply(...(dims ?? [null])), multiply(...target)]
  if (typeof before === 'number' && typeof after === 'number') {
    const isWhole = after < 0 ? before % after === 0 : before === after
    if (!isWhole && after !== 0) op.fail(`${before} elements do not fit the shape ${text}`)
  }
  // The size that is left follows from the number of elements: that of -1, or the only one that is not known.
  const left = open >= 0 ? open : target.indexOf(null)
  if (left >= 0) target[left] = null
  if (dims !== undefined && left >= 0 && target.lastIndexOf(null) === left && !keeps(left)) {
    const others = target.filter((_, axis) => axis !== left && !keeps(axis))
    target[left] = quotient(
      dims.filter((_, axis) => !keeps(axis)),
      others,
    )
  }
  return target
}

/** The product of some sizes by that of others, those in both left out first, as they may be unknown to arithmetic. */
function quotient(dims: Dims, others: Dims): Dim {
  const over = [...dims]
  const under: Dim[] = []
  for (const other of others) {
    const index = over.findIndex((dim) => isSame(dim, other))
    if (index >= 0 && other !== 0) over.splice(index, 1)
    else under.push(other)
  }
  return floorDivide(multiply(...over), multiply(...under))
}

function rangeLength(op: OpContext, rank: number): number {
  const within = (bound: number) => Math.min(Math.max(bound < 0 ? bound + rank : bound, 0), rank)
  return Math.max(0, within(op.int('end', rank)) - within(op.int('start', 0)))
}

/** Expand: as if broadcast with a tensor of the shape; a 1 in it leaves a size as it is. */
function broadcastTo(op: OpContext, dims: Dims, shape: Dims): Dims {
  const rank = Math.max(dims.length, shape.length)
  return Array.from({ length: rank }, (_, axis) => {
    const dim = dims[axis - (rank - dims.length)] ?? (axis < rank - dims.length ? 1 : null)
    const wanted = shape[axis - (rank - shape.length)] ?? (axis < rank - shape.length ? 1 : null)
    if (wanted === 1 || isSame(dim, wanted)) return dim
    if (dim === 1) return wanted
    if (typeof dim === 'number' && typeof wanted === 'number') op.fail(`size ${dim} cannot be expanded to ${wanted}`)
    // A size above 1 stays, or is what the other must be.
    return typeof dim === 'number' ? dim : typeof wanted === 'number' ? wanted : null
  })
}
