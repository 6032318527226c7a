import type { Rule } from '../op-context.js'
import { ATTENTION, PREVIEW } from './attention.js'
import { BROADCASTING } from './broadcasting.js'
import { CONTROL_FLOW } from './control-flow.js'
import { CONVOLVING } from './convolving.js'
import { GENERATING } from './generating.js'
import { LOSSES, TRAINING } from './losses.js'
import { MACHINE_LEARNING } from './machine-learning.js'
import { MICROSOFT } from './microsoft.js'
import { MULTIPLYING } from './multiplying.js'
import { PLUGIN_DOMAINS, PLUGINS } from './plugins.js'
import { QUANTIZING } from './quantizing.js'
import { RECURRENT } from './recurrent.js'
import { REDUCING } from './reducing.js'
import { RESIZING } from './resizing.js'
import { SAME_SHAPE } from './same-shape.js'
import { SELECTING } from './selecting.js'
import { SEQUENCES } from './sequences.js'
import { SHAPING } from './shaping.js'
import { SIGNAL } from './signal.js'
import { TEXT } from './text.js'
import { VISION } from './vision.js'

const ONNX = [
  SAME_SHAPE,
  BROADCASTING,
  SHAPING,
  SELECTING,
  REDUCING,
  GENERATING,
  MULTIPLYING,
  CONVOLVING,
  RESIZING,
  VISION,
  QUANTIZING,
  RECURRENT,
  ATTENTION,
  CONTROL_FLOW,
  SEQUENCES,
  SIGNAL,
  TEXT,
  LOSSES,
]

const DOMAINS: readonly (readonly [domain: string, rules: Readonly<Record<string, Rule>>])[] = [
  ...ONNX.map((rules) => ['', rules] as const),
  ...PLUGIN_DOMAINS.map((domain) => [domain, PLUGINS] as const),
  ['ai.onnx.ml', MACHINE_LEARNING],
  ['ai.onnx.preview', PREVIEW],
  ['ai.onnx.preview.training', TRAINING],
  ['com.microsoft', MICROSOFT],
  // onnxruntime keeps this one in ONNX's own domain.
  ['', { SimplifiedLayerNormalization: MICROSOFT.SimplifiedLayerNormalization as Rule }],
]

const RULES: ReadonlyMap<string, Rule> = new Map(
  DOMAINS.flatMap(([domain, rules]) =>
    Object.entries(rules).map(([name, rule]) => [`${domain}:${name}`, rule] as const),
  ),
)

/** The rule of an op; undefined where there is none, so that only types are known, by its schema. */
export function ruleOf(domain: string, opType: string): Rule | undefined {
  return RULES.get(`${domain}:${opType}`)
}
