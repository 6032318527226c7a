import { TrtError } from './errors.js'
import type { ByteSize } from './options.js'
import { describe } from './tensor.js'

/** Says what was expected where `value` does not fit; `undefined` where it does. */
export type Check = (value: unknown) => string | undefined

const expected = (what: string, fits: (value: unknown) => boolean): Check => {
  return (value) => (fits(value) ? undefined : what)
}

export const isBoolean = expected('a boolean', (value) => typeof value === 'boolean')
export const isFunction = expected('a function', (value) => typeof value === 'function')
export const isNumber = expected('a finite number', (value) => Number.isFinite(value))
export const isNonEmptyString = expected('a non-empty string', (value) => typeof value === 'string' && value !== '')
export const isByteSize = expected(
  "a number of bytes above 0, or a text such as '512MiB' or '2GiB'",
  (value) => parseByteSize(value) !== undefined,
)
export const isAbortSignal = expected('an AbortSignal', (value) => value instanceof AbortSignal)
export const isLogger = expected(
  'a logger with the functions error, warn, info and debug',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['error', 'warn', 'info', 'debug'].every(
      (level) => typeof (value as Record<string, unknown>)[level] === 'function',
    ),
)

/** An integer from `min` to `max`. */
export function isInteger(min: number, max: number): Check {
  return expected(
    `an integer from ${min} to ${max}`,
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  )
}

/** A number from `min` to `max`. */
export function isNumberFrom(min: number, max: number): Check {
  return expected(
    `a number from ${min} to ${max}`,
    (value) => typeof value === 'number' && value >= min && value <= max,
  )
}

/** An array of `least` or more non-empty texts. */
export function isTexts(least = 0): Check {
  return expected(
    `an array of ${least === 0 ? '' : `at least ${least} `}texts`,
    (value) =>
      Array.isArray(value) && value.length >= least && value.every((item) => typeof item === 'string' && item !== ''),
  )
}

/** Greatest magnitudes by name, infinite ones included. */
export const isRanges = expected(
  'an object of numbers of 0 or more, by the names of values',
  (value) => isPlainObject(value) && Object.values(value).every((range) => typeof range === 'number' && range >= 0),
)

/** One of the given values. */
export function isOneOf(...values: readonly (string | boolean | number)[]): Check {
  return expected(`one of ${values.map((value) => JSON.stringify(value)).join(', ')}`, (value) =>
    values.includes(value as never),
  )
}

/** A non-empty array of distinct values, each one of the given. */
export function isListOf(...values: readonly string[]): Check {
  return expected(
    `a non-empty array of distinct values out of ${values.map((value) => JSON.stringify(value)).join(', ')}`,
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      new Set(value).size === value.length &&
      value.every((item) => values.includes(item)),
  )
}

/** Whether `value` is an object made of `{…}`, and neither an array nor an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/** The same object, without the properties that are undefined. */
export function withoutUndefined<T extends object>(object: { readonly [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

/**
 * Checks every property of `options` against the table, and refuses names that the table lacks: a misspelt option that
 * is ignored costs its user a slow engine. Properties that are `undefined` count as absent.
 *
 * @throws {TrtError} `INVALID_ARGUMENT`: what was expected, which option, what was received
 */
export function checkOptions(what: string, options: unknown, checks: Readonly<Record<string, Check>>): void {
  if (!isPlainObject(options)) {
    throw new TrtError('INVALID_ARGUMENT', `${what}: expected an options object, received ${describe(options)}`, {
      hint: `known options: ${Object.keys(checks).join(', ')}`,
    })
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check === undefined) {
      throw new TrtError('INVALID_ARGUMENT', `${what}: unknown option ${JSON.stringify(name)}`, {
        hint: `known options: ${Object.keys(checks).join(', ')}`,
      })
    }
    const wanted = check(value)
    if (wanted !== undefined) {
      throw new TrtError('INVALID_ARGUMENT', `${what}: expected ${wanted} for ${name}, received ${describe(value)}`, {
        hint: 'the README has a table of the options and their values',
      })
    }
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** The bytes of a {@link ByteSize}, or `undefined` where it is none. */
export function parseByteSize(size: unknown): number | undefined {
  if (typeof size === 'number') return Number.isSafeInteger(size) && size > 0 ? size : undefined
  if (typeof size !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(size.trim())
  const unit = match?.[2] === undefined ? undefined : UNITS[match[2].toLowerCase()]
  if (match?.[1] === undefined || unit === undefined) return undefined
  return parseByteSize(Math.round(Number(match[1]) * unit))
}

/** {@link parseByteSize} for a size that has been checked. */
export function toBytes(size: ByteSize): number {
  return parseByteSize(size) ?? Number.NaN
}
