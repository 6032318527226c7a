/** Reshape, and the ops that are one in disguise: Flatten, Squeeze, Unsqueeze. */
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { int64s } from '../constants.js'
import { isSameShape } from './facts.js'
import { reshapeTarget } from './reshape-target.js'
import { bypass, onlyProducer, type Rewrite } from './rewrite.js'

const RESHAPING = ['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze'] as const

/** From this operator set on, Reshape takes the shape as an input. */
const SHAPE_INPUT = 5

/** Gives a Reshape a constant shape where one says it: of what is not known, one size may be -1, and copies are 0. */
const constantShape: Rewrite = (node, facts) => {
  const [data, shape] = node.inputs
  if (facts.opset < SHAPE_INPUT || shape === undefined || facts.constants.of(shape) !== undefined) return undefined
  const allowsZero = node.getInt('allowzero', 0) === 1
  const said = facts.elements(shape)
  const target = (said && !allowsZero && reshapeTarget(said, data?.dims)) || targetOf(node.outputs[0], data)
  if (target === undefined || (allowsZero && target.includes(0))) return undefined
  node.setInput(1, node.graph.addInitializer(int64s(target), node.graph.uniqueName(`${shape.name}_constant`)))
  return `given the constant shape [${target}]`
}

/** A reshaping of what was just reshaped is one of the value before. */
const merged: Rewrite = (node, facts) => {
  if (facts.opset < SHAPE_INPUT) return undefined
  const before = onlyProducer(node.inputs[0], ...RESHAPING)
  const source = before?.inputs[0]
  const output = node.outputs[0]
  if (before === undefined || source === undefined || output === undefined || node.getInt('allowzero', 0) === 1) {
    return undefined
  }
  const target = targetOf(output, source)
  if (target === undefined) return undefined
  const shape = node.graph.addInitializer(int64s(target), node.graph.uniqueName(`${output.name}_shape`))
  node.graph.addNode({ opType: 'Reshape', name: node.name, inputs: [source, shape], outputs: [output] })
  return `merged with ${before} into a Reshape to [${target}]`
}

/** There and back again: a value that was reshaped to the shape that it had. */
const undone: Rewrite = (node) => {
  const shape = node.outputs[0]?.dims
  for (let value = node.inputs[0]; value !== undefined; ) {
    const producer: Node | undefined = value.producer
    if (producer === undefined || producer.domain !== '' || !RESHAPING.includes(producer.opType as 'Reshape')) break
    value = producer.inputs[0]
    if (value !== undefined && isSameShape(value.dims, shape) && node.graph.sees(value) && bypass(node, value)) {
      return `taken out, as it undoes ${producer}`
    }
  }
  return undefined
}

function targetOf(output: Value | undefined, input: Value | undefined): number[] | undefined {
  return output?.dims && reshapeTarget(output.dims, input?.dims)
}

export const RESHAPES: Readonly<Record<string, readonly Rewrite[]>> = {
  Flatten: [undone, merged],
  Reshape: [constantShape, undone, merged],
  Squeeze: [undone, merged],
  Unsqueeze: [undone, merged],
}
