import * as trt from 'tensorrt-node'
import { makeModel, node } from '../../helpers/onnx-model.js'

/** y = x + bias, with a dynamic batch. */
export const affine = makeModel({
  inputs: { x: ['float32', ['batch', 3]], bias: ['float32', [3]] },
  outputs: { y: ['float32', ['batch', 3]] },
  nodes: [node('Add', ['x', 'bias'], ['y'])],
})

/** Shapes that suit it. */
const SHAPES = { x: { min: [1, 3], opt: [2, 3], max: [4, 3] } }

/** Builds it with these options, wrong as they may be. */
export const build = (options: object): Promise<trt.BuildResult> =>
  trt.buildEngine({ onnx: affine, shapes: SHAPES, backend: 'onnxruntime', ...options } as trt.BuildOptions)
