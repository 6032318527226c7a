import { isTexts } from '../../check.js'
import { TrtError } from '../../errors.js'
import { namedValues } from './named-values.js'
import { definePass } from './pass.js'

/** Options of {@link insertOutput}. */
export interface InsertOutputOptions {
  /** Names of values of the main graph. */
  readonly values: readonly string[]
}

/**
 * Makes values inside the model outputs too, behind those that it has. Their types are declared as far as they are known:
 * run `infer-shapes` first where a runtime wants them.
 *
 * @example onnx.insertOutput({ values: ['/encoder/layer.0/Add_output_0'] })
 */
export const insertOutput = definePass<InsertOutputOptions>({
  name: 'insert-output',
  summary: 'Makes values inside the model outputs too',
  // What was given stays as it was, yet there is more of it.
  keepsMeaning: false,
  options: { values: { kind: 'texts', doc: 'names of values of the main graph', check: isTexts(1) } },
  defaults: { values: [] },
  apply(model, { values }, context) {
    if (values.length === 0) throw new TrtError('INVALID_ARGUMENT', 'insert-output: expected values, received none')
    const { graph } = model
    const outputs = new Set(graph.outputs)
    for (const value of namedValues(model, values, 'insert-output: values')) {
      if (outputs.has(value)) continue
      graph.addOutput(value)
      outputs.add(value)
      context.change(value, 'made an output')
    }
  },
})
