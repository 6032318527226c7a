import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import { appendDims } from './append-dims.js'
import { Constants } from './constants.js'
import { definePass } from './pass.js'
import { byChannel, slopeMeaning } from './prelu-slope.js'

/**
 * Gives slopes of PRelu that are meant by channel the shape that says so: `[C]`, as MXNet exports them, becomes `[C,1,1]`
 * for an input of four dimensions. ONNX aligns shapes at the last dimension, so that runtimes refuse the model, or slope
 * along its width.
 *
 * Slopes that are right stay: `[C]` for inputs of two dimensions, and where the last dimension has C elements and there are
 * other than C channels. Where both have C elements, the model's other slopes decide: if one of them can be meant by
 * channel only, so is this one; otherwise it stays, as it is valid ONNX. Where the last dimension is not known and there are
 * C channels, by channel is meant. Notes say which of these was done.
 *
 * Shapes have to be known: run `infer-shapes` first where the model does not declare them.
 *
 * @example onnx.transform(model, [onnx.inferShapes(), onnx.fixPreluSlope()])
 */
export const fixPreluSlope = definePass<Record<never, never>>({
  name: 'fix-prelu-slope',
  summary: 'Gives slopes of PRelu that are meant by channel the shape that says so',
  keepsMeaning: false,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    const [sure, open]: [Node[], Node[]] = [[], []]
    for (const graph of model.graphs()) {
      for (const node of graph.find({ opType: 'PRelu', domain: '' })) {
        const [x, slope] = node.inputs as readonly [Value, Value]
        if (x.dims === undefined || slope.dims === undefined) {
          context.note(`${node} was left alone: the shape of "${x.name}" is not known; run infer-shapes first`)
          continue
        }
        const meaning = slopeMeaning(slope.dims, x.dims)
        const isByChannel = meaning === 'channel' || (meaning === 'unknown' && x.dims[1] === slope.dims[0])
        if (isByChannel) sure.push(node)
        else if (meaning === 'either') open.push(node)
        else if (meaning === 'unknown') {
          context.note(
            `${node} was left alone: [${slope.dims}] is neither the channels of [${x.dims}] nor its last size`,
          )
        }
      }
    }
    for (const node of open) {
      context.note(
        sure.length > 0
          ? `${node}: its slope fits channels and the last dimension, and was taken by channel, as others of the model are`
          : `${node}: its slope fits channels and the last dimension, and stays by the last one, as ONNX has it`,
      )
    }
    for (const node of sure.length > 0 ? [...sure, ...open] : sure) {
      const [x, slope] = node.inputs as readonly [Value, Value]
      const [size] = slope.dims as readonly [number]
      const dims = byChannel(size, (x.dims as readonly unknown[]).length)
      appendDims(node, 1, dims.length - 1, constants)
      context.change(node, `slope [${size}] reshaped to [${dims}]`)
    }
  },
})
