import type { AttributeContent, AttributeType } from '../model/attribute.js'

/** Attribute values that options can hold. */
export type PlainValue = number | string | readonly number[] | readonly string[]

/** The types of such values. */
export const PLAIN_TYPES = ['float', 'int', 'string', 'floats', 'ints', 'strings'] as const

/** Of which type a value is, where nothing else says so: whole numbers are `int`. */
export function typeOf(value: PlainValue): AttributeType {
  const items = Array.isArray(value) ? value : [value]
  const single = items.every((item) => typeof item === 'string')
    ? 'string'
    : items.every((item) => Number.isSafeInteger(item))
      ? 'int'
      : 'float'
  return Array.isArray(value) ? `${single}s` : single
}

/** A value with its type. @param type default: {@link typeOf} it */
export function contentOf(value: PlainValue, type: AttributeType = typeOf(value)): AttributeContent {
  return [type, value] as AttributeContent
}

/** For {@link Check}s: a number, a text, or an array of either. */
export function isPlainValue(value: unknown): string | undefined {
  const items = Array.isArray(value) ? value : [value]
  const fits = ['number', 'string'].some((type) => items.every((item) => typeof item === type))
  return fits ? undefined : 'a number, a text, or an array of either'
}

/** Whether two values of attributes are the same, 64-bit integers that a number holds included. */
export function isSameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(jsonOf(one)) === JSON.stringify(jsonOf(other))
}

function jsonOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonOf)
  return typeof value === 'bigint' ? String(value) : value
}
