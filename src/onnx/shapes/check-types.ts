/**
 * Whether every node of a model gets and gives types that its op has, as a strongly typed TensorRT network wants it and as
 * onnxruntime demands when it loads a model.
 */
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import { withNested } from '../model/root-graph.js'
import type { Value } from '../model/value.js'
import { type FormalParameter, schemaOf } from '../ops/schema.js'
import { inferTypes, type TypeContradiction } from './infer-types.js'
import { parameterAt } from './schema-kinds.js'

/**
 * What is wrong with the types in a model: values of types that their op does not take or give (onnx/docs/Operators.md,
 * "Type Constraints"), inputs that have to be of one type and are not, declarations that are not what nodes compute, and
 * values that go into or come out of the graphs of If, Loop and Scan as something else. Ops that ONNX does not know and the
 * bodies of functions are not looked at.
 *
 * Types and shapes are inferred and declared on the way, as `inferTypes` does.
 *
 * @returns an empty array where all is well
 * @example
 * for (const { node, message } of onnx.checkTypes(model)) console.log(String(node), message)
 */
export function checkTypes(model: Model): TypeContradiction[] {
  const nodes = [...withNested(model.graph)].flatMap((graph) => graph.nodes)
  // Before inference, which believes what goes into a graph more than what the graph declares.
  const found = nodes.flatMap((node) =>
    boundariesOf(node).flatMap(([inside, outside]) => differing(node, inside, outside)),
  )
  const { contradictions } = inferTypes(model, { onContradiction: 'report' })
  found.push(...contradictions)
  const functions = new Set(model.functions.map(({ domain, name }) => `${domain}:${name}`))
  for (const node of nodes) if (!functions.has(`${node.domain}:${node.opType}`)) found.push(...misfits(node, model))
  return found
}

/** Values of a node that are of a type that its schema does not allow there; that types agree, inference sees to. */
function misfits(node: Node, model: Model): TypeContradiction[] {
  const schema = schemaOf(node.opType, node.domain, model.opsets.get(node.domain) ?? 1)
  if (schema === undefined) return []
  const check = (values: readonly (Value | undefined)[], formals: readonly FormalParameter[], what: string) =>
    values.flatMap((value, index) => {
      const formal = parameterAt(formals, index)
      if (value === undefined || formal === undefined) return []
      const allowed = schema.typeConstraints.get(formal.type) ?? new Set([formal.type])
      if (allowed.has(value.type)) return []
      const expected = [...allowed].join(', ')
      const message = `${node}: ${what} ${formal.name}: expected ${expected}, "${value.name}" is ${value.type}`
      return [{ node, value, message }]
    })
  return [...check(node.inputs, schema.inputs, 'input'), ...check(node.outputs, schema.outputs, 'output')]
}

function differing(node: Node, inside: Value | undefined, outside: Value | undefined): TypeContradiction[] {
  const [inner, outer] = [inside?.type ?? 'undefined', outside?.type ?? 'undefined']
  if (inner === outer || [inner, outer].some((type) => type.includes('undefined'))) return []
  const message = `${node}: "${inside?.name}" inside is ${inner}, "${outside?.name}" outside is ${outer}`
  return [{ node, value: inside, message }]
}

/** Pairs of values that are one: in a graph of a node, and at the node. */
function boundariesOf(node: Node): (readonly [inside: Value | undefined, outside: Value | undefined])[] {
  if (node.domain !== '') return []
  const { inputs, outputs } = node
  const graphs = node.subgraphs
  switch (node.opType) {
    case 'If':
      return graphs.flatMap((graph) => outputs.map((value, index) => [graph.outputs[index], value] as const))
    case 'Loop':
      return graphs.flatMap((body) => [
        ...inputs.slice(2).map((value, index) => [body.inputs[index + 2], value] as const),
        ...outputs.map((value, index) => [body.outputs[index + 1], value] as const),
        ...inputs.slice(2).map((_, index) => [body.outputs[index + 1], body.inputs[index + 2]] as const),
      ])
    case 'Scan': {
      return graphs.flatMap((body) => {
        // Before version 9, the first input holds the lengths of the sequences.
        const given = inputs.slice(inputs.length - body.inputs.length)
        const states = body.inputs.length - node.getInt('num_scan_inputs', 0)
        return [
          ...given.map((value, index) => [body.inputs[index], value] as const),
          ...outputs.map((value, index) => [body.outputs[index], value] as const),
          ...body.inputs.slice(0, states).map((value, index) => [body.outputs[index], value] as const),
        ]
      })
    }
    default:
      return []
  }
}
