import { isPlainObject } from '../../check.js'
import { TrtError } from '../../errors.js'
import { BYTES_PER_ELEMENT, type DataType, isDataType, Tensor } from '../../tensor.js'
import type { Value } from '../model/value.js'
import { fixedCount } from '../value-type.js'
import { definePass } from './pass.js'

/** Options of {@link fixInput}. */
export interface FixInputOptions {
  /** By name of an input: its elements, or one number for all of them. */
  readonly values: { readonly [input: string]: number | boolean | readonly (number | boolean)[] }
}

/**
 * Makes inputs constant, such as the sample rate of a model that is used with one only, and takes them from the inputs.
 * What depended on them can then be folded, and Ifs on them removed.
 *
 * @example await onnx.transform(model, [onnx.fixInput({ values: { sr: 16000 } }), onnx.removeIf(), onnx.simplify()])
 */
export const fixInput = definePass<FixInputOptions>({
  name: 'fix-input',
  summary: 'Makes inputs constant, with the values given',
  keepsMeaning: false,
  options: {
    values: {
      kind: 'json',
      doc: 'by name of an input: its elements, or one number for all of them, e.g. {"sr": 16000}',
      check: (value) =>
        isPlainObject(value) &&
        Object.values(value)
          .flat()
          .every((x) => typeof x === 'number' || typeof x === 'boolean')
          ? undefined
          : 'an object of numbers or arrays of numbers by names of inputs',
    },
  },
  defaults: { values: {} },
  apply({ graph }, { values }, context) {
    for (const [name, elements] of Object.entries(values)) {
      const value = graph.value(name)
      // Done before.
      if (value?.initializer !== undefined && !value.isInput) continue
      if (value === undefined || !value.isInput) {
        throw new TrtError('INVALID_ARGUMENT', `fix-input: there is no input ${JSON.stringify(name)}`, {
          hint: `the inputs are ${graph.inputs.map((input) => input.name).join(', ')}`,
        })
      }
      const tensor = tensorOf(value, elements)
      value.rename(graph.uniqueName(name))
      value.replaceUsesWith(graph.addInitializer(tensor, name))
      graph.removeInput(value)
      context.change(name, `made constant: ${JSON.stringify(elements)}`)
    }
  },
})

function tensorOf({ name, type, dims }: Value, elements: FixInputOptions['values'][string]): Tensor {
  const given = typeof elements === 'object' ? elements : undefined
  if (!isDataType(type) || type === 'float16' || type === 'bfloat16') {
    throw new TrtError('UNSUPPORTED', `fix-input: "${name}" is of type ${type}, which cannot be given as numbers`)
  }
  // A vector of unknown length is as long as what is given for it.
  const shape = dims?.map((dim) => (dims.length === 1 && typeof dim !== 'number' ? (given?.length ?? 1) : dim))
  const size = shape && fixedCount(shape)
  if (shape === undefined || size === undefined) {
    throw new TrtError('INVALID_ARGUMENT', `fix-input: "${name}" has sizes that are not fixed`, {
      hint: 'run set-shape first',
    })
  }
  if (given !== undefined && given.length !== size) {
    const expected = `expected ${size} elements for [${shape}]`
    throw new TrtError('INVALID_ARGUMENT', `fix-input: "${name}": ${expected}, received ${given.length}`)
  }
  const numbers = Array.from({ length: size }, (_, i) => Number(given === undefined ? elements : given[i]))
  return filled(type, numbers, shape as number[])
}

function filled(type: DataType, numbers: readonly number[], dims: readonly number[]): Tensor {
  const tensor = Tensor.fromBuffer(type, new ArrayBuffer(numbers.length * BYTES_PER_ELEMENT[type]), dims)
  const isBig = type === 'int64' || type === 'uint64'
  for (const [i, x] of numbers.entries()) tensor.data[i] = (isBig ? BigInt(x) : x) as never
  return tensor
}
