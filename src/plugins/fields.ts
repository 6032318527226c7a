/** Fields of a node, as TensorRT hands them to a plugin's creator. */
import { TrtError } from '../errors.js'
import { makeData, setElement } from '../npy/elements.js'
import type { DataType } from '../tensor.js'
import type { PluginFieldInfo } from './messages.js'
import type { FieldType, FieldValue } from './options.js'

/** A field as the addon takes it: `length` elements of `type`. */
export interface NativeField {
  readonly name: string
  readonly type: FieldType
  readonly data: Uint8Array
  readonly length: number
}

/**
 * @param announced the fields of the creator
 * @throws {TrtError} `INVALID_ARGUMENT` where a number does not fit the type
 */
export function toNativeFields(
  values: { readonly [name: string]: FieldValue },
  announced: readonly PluginFieldInfo[],
): NativeField[] {
  return Object.entries(values).map(([name, value]) => {
    const declared = announced.find((field) => field.name === name)?.type
    if (typeof value === 'string') return text(name, value)
    const explicit = typeof value === 'object' && 'type' in value
    const numbers = explicit ? value.data : typeof value === 'object' ? value : [Number(value)]
    const type = explicit ? value.type : typeFor(declared, numbers)
    if (type === 'char') return text(name, String.fromCharCode(...numbers))
    const data = makeData(type as DataType, numbers.length)
    numbers.forEach((number, index) => {
      // JSON has no integers of 64 bits; elements take those as texts.
      const wanted = setElement(type as DataType, data, index, number)
      if (wanted !== undefined) {
        throw new TrtError(
          'INVALID_ARGUMENT',
          `field ${JSON.stringify(name)}: expected ${wanted} for ${type}, received ${number}`,
        )
      }
    })
    return { name, type, data: new Uint8Array(data.buffer), length: numbers.length }
  })
}

function typeFor(declared: string | undefined, numbers: readonly number[]): FieldType {
  if (declared !== undefined && declared !== 'unknown' && declared !== 'char') return declared as FieldType
  return numbers.every(Number.isInteger) ? 'int32' : 'float32'
}

function text(name: string, value: string): NativeField {
  const data = new TextEncoder().encode(value)
  return { name, type: 'char', data, length: data.length }
}
