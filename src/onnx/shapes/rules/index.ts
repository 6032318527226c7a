import type { Rule } from '../op-context.js'
import { BROADCASTING } from './broadcasting.js'
import { CONVOLVING } from './convolving.js'
import { GENERATING } from './generating.js'
import { MULTIPLYING } from './multiplying.js'
import { REDUCING } from './reducing.js'
import { SAME_SHAPE } from './same-shape.js'
import { SELECTING } from './selecting.js'
import { SHAPING } from './shaping.js'

const ONNX: Readonly<Record<string, Rule>> = {
  ...SAME_SHAPE,
  ...BROADCASTING,
  ...SHAPING,
  ...SELECTING,
  ...REDUCING,
  ...GENERATING,
  ...MULTIPLYING,
  ...CONVOLVING,
}

/** The rule of an op; undefined where there is none, so that only types are known, by its schema. */
export function ruleOf(domain: string, opType: string): Rule | undefined {
  return RULES.get(`${domain}:${opType}`)
}

const RULES: ReadonlyMap<string, Rule> = new Map(Object.entries(ONNX).map(([name, rule]) => [`:${name}`, rule]))
