/** What TensorRT would refuse of a model that carries QuantizeLinear and DequantizeLinear already. */
import type { Model } from '../../model/model.js'
import type { Node } from '../../model/node.js'
import type { ModelTensor } from '../../model/tensor.js'
import { Constants } from '../constants.js'
import { firstNames, groupNodes } from '../node-groups.js'

const OPS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear'])

/** The nodes by which a model is quantised; empty where it is not. */
export function quantizationNodes(model: Model): Node[] {
  return [...model.graphs()].flatMap((graph) =>
    graph.nodes.filter(({ domain, opType }) => domain === '' && OPS.has(opType)),
  )
}

/**
 * One sentence for each thing that TensorRT does not take (onnx-tensorrt, docs/operators.md; NVIDIA TensorRT documentation,
 * "Working with Quantized Types"): zero points other than 0, scales that are not positive, scales that are computed, types
 * other than int8, int4, float8e4m3fn and float4e2m1.
 */
export function checkQuantization(model: Model): string[] {
  const constants = new Constants(model)
  const problems = quantizationNodes(model).flatMap((node) => {
    const problem = problemOf(node, constants)
    return problem === undefined ? [] : [[node, problem] as const]
  })
  return [...groupNodes(problems)].map(
    ([problem, nodes]) => `TensorRT refuses ${nodes.length} nodes, as ${problem}: ${firstNames(nodes)}`,
  )
}

const TYPES: ReadonlySet<string> = new Set(['int8', 'int4', 'float8e4m3fn', 'float4e2m1'])

function problemOf(node: Node, constants: Constants): string | undefined {
  const [data, scale, zeroPoint] = node.inputs
  const scales = constants.of(scale)
  if (scales === undefined) return 'the scale is computed'
  if (!floats(scales).every((x) => x > 0 && Number.isFinite(x))) return 'a scale is not positive and finite'
  const zeros = constants.of(zeroPoint)
  const quantized = node.opType === 'DequantizeLinear' ? (constants.of(data)?.type ?? zeros?.type) : zeros?.type
  if (quantized !== undefined && !TYPES.has(quantized)) return `the type is ${quantized}`
  if (zeros?.bytes().some((byte) => byte !== 0)) return 'the zero point is not 0'
  return undefined
}

function floats(tensor: ModelTensor): number[] {
  return tensor.type === 'float32' ? Array.from(tensor.toTensor().data as Float32Array) : [1]
}
