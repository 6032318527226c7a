/** Passes as texts: on the command line, and in files that keep a list of them. */
import { TrtError } from '../../errors.js'
import { describe } from '../../tensor.js'
import { PASSES } from './index.js'
import type { OptionKind, Pass, Transform } from './pass.js'

/**
 * Reads `NAME` or `NAME:OPTION=VALUE:OPTION=VALUE`, e.g. `set-attribute:ops=Gelu:name=approximate:value=tanh`.
 *
 * Option names are written with hyphens. A boolean option alone is true; texts are separated by commas; other values are
 * JSON, or a text where they are none. Values may hold `:`, as only one before an option's name ends them.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` for an unknown pass or option, or a value that does not fit
 */
export function parseTransform(text: string): Transform {
  const [name = ''] = text.split(':', 1)
  const pass = passNamed(name)
  const names = Object.keys(pass.options)
  const options: Record<string, unknown> = {}
  for (const part of optionTexts(text.slice(name.length), names, name)) {
    const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(part) ?? []
    const option = names.find((option) => kebab(option) === key)
    if (option === undefined) throw unknownOption(pass, key)
    if (Object.hasOwn(options, option)) throw invalid(`${name}: option ${key} is given twice`)
    options[option] = parseValue(`${name}: ${key}`, pass.options[option]?.kind as OptionKind, value)
  }
  return pass(options)
}

/**
 * Reads a recipe: a JSON array, or an object with an array `passes`, whose items are texts as {@link parseTransform}
 * takes them, or objects `{ "pass": "set-attribute", "options": { … } }` with the options as the API has them.
 *
 * @throws {TrtError} `INVALID_ARGUMENT`
 */
export function parseRecipe(json: string): Transform[] {
  let content: unknown
  try {
    content = JSON.parse(json)
  } catch (error) {
    throw invalid(`the recipe is no JSON: ${(error as Error).message}`, RECIPE_HINT)
  }
  const list = Array.isArray(content) ? content : (content as { passes?: unknown } | null)?.passes
  if (!Array.isArray(list)) throw invalid('the recipe has no list of passes', RECIPE_HINT)
  return list.map((item: unknown, index) => {
    if (typeof item === 'string') return parseTransform(item)
    const { pass, options = {} } = (item ?? {}) as { pass?: unknown; options?: object }
    if (typeof pass !== 'string')
      throw invalid(`item ${index} of the recipe: expected a pass, received ${describe(item)}`, RECIPE_HINT)
    return passNamed(pass)(options)
  })
}

const RECIPE_HINT = 'for example: ["simplify", { "pass": "set-batch", "options": { "batch": 8 } }]'

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function passNamed(name: string): Pass {
  const pass = PASSES.get(name)
  if (pass !== undefined) return pass
  const near = [...PASSES.keys()].filter((other) => other.includes(name) || name.includes(other))
  throw invalid(
    `there is no pass ${JSON.stringify(name)}`,
    near.length > 0 && name !== ''
      ? `did you mean ${near.join(' or ')}?`
      : `the passes are ${[...PASSES.keys()].join(', ')}`,
  )
}

/** `maxBytes` → `max-bytes`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Cuts `:a=1:b=x:y` where an option's name follows a colon. */
function optionTexts(text: string, names: readonly string[], pass: string): string[] {
  if (text === '') return []
  const starts =
    names.length === 0 ? [] : [...text.matchAll(new RegExp(`:(?:${names.map(kebab).join('|')})(?=[=:]|$)`, 'g'))]
  const cuts = starts.map(({ index }) => index)
  if (cuts[0] !== 0) throw unknownOption(passNamed(pass), /^:([^=:]*)/.exec(text)?.[1] ?? '')
  return cuts.map((cut, at) => text.slice(cut + 1, cuts[at + 1]))
}

function parseValue(what: string, kind: OptionKind, text: string | undefined): unknown {
  if (kind === 'boolean') {
    if (text === undefined || text === 'true') return true
    if (text === 'false') return false
    throw invalid(`${what}: expected true or false, received ${JSON.stringify(text)}`)
  }
  if (text === undefined || text === '') throw invalid(`${what}: expected a value, received none`)
  if (kind === 'text') return text
  if (kind === 'texts') return text.split(',')
  if (kind === 'number') {
    const number = Number(text)
    if (text.trim() === '' || Number.isNaN(number))
      throw invalid(`${what}: expected a number, received ${JSON.stringify(text)}`)
    return number
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function unknownOption(pass: Pass, name: string): TrtError {
  const names = Object.keys(pass.options).map(kebab)
  return invalid(
    `${pass.passName}: unknown option ${JSON.stringify(name)}`,
    names.length === 0 ? 'it has no options' : `its options are ${names.join(', ')}`,
  )
}

function invalid(message: string, hint?: string): TrtError {
  return new TrtError('INVALID_ARGUMENT', message, { hint })
}
