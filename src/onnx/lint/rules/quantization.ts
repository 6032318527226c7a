/**
 * QuantizeLinear and DequantizeLinear as TensorRT wants them: symmetric, of int8 (or fp8, int4), with constant scales and
 * zero points (TensorRT's developer guide, "Working with quantized types").
 */
import type { Node } from '../../model/node.js'
import type { ModelTensor } from '../../model/tensor.js'
import { isJoinedTable, isMovedTable } from '../../passes/quantization/moved-table.js'
import { fixedCount } from '../../value-type.js'
import type { Fix } from '../finding.js'
import type { LintFacts } from '../lint-facts.js'
import type { Rule } from '../rule.js'

const LOWER: Fix = { passes: [{ pass: 'lower-asymmetric-quantization' }] }
/** Moves may come after the Concat. */
const FOLD: Fix = { passes: [{ pass: 'simplify' }, ...LOWER.passes] }

/** See the head of this file. */
export const quantization: Rule = {
  id: 'quantization',
  summary: 'a quantisation that TensorRT has no kernels for: asymmetric, of unsigned or 32-bit integers',
  check(facts, report) {
    for (const node of facts.nodes) {
      if (node.domain !== '' || !/^(De)?[qQ]uantizeLinear$/.test(node.opType)) continue
      const message = problemOf(node, facts)
      if (message === undefined) continue
      report(node, message, {
        values: [...node.inputs, ...node.outputs].filter((value) => value !== undefined),
        fixes: [isJoinedTable(node, facts.constants) ? FOLD : LOWER],
        advice: 'quantise symmetrically, weights and activations to int8, biases not at all',
      })
    }
  },
}

function problemOf(node: Node, facts: LintFacts): string | undefined {
  const [x, , zeroPoint] = node.inputs
  const isQuantize = node.opType === 'QuantizeLinear'
  const type = facts.type(isQuantize ? node.outputs[0] : x)
  if (type === 'int32') return 'TensorRT does not dequantise int32, as of a bias'
  const tensor = facts.constant(zeroPoint)
  if (tensor !== undefined && !isZero(tensor)) return `its zero point is not 0: TensorRT quantises symmetrically only`
  if (type === 'uint8') return 'TensorRT quantises to int8, and this is uint8'
  if (isQuantize && facts.type(x) === 'int32') return 'TensorRT does not quantise int32'
  if (isMovedTable(node, facts.constants) || isJoinedTable(node, facts.constants)) {
    return `its integers are a constant that other nodes move first: TensorRT takes those right before DequantizeLinear only`
  }
  const dims = node.opType === 'DequantizeLinear' && /4$|4e2m1$/.test(type) ? facts.dims(x) : undefined
  const elements = dims && fixedCount(dims)
  if (elements !== undefined && elements % 2 === 1)
    return `TensorRT keeps two ${type} in a byte, and here are ${elements}`
  const output = node.getInt('output_dtype', 0)
  if (isQuantize && output === 1) return 'its output_dtype is float32, which is no quantised type'
  return undefined
}

function isZero(tensor: ModelTensor): boolean {
  return tensor.bytes().every((byte) => byte === 0)
}
