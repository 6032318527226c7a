import type { Model } from '../model/model.js'
import { inferTypes } from '../shapes/infer-types.js'
import type { PassContext } from './pass.js'

/** Infers the types and shapes that a pass has to know, and reports how many are new: `12 ${what}`. */
export function inferFirst(model: Model, what: string, context: PassContext): void {
  const { changed } = inferTypes(model, { onContradiction: 'report' })
  if (changed.length > 0) context.change('model', `${changed.length} ${what}`)
}
