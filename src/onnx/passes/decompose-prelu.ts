import type { Value } from '../model/value.js'
import { definePass } from './pass.js'
import { NODE_SELECTION_OPTIONS, type NodeSelection, nodeSelector } from './select-nodes.js'

/** Options of {@link decomposePrelu}: without any, every PRelu is meant. */
export interface DecomposePreluOptions extends NodeSelection {}

/**
 * Takes PRelu apart into `Relu(x) - slope · Relu(-x)`, which holds for every x that is a number, to the last bit. TensorRT
 * fuses these elementwise nodes into the convolution before them, also in versions and types where it does not fuse its
 * PRelu; measure both.
 *
 * @example onnx.decomposePrelu()
 */
export const decomposePrelu = definePass<DecomposePreluOptions>({
  name: 'decompose-prelu',
  summary: 'Takes PRelu apart into Relu, a product with the slope, and a difference',
  keepsMeaning: true,
  options: NODE_SELECTION_OPTIONS,
  defaults: { ops: undefined, nodes: undefined },
  apply(model, selection, context) {
    const isSelected = nodeSelector(selection)
    for (const graph of model.graphs()) {
      for (const node of graph.find({ opType: 'PRelu', domain: '', where: isSelected })) {
        const [x, slope] = node.inputs as readonly [Value, Value]
        const [y] = node.outputs as readonly [Value]
        const where = String(node)
        const add = (opType: string, name: string, ...inputs: Value[]): Value =>
          graph.addNode({ opType, inputs, name: `${node.name || 'PRelu'}_${name}` }).outputs[0] as Value
        const negative = add('Relu', 'negative', add('Neg', 'negated', x))
        const parts = [add('Relu', 'positive', x), add('Mul', 'scaled', slope, negative)]
        graph.addNode({ opType: 'Sub', name: node.name, inputs: parts, outputs: [y] })
        context.change(where, 'taken apart')
      }
    }
  },
})
