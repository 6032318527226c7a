/**
 * Says before a build what TensorRT will refuse or do badly.
 *
 * The rules are what TensorRT-RTX 1.7.1's own parser and builder did with the node tests of ONNX and with real models
 * (docs/lint.md has how often they agree); what only TensorRT 10 and 11 do was read in their documentation, and is in
 * `tensorrt-ops.ts`.
 */
import { checkOptions, isBoolean, isOneOf, isPlainObject, isTexts } from '../../check.js'
import type { Model } from '../model/model.js'
import { placeOf } from '../passes/pass.js'
import type { Finding } from './finding.js'
import type { InputValues } from './likely-values.js'
import { LintFacts } from './lint-facts.js'
import type { GivenShape } from './propose-shapes.js'
import { RULES } from './rules/index.js'

/** Which TensorRT a model is for: TensorRT-RTX, or TensorRT 10 and 11. */
export type LintTarget = 'tensorrt-rtx' | 'tensorrt'

/** Options of {@link lint}. */
export interface LintOptions {
  /** Default `'tensorrt-rtx'`, the stricter one: it has no plugin layers. */
  readonly target?: LintTarget
  /** Whether the model is to be built in float16. Default false. */
  readonly fp16?: boolean
  /** Ops that plugin libraries bring, e.g. `['CustomPRelu']`. Default none. */
  readonly pluginOps?: readonly string[]
  /** By input, what it is always fed with, where that is so: what fixes may make constant. */
  readonly values?: InputValues
  /** Shapes of inputs that are decided, fixed or as ranges; the others are proposed (see {@link proposeShapes}). */
  readonly shapes?: { readonly [input: string]: GivenShape }
}

const isObject = (value: unknown) => (isPlainObject(value) ? undefined : 'an object by names of inputs')

/** @internal checks of {@link LintOptions} */
export const LINT_CHECKS = {
  target: isOneOf('tensorrt-rtx', 'tensorrt'),
  fp16: isBoolean,
  pluginOps: isTexts(0),
  values: isObject,
  shapes: isObject,
}

/**
 * Looks through a model for what TensorRT will refuse (`error`) or do badly (`warning`), in the order of its nodes. The
 * model is not changed. Linear in nodes, weights are read only where a rule asks for their values.
 *
 * @throws {TrtError} `INVALID_ARGUMENT`; `EXTERNAL_DATA` where elements that a rule needs are in a file that is missing
 * @example
 * for (const { where, message, fixes } of onnx.lint(model)) console.log(where, message, fixes[0]?.passes)
 */
export function lint(model: Model, options: LintOptions = {}): Finding[] {
  checkOptions('lint', options, LINT_CHECKS)
  const facts = new LintFacts(model, options)
  const findings: Finding[] = []
  for (const { id, check } of RULES) {
    check(facts, (where, message, { severity = 'error', values = [], fixes = [], advice } = {}) => {
      const names = values.map(({ name }) => name)
      findings.push({ rule: id, severity, where: placeOf(where), message, values: names, fixes, advice })
    })
  }
  return findings
}
