import { isPlainObject } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { Model } from '../model/model.js'
import type { Value } from '../model/value.js'
import type { Dim } from '../value-type.js'
import { definePass } from './pass.js'
import { changeShapes } from './shape-changes/change-shapes.js'

/** Options of {@link setShape}. */
export interface SetShapeOptions {
  /** Shapes by name of an input: sizes, names for symbolic ones, null for those that stay as they are. */
  readonly shapes: { readonly [input: string]: readonly Dim[] }
  /** Sizes, or other names, for symbolic dimensions of the inputs, by their names. */
  readonly sizes: { readonly [name: string]: number | string }
}

/**
 * Gives inputs other shapes: fixes symbolic sizes, or changes fixed ones, or makes them symbolic. Sizes that are written
 * into the graph follow, where they can be told: shapes of Reshape and Expand, sizes of Resize, ends of Slice; and what is
 * the same for each of the batch, from an Expand, a Tile, a ConstantOfShape or stored so, where Concat, a sum and the like,
 * or an LSTM as its initial state, takes it together with what changed. A dimension of a name that changes does so in every
 * input.
 *
 * Types and shapes of all values are declared anew. Where the graph holds sizes that cannot be changed, such as weights of
 * a fully connected layer behind a flattened image, it throws `UNSUPPORTED`, naming the node.
 *
 * @example onnx.setShape({ shapes: { images: ['batch', 3, 640, 640] } })
 * @example onnx.setShape({ sizes: { batch: 1, sequence: 128 } })
 */
export const setShape = definePass<SetShapeOptions>({
  name: 'set-shape',
  summary: 'Gives inputs other shapes, and the sizes that are written into the graph with them',
  keepsMeaning: false,
  options: {
    shapes: {
      kind: 'json',
      doc: 'shapes by name of an input; texts are symbolic, null stays, e.g. {"x": [1, 3, 640, null]}',
      check: (value) =>
        isPlainObject(value) && Object.values(value).every((dims) => Array.isArray(dims) && dims.every(isDim))
          ? undefined
          : 'an object of shapes by names of inputs',
    },
    sizes: {
      kind: 'json',
      doc: 'sizes, or new names, of symbolic dimensions by name, e.g. {"batch": 1}',
      check: (value) =>
        isPlainObject(value) && Object.values(value).every((dim) => dim !== null && isDim(dim))
          ? undefined
          : 'an object of sizes by names of dimensions',
    },
  },
  defaults: { shapes: {}, sizes: {} },
  apply(model, { shapes, sizes }, context) {
    const wanted = new Map<Value, readonly Dim[]>()
    for (const [name, dims] of Object.entries(shapes)) {
      const input = inputOf(model, name)
      wanted.set(input, completed(input, dims))
    }
    for (const input of model.graph.inputs) {
      const dims = wanted.get(input) ?? input.dims
      if (dims?.some((dim) => typeof dim === 'string' && Object.hasOwn(sizes, dim))) {
        wanted.set(
          input,
          dims.map((dim) => (typeof dim === 'string' ? (sizes[dim] ?? dim) : dim)),
        )
      }
    }
    changeShapes(model, wanted, context)
  },
})

/** @throws {TrtError} `INVALID_ARGUMENT` where there is none of this name that is to be fed */
export function inputOf({ graph }: Model, name: string): Value {
  const inputs = graph.fedInputs
  const input = inputs.find((value) => value.name === name)
  if (input !== undefined) return input
  const names = inputs.map((value) => value.name)
  throw new TrtError('INVALID_ARGUMENT', `there is no input ${JSON.stringify(name)}`, {
    hint: `the inputs are ${names.join(', ')}`,
  })
}

function completed({ name, dims }: Value, given: readonly Dim[]): readonly Dim[] {
  if (dims !== undefined && dims.length !== given.length) {
    throw new TrtError('INVALID_ARGUMENT', `input "${name}" has ${dims.length} dimensions, received [${given}]`)
  }
  return given.map((dim, axis) => dim ?? dims?.[axis] ?? null)
}

function isDim(value: unknown): boolean {
  return (
    value === null ||
    (typeof value === 'string' && value !== '') ||
    (Number.isSafeInteger(value) && (value as number) >= 0)
  )
}
