/**
 * What nodes make of the elements of small tensors: the arithmetic of shapes. ONNX's own inference calls it data
 * propagation, and does less of it; what follows here is what exporters write in front of Reshape, Expand, Slice, Resize
 * and ConstantOfShape.
 */
import type { Dim } from '../value-type.js'
import { add, floorDivide, isNegative, isSame, isSize, multiply, subtract } from './dim-algebra.js'
import { type Elements, elementsOf, MAX_ELEMENTS, range, reorder, select } from './elements.js'
import type { OpContext } from './op-context.js'
import { sliceIndices } from './slices.js'
import type { Dims } from './value-kinds.js'

/** Computes the elements of the first output, where they follow. */
export function propagateElements(op: OpContext): void {
  const { node } = op
  if (node.domain !== '') return
  const compute = ELEMENTS[node.opType]
  const elements = compute?.(op)
  if (elements !== undefined && elements.length <= MAX_ELEMENTS) op.giveElements(0, elements)
}

type Propagation = (op: OpContext) => Elements | undefined

/** Element by element, a single one taken for all; of one rank, or one of them a scalar, so that no axis is repeated. */
function binary(compute: (a: Dim, b: Dim, op: OpContext) => Dim): Propagation {
  return (op) => {
    const [a, b] = [op.elements(0), op.elements(1)]
    if (a === undefined || b === undefined || !isVector(op, 0) || !isVector(op, 1)) return undefined
    if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined
    const length = a.length === 1 ? b.length : a.length
    return Array.from({ length }, (_, i) => compute(elementAt(a, i), elementAt(b, i), op))
  }
}

function elementAt(elements: Elements, index: number): Dim {
  return elements[elements.length === 1 ? 0 : index] ?? null
}

function unary(compute: (a: Dim, op: OpContext) => Dim): Propagation {
  return (op) => op.elements(0)?.map((element) => compute(element, op))
}

/** A symbolic size is a whole number. */
function number(compute: (a: number) => number): Propagation {
  return unary((a) => (typeof a === 'number' ? compute(a) : null))
}

function rounded(compute: (a: number) => number): Propagation {
  return unary((a) => (typeof a === 'number' ? compute(a) : a))
}

/** Sizes are not negative, so that a symbolic one can be told from a negative number, as -1 marks one to be kept. */
function compared(compute: (a: number, b: number) => boolean): Propagation {
  return binary((a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return Number(compute(a, b))
    if (isSame(a, b)) return Number(compute(0, 0))
    if (isSize(a) && isNegative(b)) return Number(compute(0, -1))
    return isNegative(a) && isSize(b) ? Number(compute(-1, 0)) : null
  })
}

function isVector(op: OpContext, index: number): boolean {
  return (op.dims(index)?.length ?? 2) <= 1
}

function isInteger(op: OpContext): boolean {
  return /^u?int/.test(op.elem(0))
}

function isFloat(op: OpContext): boolean {
  return /^b?float/.test(op.elem(0))
}

const same: Propagation = (op) => op.elements(0)

const ELEMENTS: Readonly<Record<string, Propagation>> = {
  // Their elements are those of their input, in the same order.
  Identity: same,
  Reshape: same,
  Squeeze: same,
  Unsqueeze: same,
  Flatten: same,
  Dropout: same,

  Shape: (op) => shapeRange(op),
  Size: (op) => {
    const dims = op.dims(0)
    return dims && [multiply(...dims)]
  },
  Cast: (op) => {
    const [output] = op.outputs
    const elem = output?.kind === 'tensor' ? output.elem : 'undefined'
    if (elem === 'bool') return unary((a) => (typeof a === 'number' ? Number(a !== 0) : null))(op)
    if (/^int(32|64)$/.test(elem)) return rounded(Math.trunc)(op)
    return /^float(32|64)$/.test(elem) ? op.elements(0)?.map((element) => inType(elem, element)) : undefined
  },
  Concat: (op) => {
    const parts = op.node.inputs.map((_, index) => (op.dims(index)?.length === 1 ? op.elements(index) : undefined))
    return parts.every((part) => part !== undefined) ? parts.flat() : undefined
  },
  Gather: (op) => {
    const [data, dims, indices] = [op.elements(0), sizesOf(op, 0), op.numbers(1)]
    if (data === undefined || dims === undefined || indices === undefined) return undefined
    const axis = op.axis(op.int('axis', 0), dims.length)
    const chosen = indices.map((index) => (index < 0 ? index + (dims[axis] ?? 0) : index))
    return select(
      data,
      dims,
      dims.map((size, at) => (at === axis ? chosen : range(size))),
    )
  },
  Slice: (op) => {
    const [data, dims] = [op.elements(0), sizesOf(op, 0)]
    const indices = data && dims && sliceIndices(op, dims)
    return indices && select(data, dims, indices)
  },
  Transpose: (op) => {
    const [data, dims] = [op.elements(0), sizesOf(op, 0)]
    return data && dims && reorder(data, dims, op.ints('perm') ?? range(dims.length).reverse())
  },
  Split: (op) => {
    const data = op.elements(0)
    if (data === undefined || op.dims(0)?.length !== 1) return undefined
    let from = 0
    for (const [index, kind] of op.outputs.entries()) {
      const length = kind.kind === 'tensor' ? kind.dims?.[0] : undefined
      if (typeof length !== 'number') return undefined
      op.giveElements(index, data.slice(from, from + length))
      from += length
    }
    const [first] = op.node.outputs
    return first && op.scope.elements.get(first)
  },
  ConstantOfShape: (op) => {
    const count = sizeOfOutput(op)
    const value = op.value('value', 'tensor')
    if (count === undefined || (value !== undefined && value.size !== 1)) return undefined
    const element = value === undefined ? 0 : numberIn(op, 'value')
    return element === undefined ? undefined : new Array<Dim>(count).fill(element)
  },
  Expand: (op) => {
    const [element, count] = [op.element(0), sizeOfOutput(op)]
    return op.elements(0)?.length === 1 && count !== undefined ? new Array<Dim>(count).fill(element) : undefined
  },
  Tile: (op) => {
    const [data, times] = [op.elements(0), op.element(1)]
    if (data === undefined || op.dims(0)?.length !== 1 || typeof times !== 'number') return undefined
    return times * data.length <= MAX_ELEMENTS ? new Array<Elements>(Math.max(0, times)).fill(data).flat() : undefined
  },
  Range: (op) => {
    const [start, limit, step] = [op.element(0), op.element(1), op.element(2)]
    if (typeof start !== 'number' || typeof limit !== 'number' || typeof step !== 'number' || step === 0)
      return undefined
    const length = Math.max(0, Math.ceil((limit - start) / step))
    return length <= MAX_ELEMENTS ? Array.from({ length }, (_, i) => start + i * step) : undefined
  },

  Add: binary((a, b, op) =>
    isFloat(op)
      ? inType(
          op.elem(0),
          floats(a, b, (x, y) => x + y),
        )
      : add(a, b),
  ),
  Sub: binary((a, b, op) =>
    isFloat(op)
      ? inType(
          op.elem(0),
          floats(a, b, (x, y) => x - y),
        )
      : subtract(a, b),
  ),
  Mul: binary((a, b, op) => (isFloat(op) ? inType(op.elem(0), scaled(a, b)) : multiply(a, b))),
  Div: binary((a, b, op) => {
    if (!isInteger(op))
      return b === 1
        ? a
        : inType(
            op.elem(0),
            floats(a, b, (x, y) => x / y),
          )
    // Integer division rounds towards zero; sizes are not negative.
    return typeof a === 'number' && typeof b === 'number' ? (b === 0 ? null : Math.trunc(a / b)) : floorDivide(a, b)
  }),
  Mod: binary((a, b, op) => {
    if (typeof a !== 'number' || typeof b !== 'number' || b === 0) return null
    return op.int('fmod', 0) === 1 ? a % b : ((a % b) + b) % b
  }),
  Max: extreme(Math.max),
  Min: extreme(Math.min),
  Neg: unary((a) => multiply(a, -1)),
  Abs: rounded(Math.abs),
  Floor: rounded(Math.floor),
  Ceil: rounded(Math.ceil),
  Sqrt: (op) => number(Math.sqrt)(op)?.map((element) => inType(op.elem(0), element)),
  Not: number((a) => Number(a === 0)),
  Equal: compared((a, b) => a === b),
  Greater: compared((a, b) => a > b),
  Less: compared((a, b) => a < b),
  GreaterOrEqual: compared((a, b) => a >= b),
  LessOrEqual: compared((a, b) => a <= b),
  And: binary((a, b) => (a === 0 || b === 0 ? 0 : a === null || b === null ? null : 1)),
  Or: binary((a, b) => (a === 1 || b === 1 ? 1 : a === null || b === null ? null : 0)),
  Where: (op) => {
    const [condition, a, b] = [op.elements(0), op.elements(1), op.elements(2)]
    if (condition === undefined || a === undefined || b === undefined) return undefined
    const length = Math.max(condition.length, a.length, b.length)
    if (![0, 1, 2].every((index) => isVector(op, index))) return undefined
    if (![condition, a, b].every((elements) => elements.length === length || elements.length === 1)) return undefined
    return Array.from({ length }, (_, i) => {
      const [chosen, left, right] = [elementAt(condition, i), elementAt(a, i), elementAt(b, i)]
      if (chosen === null) return isSame(left, right) ? left : null
      return chosen === 0 ? right : left
    })
  },
  ReduceProd: reduced((elements) => multiply(...elements)),
  ReduceSum: reduced((elements) => add(...elements)),
  ReduceMax: reduced((elements) => (allNumbers(elements) ? Math.max(...elements) : null)),
  ReduceMin: reduced((elements) => (allNumbers(elements) ? Math.min(...elements) : null)),
}

/** The part of the shape that `start` and `end` (from opset 15) select. */
function shapeRange(op: OpContext): Dims | undefined {
  const dims = op.dims(0)
  return dims?.slice(op.int('start', 0), op.int('end', dims.length))
}

/** Of a vector, over all of it. */
function reduced(compute: (elements: Elements) => Dim): Propagation {
  return (op) => {
    const elements = op.elements(0)
    const rank = op.dims(0)?.length
    return elements === undefined || rank !== 1 || !isInteger(op) || sizeOfOutput(op) !== 1
      ? undefined
      : [compute(elements)]
  }
}

function allNumbers(elements: Elements): elements is readonly number[] {
  return elements.length > 0 && elements.every((element) => typeof element === 'number')
}

function extreme(compute: (a: number, b: number) => number): Propagation {
  const ofTwo = binary((a, b) => (isSame(a, b) ? a : floats(a, b, compute)))
  return (op) => (op.inputCount === 1 ? op.elements(0) : op.inputCount === 2 ? ofTwo(op) : undefined)
}

function floats(a: Dim, b: Dim, compute: (a: number, b: number) => number): Dim {
  return typeof a === 'number' && typeof b === 'number' ? compute(a, b) : null
}

/** Integers up to here are the same in every float type. */
const EXACT_IN_BFLOAT16 = 256

/**
 * A float as its type has it: 0.7 times 10 is 7 in float32, and a little less in JavaScript's numbers, which a Floor would
 * make 6. One operation rounded to float64 and then to float32 is the one of float32. Narrower types are left unknown, as
 * sizes are seldom computed in them.
 */
function inType(elem: string, value: Dim): Dim {
  if (typeof value !== 'number' || elem === 'float64') return value
  if (elem === 'float32') return Math.fround(value)
  return Number.isInteger(value) && Math.abs(value) <= EXACT_IN_BFLOAT16 ? value : null
}

/** Sizes are scaled in floats by exporters of Upsample; a whole factor leaves them whole. */
function scaled(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  const whole = [a, b].every((factor) => typeof factor !== 'number' || Number.isInteger(factor))
  return whole ? multiply(a, b) : null
}

/** The sizes of an input, where all are numbers. */
function sizesOf(op: OpContext, index: number): readonly number[] | undefined {
  const dims = op.dims(index)
  return dims?.every((dim) => typeof dim === 'number') ? dims : undefined
}

function sizeOfOutput(op: OpContext): number | undefined {
  const [output] = op.outputs
  const size = output?.kind === 'tensor' && output.dims !== undefined ? multiply(...output.dims) : null
  return typeof size === 'number' && size <= MAX_ELEMENTS ? size : undefined
}

function numberIn(op: OpContext, name: string): number | undefined {
  const value = op.value(name, 'tensor')
  const [element] = (value && elementsOf(value)) ?? []
  return typeof element === 'number' ? element : undefined
}
