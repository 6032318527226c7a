/**
 * What a plugin has to get right, as a file beside it: shapes, attributes, types, tolerances, and the ONNX operator that
 * says what is right. `tensorrt-node plugin test` runs it; the plugin's regression tests are nothing else.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { BUILTIN } from '../backends/tensorrt/plugin-library.js'
import {
  type Check,
  checkOptions,
  isInteger,
  isListOf,
  isNonEmptyString,
  isOneOf,
  isPlainObject,
  isTexts,
} from '../check.js'
import { messageOf, TrtError } from '../errors.js'
import { readError } from '../files.js'
import type { ValueRange } from '../npy/random.js'
import type { Tolerance } from '../onnx/run/compare-tensors.js'
import { type FieldValue, PLUGIN_FORMATS, type PluginFormat } from './options.js'

/** The types that a spec can ask for. */
export const SPEC_TYPES = ['float32', 'float16', 'bfloat16'] as const
/** One of {@link SPEC_TYPES}. */
export type SpecType = (typeof SPEC_TYPES)[number]

/** One case. */
export interface PluginCase {
  readonly name: string
  /** Shapes of the operator's inputs. */
  readonly inputs: readonly (readonly number[])[]
  /** Attributes of the operator, and fields of the plugin of the same names. */
  readonly attributes?: { readonly [name: string]: number | string | readonly number[] }
  /** Fields that the plugin alone has. */
  readonly fields?: { readonly [name: string]: FieldValue }
  /** Inputs that the plugin gets as fields (weights inside the node): their number, by the field's name. */
  readonly weights?: { readonly [field: string]: number }
  /** How many outputs the operator gives. Default 1. */
  readonly outputs?: number
  /** Formats to run it in besides linear, each with its types. */
  readonly formats?: { readonly [F in PluginFormat]?: readonly SpecType[] }
  /** What the inputs are drawn from. Default: -1 to 1. */
  readonly range?: ValueRange
}

/** A spec. */
export interface PluginSpec {
  readonly plugin: string
  /** Versions to test. Default: `['1']`. */
  readonly versions?: readonly string[]
  readonly namespace?: string
  /** `'builtin'` (default), or a path, relative to the spec. */
  readonly library?: string
  /** The ONNX operator that onnxruntime computes as the reference. */
  readonly reference: {
    readonly operator: string
    readonly domain?: string
    readonly opset: number
    /** What it computes in; `'float64'` where onnxruntime can, so that its own rounding does not count. */
    readonly type: 'float32' | 'float64'
  }
  /** By the type of the input; an output of another type than that is judged by its own. Absent parts are 0. */
  readonly tolerances: { readonly [T in SpecType]?: Partial<Tolerance> }
  readonly cases: readonly PluginCase[]
}

const isNumber: Check = (value) => (typeof value === 'number' && value >= 0 ? undefined : 'a number of 0 or more')
const isShape = (value: unknown): boolean =>
  Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
const isObject: Check = (value) => (isPlainObject(value) ? undefined : 'an object')

function nested(name: string, checks: Readonly<Record<string, Check>>): Check {
  return (value) => {
    checkOptions(`spec: ${name}`, value, checks)
    return undefined
  }
}

const listOf =
  (check: Check, what: string): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length === 0) return `a non-empty array of ${what}`
    const wrong = value.map(check).find((wanted) => wanted !== undefined)
    return wrong === undefined ? undefined : `an array of ${wrong}`
  }

const TOLERANCE = nested('tolerances', { atol: isNumber, rtol: isNumber, ulp: isNumber })

const CASE: Readonly<Record<keyof PluginCase, Check>> = {
  name: isNonEmptyString,
  inputs: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isShape) ? undefined : 'a non-empty array of shapes',
  attributes: isObject,
  fields: isObject,
  weights: isObject,
  outputs: isInteger(1, 128),
  formats: nested('formats', Object.fromEntries(PLUGIN_FORMATS.map((format) => [format, isListOf(...SPEC_TYPES)]))),
  range: isObject,
}

const SPEC: Readonly<Record<keyof PluginSpec, Check>> = {
  plugin: isNonEmptyString,
  versions: isTexts(1),
  namespace: isNonEmptyString,
  library: isNonEmptyString,
  reference: nested('reference', {
    operator: isNonEmptyString,
    domain: isNonEmptyString,
    opset: isInteger(1, 1000),
    type: isOneOf('float32', 'float64'),
  }),
  tolerances: nested('tolerances', Object.fromEntries(SPEC_TYPES.map((type) => [type, TOLERANCE]))),
  cases: listOf(nested('cases', CASE), 'cases'),
}

/** @throws {TrtError} `INVALID_ARGUMENT`: what was expected, where, what was received */
export function checkSpec(spec: unknown): asserts spec is PluginSpec {
  checkOptions('spec', spec, SPEC)
  const { reference, cases, tolerances, plugin } = spec as Partial<PluginSpec>
  const missing = Object.entries({ plugin, reference, tolerances, cases }).find(([, value]) => value === undefined)
  if (missing !== undefined) throw new TrtError('INVALID_ARGUMENT', `spec: expected ${missing[0]}, received none`)
  if (Object.keys(tolerances ?? {}).length === 0) {
    throw new TrtError('INVALID_ARGUMENT', `spec: expected a tolerance for one of ${SPEC_TYPES.join(', ')}`)
  }
  for (const [index, { name, inputs, weights = {} }] of (cases ?? []).entries()) {
    const where = `spec: case ${index}`
    if (name === undefined || inputs === undefined) {
      throw new TrtError('INVALID_ARGUMENT', `${where}: expected name and inputs`)
    }
    for (const [field, input] of Object.entries(weights)) {
      if (Number.isInteger(input) && input > 0 && input < inputs.length) continue
      throw new TrtError(
        'INVALID_ARGUMENT',
        `${where}: weights.${field}: expected the number of an input from 1 to ${inputs.length - 1}, received ${input}`,
      )
    }
  }
}

/**
 * Reads a spec; a library in it that is a path is made absolute.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`, `INVALID_ARGUMENT`
 */
export async function readSpec(path: string): Promise<PluginSpec> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw readError(path, error)
  })
  let spec: unknown
  try {
    spec = JSON.parse(text)
  } catch (error) {
    throw new TrtError('INVALID_ARGUMENT', `${path} is no JSON: ${messageOf(error)}`, { cause: error })
  }
  try {
    checkSpec(spec)
  } catch (error) {
    if (!(error instanceof TrtError)) throw error
    throw new TrtError(error.code, `${path}: ${error.message}`, { hint: error.hint, cause: error })
  }
  const { library = BUILTIN } = spec
  return { ...spec, library: library === BUILTIN ? library : resolve(dirname(path), library) }
}
