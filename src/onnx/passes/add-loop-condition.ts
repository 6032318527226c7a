import type { Graph } from '../model/graph.js'
import type { Value } from '../model/value.js'
import { addTrue } from './add-constant.js'
import { Constants } from './constants.js'
import { definePass } from './pass.js'

/**
 * Gives a Loop without a condition the constant true for one, where its body asks for the condition, or computes another
 * one for the next round. Without it TensorRT knows no such value, and counts rounds only, where onnxruntime ends the loop.
 *
 * @example onnx.addLoopCondition()
 */
export const addLoopCondition = definePass<Record<never, never>>({
  name: 'add-loop-condition',
  summary: 'Gives a Loop without a condition the constant true for one, where its body has to do with it',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    for (const graph of model.graphs()) {
      for (const node of graph.find({ opType: 'Loop', domain: '' })) {
        const body = node.get('body', 'graph')
        if (body === undefined) continue
        const [, condition] = node.inputs
        if (condition !== undefined || !concernsCondition(body, constants)) continue
        node.setInput(1, addTrue(graph))
        context.change(node, 'given the condition true')
      }
    }
  },
})

/** Whether a body reads its condition, or gives another one than true. */
function concernsCondition({ inputs, outputs }: Graph, constants: Constants): boolean {
  const [next] = outputs as readonly [Value]
  return inputs[1]?.isUnused === false || constants.ints(next)?.[0] !== 1
}
