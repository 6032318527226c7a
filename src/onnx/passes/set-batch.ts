import { isPlainObject } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { Value } from '../model/value.js'
import type { Dim } from '../value-type.js'
import { definePass } from './pass.js'
import { inputOf } from './set-shape.js'
import { changeShapes } from './shape-changes/change-shapes.js'

/** Options of {@link setBatch}. */
export interface SetBatchOptions {
  /** The size, or a name for a dynamic one. */
  readonly batch: number | string | undefined
  /** By name of an input: where it has its batch, or null where it has none. Default: the first axis of every input. */
  readonly axes: { readonly [input: string]: number | null }
}

/**
 * Sets the batch of a model, fixed or symbolic, and what is written into the graph of the old one: see `set-shape`.
 *
 * @example onnx.setBatch({ batch: 'batch' })
 * @example onnx.setBatch({ batch: 8, axes: { state: 1, sample_rate: null } })
 */
export const setBatch = definePass<SetBatchOptions>({
  name: 'set-batch',
  summary: 'Sets the batch, fixed or symbolic, of the inputs and in the graph',
  keepsMeaning: false,
  options: {
    batch: {
      kind: 'json',
      doc: 'the size, or a name for a dynamic one',
      check: (value) =>
        (Number.isSafeInteger(value) && (value as number) > 0) || (typeof value === 'string' && value !== '')
          ? undefined
          : 'a size of 1 or more, or a name',
    },
    axes: {
      kind: 'json',
      doc: 'by name of an input, the axis of its batch, or null where it has none; default: 0 for all',
      check: (value) =>
        isPlainObject(value) && Object.values(value).every((axis) => axis === null || Number.isSafeInteger(axis))
          ? undefined
          : 'an object of axes by names of inputs',
    },
  },
  defaults: { batch: undefined, axes: {} },
  apply(model, { batch, axes }, context) {
    if (batch === undefined) throw new TrtError('INVALID_ARGUMENT', 'set-batch: expected a batch, received none')
    for (const name of Object.keys(axes)) inputOf(model, name)
    const wanted = new Map<Value, readonly Dim[]>()
    for (const input of model.graph.inputs) {
      const { name, dims, initializer } = input
      const axis = Object.hasOwn(axes, name) ? axes[name] : 0
      if (initializer !== undefined || dims === undefined || dims.length === 0 || axis === null) continue
      const place = (axis as number) < 0 ? (axis as number) + dims.length : (axis as number)
      if (place < 0 || place >= dims.length) {
        throw new TrtError(
          'INVALID_ARGUMENT',
          `set-batch: "${name}" has ${dims.length} dimensions, and no axis ${axis}`,
        )
      }
      wanted.set(input, dims.with(place, batch))
    }
    changeShapes(model, wanted, context)
  },
})
