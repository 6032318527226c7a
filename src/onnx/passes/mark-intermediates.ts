import { TrtError } from '../../errors.js'
import { definePass } from './pass.js'
import { NODE_SELECTION_OPTIONS, type NodeSelection, selectNodes } from './select-nodes.js'

/** Options of {@link markIntermediates}: without any, every node of the main graph is meant. */
export interface MarkIntermediatesOptions extends NodeSelection {}

/**
 * Makes the results of the selected nodes outputs too, e.g. to compare them layer by layer between two runtimes.
 *
 * A node inside a graph (a branch of If, the body of Loop or Scan, a function) gives its results once for each time that
 * the graph runs, or not at all, so they cannot be outputs of the model: named outright it is refused, and where a
 * pattern or an op type means it among others, a note says so.
 *
 * @example onnx.markIntermediates({ ops: ['LayerNormalization', 'Softmax'] })
 */
export const markIntermediates = definePass<MarkIntermediatesOptions>({
  name: 'mark-intermediates',
  summary: 'Makes the results of the selected nodes outputs too',
  keepsMeaning: false,
  options: NODE_SELECTION_OPTIONS,
  defaults: { ops: undefined, nodes: undefined },
  apply(model, selection, context) {
    const { graph } = model
    const outputs = new Set(graph.outputs)
    const named = new Set(selection.nodes)
    let inside = 0
    for (const node of selectNodes(model, selection)) {
      if (node.graph !== graph) {
        if (named.has(node.name)) {
          throw new TrtError('INVALID_ARGUMENT', `mark-intermediates: ${node} is in a graph inside the model`, {
            hint: 'remove-if takes the branches of If into the main graph; the bodies of Loop and Scan stay closed.',
          })
        }
        inside++
        continue
      }
      for (const value of node.outputs) {
        if (value === undefined || outputs.has(value)) continue
        graph.addOutput(value)
        outputs.add(value)
        context.change(value, `made an output, given by ${node}`)
      }
    }
    if (inside > 0) context.note(`${inside} of the nodes selected are in graphs inside the model, and were left alone`)
  },
})
