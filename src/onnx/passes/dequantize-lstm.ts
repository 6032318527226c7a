import type { Node } from '../model/node.js'
import { ModelTensor } from '../model/tensor.js'
import type { Value } from '../model/value.js'
import { addConstant } from './add-constant.js'
import { Constants, floatTensor } from './constants.js'
import { sweepValues } from './matching/sweep.js'
import { definePass } from './pass.js'
import { dequantized, numbersOf } from './quantization/quantized.js'

/**
 * Puts ONNX's LSTM, with weights in float32, in the place of onnxruntime's DynamicQuantizeLSTM. The weights are the numbers
 * that the integers stand for; what goes in, and the state from step to step, is rounded to 8 bits no more. So the outputs
 * come nearer to those of the network before it was quantised, and are not the same: by up to 0.7 % of the greatest one in
 * random networks of 16 to 256 cells, over 50 to 200 steps.
 *
 * @example onnx.dequantizeLstm()
 */
export const dequantizeLstm = definePass<Record<never, never>>({
  name: 'dequantize-lstm',
  summary: 'Puts LSTM with weights in float32 in the place of DynamicQuantizeLSTM (com.microsoft)',
  keepsMeaning: false,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    for (const graph of model.graphs()) {
      for (const node of graph.find({ opType: 'DynamicQuantizeLSTM', domain: 'com.microsoft' })) {
        const where = String(node)
        const { inputs } = node
        const weights = floatWeights(node, 1, 8, constants)
        const recurrence = floatWeights(node, 2, 10, constants)
        if (weights === undefined || recurrence === undefined) {
          context.note(`${where} was left alone: its weights are no constants of one scale, or of one for each column`)
          continue
        }
        const [x, , , ...rest] = inputs
        node.inputs = [x, weights, recurrence, ...rest.slice(0, 5)]
        node.domain = ''
        node.opType = 'LSTM'
        sweepValues(inputs)
        context.change(where, 'made LSTM with weights in float32')
      }
    }
  },
})

/**
 * The weights of LSTM, [directions, 4 · hidden, columns], of those of DynamicQuantizeLSTM, which are transposed: quantised with
 * one scale for each direction, or for each row of LSTM's.
 *
 * @param parameters the index of the scale; the zero point is the input behind
 */
function floatWeights(node: Node, index: number, parameters: number, constants: Constants): Value | undefined {
  const [weights, scales, zeroPoints] = [index, parameters, parameters + 1].map((at) => node.inputs[at])
  const tensor = constants.of(weights)
  const [integers, scale, zeroPoint] = [tensor, constants.of(scales), constants.of(zeroPoints)].map(numbersOf)
  if (tensor === undefined || integers === undefined || scale === undefined) return undefined
  if (zeroPoints !== undefined && zeroPoint === undefined) return undefined
  const [directions, rows, columns] = tensor.dims as readonly [number, number, number]
  const count = rows * columns
  const content = new Float32Array(directions * count)
  const part = (values: ArrayLike<number>, direction: number) => {
    const each = values.length / directions
    return Array.from(values).slice(direction * each, (direction + 1) * each)
  }
  for (let direction = 0; direction < directions; direction++) {
    const floats = dequantized(part(integers, direction), [rows, columns], {
      axis: 1,
      scale: part(scale, direction),
      ...(zeroPoint && { zeroPoint: part(zeroPoint, direction) }),
    })
    for (const [at, value] of floats.entries()) {
      const [row, column] = [Math.floor(at / columns), at % columns]
      content[direction * count + column * rows + row] = value
    }
  }
  const dims = [directions, columns, rows]
  return addConstant(node.graph, ModelTensor.from(floatTensor('float32', content, dims)), `${weights?.name}_float`)
}
