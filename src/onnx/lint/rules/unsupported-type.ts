import type { Value } from '../../model/value.js'
import type { LintFacts } from '../lint-facts.js'
import type { Report, Rule } from '../rule.js'
import { TYPES } from '../tensorrt-ops.js'

/** Values of types that TensorRT has no tensors of. */
export const unsupportedType: Rule = {
  id: 'unsupported-type',
  summary: 'a value of a type that TensorRT has no tensors of',
  check(facts, report) {
    const { graph } = facts.model
    for (const value of graph.inputs) check(facts, value, report)
    for (const node of facts.nodes)
      for (const value of node.outputs) if (value !== undefined) check(facts, value, report)
    for (const { name } of graph.initializers) check(facts, graph.value(name) as Value, report)
  },
}

function check(facts: LintFacts, value: Value, report: Report): void {
  const type = facts.type(value)
  if (type === 'undefined' || TYPES.has(type) || (value.isUnused && value.producer !== undefined)) return
  const isWrapped = /^(sequence|optional|map|sparse_tensor)\(/.test(type)
  report(value, `TensorRT has no tensors of ${type}`, {
    values: [value],
    advice: isWrapped
      ? 'take it apart outside of the model: cut the model there with surgeon --pass extract'
      : 'export the model with float32, int32 or int64 there, or put a Cast in front of it outside of the engine',
  })
}
