import { createHash } from 'node:crypto'
import type { Model } from '../../model/model.js'
import type { ModelTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import { Constants, constantTensor } from '../constants.js'
import type { PassContext } from '../pass.js'

/** Of two tensors of one type and shape, the first bytes tell most apart, so that weights are mostly not read whole. */
const HEAD_BYTES = 1024

/** Makes one of constants with the same type, shape and elements. Names of outputs stay. */
export function mergeConstants(model: Model, context: PassContext): void {
  const constants = new Constants(model)
  const candidates: Constant[] = []
  for (const graph of model.graphs()) {
    for (const value of graph.constants) add(value, constants.of(value))
    for (const node of graph.nodes) {
      const tensor = constantTensor(node)
      if (tensor !== undefined) add(node.outputs[0], tensor)
    }
  }
  let alike = grouped(candidates, ({ tensor: { type, dims } }) => `${type}[${dims}]`)
  alike = alike.flatMap((group) => grouped(group, ({ tensor }) => headOf(tensor)))
  alike = alike.flatMap((group) => grouped(group, ({ tensor }) => digestOf(tensor)))
  for (const group of alike) {
    const kept: Value[] = []
    for (const { value } of group) {
      const other = kept.find((candidate) => value.graph.sees(candidate))
      if (other === undefined) {
        kept.push(value)
        continue
      }
      context.change(value, `merged with "${other.name}", which holds the same`)
      value.replaceUsesWith(other)
      if (value.producer === undefined) value.graph.removeConstant(value)
      else value.producer.remove()
    }
  }

  function add(value: Value | undefined, tensor: ModelTensor | undefined): void {
    if (value !== undefined && tensor !== undefined && !value.isOutput) candidates.push({ value, tensor })
  }
}

interface Constant {
  readonly value: Value
  readonly tensor: ModelTensor
}

/** Groups of two and more with the same key. */
function grouped(items: readonly Constant[], keyOf: (item: Constant) => string): Constant[][] {
  const groups = new Map<string, Constant[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()].filter(({ length }) => length > 1)
}

function headOf(tensor: ModelTensor): string {
  if (tensor.type === 'string') return JSON.stringify(tensor.strings())
  const span = tensor.span()
  const head = span?.source.read(span.from, Math.min(span.to, span.from + HEAD_BYTES))
  return Buffer.from(head ?? tensor.bytes().subarray(0, HEAD_BYTES)).toString('latin1')
}

function digestOf(tensor: ModelTensor): string {
  if (tensor.byteLength <= HEAD_BYTES) return ''
  return createHash('sha256').update(tensor.bytes()).digest('base64')
}
