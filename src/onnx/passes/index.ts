import type { Pass } from './pass.js'
import { setAttribute } from './set-attribute.js'

export {
  type Change,
  definePass,
  type OptionKind,
  type OptionSpec,
  type Pass,
  type PassContext,
  type PassDefinition,
  type PassReport,
  type Transform,
  type TransformControl,
} from './pass.js'
export type { NodeSelection } from './select-nodes.js'
export { type SetAttributeOptions, setAttribute } from './set-attribute.js'
export { type TransformOptions, transform } from './transform.js'
export type { Verification, VerifyOptions } from './verifier.js'

/** Every pass, by name. */
export const PASSES: ReadonlyMap<string, Pass> = new Map([setAttribute].map((pass) => [pass.passName, pass as Pass]))
