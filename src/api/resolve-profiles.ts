/**
 * Turns the `shapes` option into optimization profiles that name every input, or says what is wrong with it.
 *
 * Both backends go through here, so that a service which works on a laptop's CPU does not meet new shape errors on the
 * server. The rules are those of `IOptimizationProfile` (NvInferRuntime.h): min ≤ opt ≤ max in each dimension, and a
 * dimension that the model fixes keeps its value.
 */
import type { Profile } from '../backends/backend.js'
import { isPlainObject } from '../check.js'
import { TrtError } from '../errors.js'
import { proposeShapes, type ValueInfo } from '../onnx/index.js'
import { isDynamic } from '../onnx/value-type.js'
import type { ShapeRange, Shapes } from '../options.js'
import { describe } from '../tensor.js'

/**
 * @param inputs the model's true inputs (initializers excepted)
 * @returns one profile for each of `shapes`; one with the model's own shapes where `shapes` is left out
 * @throws {TrtError} `INVALID_SHAPES`; where a dynamic input has no shape, the hint is a ready-to-paste `shapes`
 */
export function resolveProfiles(
  inputs: readonly ValueInfo[],
  shapes: Shapes | readonly Shapes[] | undefined,
): Profile[] {
  const wanted = shapes === undefined ? [{}] : isProfileList(shapes) ? shapes : [shapes]
  return wanted.map((profile, index) => {
    const where = wanted.length > 1 ? `shapes[${index}]` : 'shapes'
    const unknown = Object.keys(profile).filter((name) => !inputs.some((input) => input.name === name))
    if (unknown.length > 0) {
      throw new TrtError(
        'INVALID_SHAPES',
        `${where}: the model has no input ${unknown.map((name) => `"${name}"`).join(', ')}`,
        {
          hint: `its inputs are ${inputs.map((input) => `${input.name} ${dimsText(input)}`).join(', ')}`,
        },
      )
    }
    const missing = inputs.filter((input) => shapeOf(profile, input) === undefined && isDynamic(input))
    if (missing.length > 0) throw missingShapes(inputs, missing, where)
    return Object.fromEntries(
      inputs.map((input) => [
        input.name,
        resolveRange(input, shapeOf(profile, input), `${where}: input "${input.name}"`),
      ]),
    )
  })
}

// Own properties only: an input may be called "constructor".
function shapeOf(profile: Shapes, { name }: ValueInfo): Shapes[string] | undefined {
  return Object.hasOwn(profile, name) ? profile[name] : undefined
}

function resolveRange(input: ValueInfo, shape: Shapes[string] | undefined, where: string): ShapeRange {
  if (shape === undefined) {
    const fixed = input.dims as number[]
    return { min: fixed, opt: fixed, max: fixed }
  }
  const range = isShape(shape) ? { min: shape, opt: shape, max: shape } : toRange(shape, where)
  for (const [name, dims] of Object.entries(range)) checkDims(input, dims, isShape(shape) ? where : `${where}, ${name}`)
  range.opt.forEach((opt, axis) => {
    const min = range.min[axis] as number
    const max = range.max[axis] as number
    if (min > opt || opt > max) {
      throw new TrtError(
        'INVALID_SHAPES',
        `${where}, dimension ${axis}: expected min ≤ opt ≤ max, received ${min}, ${opt}, ${max}`,
        { hint: 'opt is the shape that the engine is made fastest for, between the smallest and the largest' },
      )
    }
  })
  return range
}

function toRange(shape: unknown, where: string): ShapeRange {
  const keys = isPlainObject(shape) ? Object.keys(shape) : []
  if (keys.length !== 3 || !['min', 'opt', 'max'].every((key) => keys.includes(key))) {
    const received = isPlainObject(shape) ? `{ ${keys.join(', ')} }` : describe(shape)
    throw new TrtError('INVALID_SHAPES', `${where}: expected a shape or { min, opt, max }, received ${received}`, {
      hint: 'e.g. [1, 3, 224, 224], or { min: [1, 3, 224, 224], opt: [8, 3, 224, 224], max: [32, 3, 224, 224] }',
    })
  }
  return shape as unknown as ShapeRange
}

function checkDims(input: ValueInfo, dims: unknown, where: string): void {
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isInteger(dim) && dim >= 0 && dim < 2 ** 31)) {
    throw new TrtError(
      'INVALID_SHAPES',
      `${where}: expected an array of integers of 0 or more, received ${describe(dims)}`,
      { hint: 'for a dynamic dimension, say its range: { min, opt, max }' },
    )
  }
  if (input.dims === undefined) return
  if (dims.length !== input.dims.length) {
    throw new TrtError(
      'INVALID_SHAPES',
      `${where}: expected rank ${input.dims.length}, as the model's ${dimsText(input)}, received rank ${dims.length}, ${describe(dims)}`,
      { hint: `give ${input.dims.length} numbers for ${input.name}` },
    )
  }
  input.dims.forEach((dim, axis) => {
    if (typeof dim === 'number' && dim !== dims[axis]) {
      throw new TrtError(
        'INVALID_SHAPES',
        `${where}, dimension ${axis}: expected ${dim}, which the model fixes, received ${dims[axis]}`,
        { hint: `give ${dim}, or export the model with that dimension dynamic` },
      )
    }
  })
}

function missingShapes(inputs: readonly ValueInfo[], missing: readonly ValueInfo[], where: string): TrtError {
  const list = missing.map((input) => `"${input.name}" ${dimsText(input)}`).join(', ')
  const proposal = Object.entries(proposedShapes(inputs))
    .map(([name, { min, opt, max }]) => {
      const text = (dims: readonly number[]) => `[${dims.join(', ')}]`
      return `  ${JSON.stringify(name)}: { min: ${text(min)}, opt: ${text(opt)}, max: ${text(max)} },`
    })
    .join('\n')
  return new TrtError(
    'INVALID_SHAPES',
    `${where}: no shape was given for the dynamic input${missing.length > 1 ? 's' : ''} ${list}`,
    {
      hint: `say which shapes the engine shall take, e.g. (change the numbers to what you will feed)\nshapes: {\n${proposal}\n}`,
    },
  )
}

/** Numbers to start from; an input of unknown rank is taken for a vector. */
export function proposedShapes(inputs: readonly ValueInfo[]): { readonly [input: string]: ShapeRange } {
  return proposeShapes(inputs.map(({ name, dims = [null] }) => ({ name, dims })))
}

/** A shape as a person reads it, e.g. `[batch,3,?,?]`. */
function dimsText({ dims }: ValueInfo): string {
  return dims === undefined ? '[of any rank]' : `[${dims.map((dim) => dim ?? '?').join(',')}]`
}

// Array.isArray does not narrow readonly arrays out of a union.
function isProfileList(shapes: Shapes | readonly Shapes[]): shapes is readonly Shapes[] {
  return Array.isArray(shapes)
}

function isShape(shape: Shapes[string]): shape is readonly number[] {
  return Array.isArray(shape)
}
