import { isOneOf } from '../../check.js'
import { type InferTypesOptions, inferTypes } from '../shapes/infer-types.js'
import { definePass } from './pass.js'

/** Options of {@link inferShapes}. */
export interface InferShapesOptions extends Required<InferTypesOptions> {}

/**
 * Declares the type and the shape of every value, symbolic sizes kept. {@link inferTypes} does the same outside of a list
 * of passes, and says what it could not find out.
 *
 * @example onnx.inferShapes({ onContradiction: 'replace' })
 */
export const inferShapes = definePass<InferShapesOptions>({
  name: 'infer-shapes',
  summary: 'Declares the type and the shape of every value, symbolic sizes kept',
  keepsMeaning: true,
  options: {
    onContradiction: {
      kind: 'text',
      doc: 'throw, report, or replace what the model declares, where its nodes compute something else',
      check: isOneOf('throw', 'report', 'replace'),
    },
  },
  defaults: { onContradiction: 'throw' },
  apply(model, options, context) {
    const { changed, values, untyped, unshaped, unknownOps, contradictions } = inferTypes(model, options)
    for (const value of changed) {
      context.change(
        value,
        `declared as ${value.type}${value.dims === undefined ? '' : `[${value.dims.map((dim) => dim ?? '?').join(',')}]`}`,
      )
    }
    for (const op of unknownOps)
      context.note(`nothing is known of what ${op.replace(/^:/, '')} gives: there is no such op in ONNX`)
    for (const { message } of contradictions) context.note(message)
    context.count('values', values)
    context.count('values of unknown type', untyped.length)
    context.count('values of unknown rank', unshaped.length)
  },
})
