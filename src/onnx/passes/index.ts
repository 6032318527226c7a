import type { Pass } from './pass.js'
import { setAttribute } from './set-attribute.js'

export type { Change, OptionKind, OptionSpec, Pass, PassReport, Transform, TransformControl } from './pass.js'
export type { NodeSelection } from './select-nodes.js'
export { type SetAttributeOptions, setAttribute } from './set-attribute.js'
export { type TransformOptions, transform } from './transform.js'

/** Every pass, by name. */
export const PASSES: ReadonlyMap<string, Pass> = new Map([setAttribute].map((pass) => [pass.passName, pass as Pass]))
