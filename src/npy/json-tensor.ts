/** Tensors written by hand: JSON that people and scripts can make without any library. */
import { messageOf, TrtError } from '../errors.js'
import { BYTES_PER_ELEMENT, type DataType, describe, elementCount, isDataType, Tensor } from '../tensor.js'
import { makeData, setElement } from './elements.js'

/** A shape deeper than this is a mistake: TensorRT's tensors have at most 8 dimensions. */
const MAX_RANK = 32

/**
 * Reads a tensor from JSON text: nested arrays (`[[1, 2], [3, 4]]`, or one number for a scalar), or
 * `{ "type": "float32", "dims": [2, 2], "data": [1, 2, 3, 4] }` with flat or nested data. Elements are numbers or
 * booleans; the strings `"NaN"`, `"Infinity"`, `"-Infinity"` and, for 64-bit integers, decimal digits stand for what
 * JSON numbers cannot say.
 *
 * @param type the element type of bare arrays, and of objects that name none
 * @throws {TrtError} `INVALID_ARGUMENT`: what was expected, where, what came
 */
export function parseJsonTensor(text: string, type: DataType, what = 'the file'): Tensor {
  const fail = (problem: string): never => {
    throw new TrtError('INVALID_ARGUMENT', `${what} is not a JSON tensor: ${problem}`, {
      hint: 'write nested arrays, or {"type":"float32","dims":[1,2],"data":[0.5,1]}',
    })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return fail(messageOf(error))
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    return fill(json, shapeOf(json, text, fail), type, fail)
  }
  const { type: ownType = type, dims, data, ...rest } = json as Record<string, unknown>
  const [unknownKey] = Object.keys(rest)
  if (unknownKey !== undefined) fail(`unknown key ${JSON.stringify(unknownKey)} beside type, dims and data`)
  if (!isDataType(ownType)) {
    return fail(`expected a type, one of ${Object.keys(BYTES_PER_ELEMENT).join(', ')}, received ${describe(ownType)}`)
  }
  const dataDims = shapeOf(data, text, fail)
  if (dims === undefined) return fill(data, dataDims, ownType, fail)
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    return fail(`expected dims, an array of integers of 0 or more, received ${describe(dims)}`)
  }
  if (elementCount(dims) !== elementCount(dataDims)) {
    fail(`expected ${elementCount(dims)} elements for dims [${dims.join(',')}], received ${elementCount(dataDims)}`)
  }
  const { data: elements } = fill(data, dataDims, ownType, fail)
  return new Tensor(ownType, elements, dims)
}

type Fail = (problem: string) => never

/** The shape that the first element at each depth gives; {@link fill} checks that the others agree. */
function shapeOf(value: unknown, text: string, fail: Fail): number[] {
  const dims: number[] = []
  for (let inner = value; Array.isArray(inner); inner = inner[0]) {
    dims.push(inner.length)
    if (dims.length > MAX_RANK) fail(`more than ${MAX_RANK} dimensions`)
  }
  // Every element takes a character: more elements than that are not there, and shall not be allocated.
  if (elementCount(dims) > text.length) fail(`its arrays differ in length: not all are [${dims.join(',')}]`)
  return dims
}

function fill(value: unknown, dims: readonly number[], type: DataType, fail: Fail): Tensor {
  const data = makeData(type, elementCount(dims))
  const path: number[] = []
  const at = (): string => (path.length === 0 ? '' : ` at [${path.join('][')}]`)
  let next = 0
  const visit = (node: unknown): void => {
    const length = dims[path.length]
    if (length === undefined) {
      const problem = setElement(type, data, next++, node)
      if (problem !== undefined) fail(`expected ${problem}${at()}, received ${describe(node)}`)
    } else if (!Array.isArray(node) || node.length !== length) {
      fail(`expected an array of ${length}${at()}, as its first neighbour is, received ${describe(node)}`)
    } else {
      for (let index = 0; index < length; index++) {
        path.push(index)
        visit(node[index])
        path.pop()
      }
    }
  }
  visit(value)
  return new Tensor(type, data, dims)
}
