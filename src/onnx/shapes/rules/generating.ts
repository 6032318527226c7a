/** Ops that make tensors of no other tensor's elements. */
import { elementTypeName } from '../../data-types.js'
import type { Dim } from '../../value-type.js'
import { ceilDivide, subtract } from '../dim-algebra.js'
import type { OpContext, Rule } from '../op-context.js'
import { elemIn } from './same-shape.js'

function giveRandom(op: OpContext): void {
  op.give(0, op.ints('shape'), elemIn(op, 'dtype') ?? 'float32')
}

function giveWindow(op: OpContext): void {
  op.give(0, [op.element(0)], elemIn(op, 'output_datatype'))
}

/** By attribute of Constant: the type of what it holds. */
const CONSTANTS = [
  ['value_int', 'int64'],
  ['value_ints', 'int64'],
  ['value_float', 'float32'],
  ['value_floats', 'float32'],
  ['value_string', 'string'],
  ['value_strings', 'string'],
] as const

export const GENERATING: Readonly<Record<string, Rule>> = {
  Constant: (op) => {
    const tensor = op.value('value', 'tensor')
    if (tensor !== undefined) {
      const [output] = op.node.outputs
      if (output !== undefined) op.scope.constants.set(output, tensor)
      return op.give(0, tensor.dims, tensor.type)
    }
    const sparse = op.attribute('sparse_value')?.proto.sparseTensor
    if (sparse !== undefined) return op.give(0, sparse.dims.map(Number), elementTypeName(sparse.values?.dataType))
    for (const [name, elem] of CONSTANTS) {
      const attribute = op.attribute(name)
      if (attribute?.value === undefined) continue
      const { value } = attribute
      op.give(0, Array.isArray(value) ? [value.length] : [], elem)
      if (elem !== 'string') op.giveElements(0, [value].flat().map(Number))
    }
  },
  ConstantOfShape: (op) => {
    const shape = op.elements(0)
    const length = op.dims(0)?.[0]
    const dims = shape ?? (typeof length === 'number' ? new Array<Dim>(length).fill(null) : undefined)
    op.give(0, dims, op.value('value', 'tensor')?.type ?? 'float32')
  },
  Range: (op) => {
    const [start, limit, step] = [op.element(0), op.element(1), op.element(2)]
    if (typeof step !== 'number' || step === 0) return op.give(0, [null])
    if (typeof start === 'number' && typeof limit === 'number') {
      return op.give(0, [Math.max(0, Math.ceil((limit - start) / step))])
    }
    op.give(0, [step > 0 ? ceilDivide(subtract(limit, start), step) : null])
  },
  RandomNormal: giveRandom,
  RandomUniform: giveRandom,
  Multinomial: (op) => op.give(0, [op.dims(0)?.[0] ?? null, op.int('sample_size', 1)], elemIn(op, 'dtype') ?? 'int32'),
  BlackmanWindow: giveWindow,
  HammingWindow: giveWindow,
  HannWindow: giveWindow,
  MelWeightMatrix: (op) => {
    const length = op.element(1)
    const bins = typeof length === 'number' ? Math.floor(length / 2) + 1 : null
    op.give(0, [bins, op.element(0)], elemIn(op, 'output_datatype'))
  },
}
