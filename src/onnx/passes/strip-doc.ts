import { isBoolean } from '../../check.js'
import { removeDocs, removeFrom } from '../model/doc-strings.js'
import { definePass } from './pass.js'

/** Options of {@link stripDoc}. */
export interface StripDocOptions {
  /**
   * Take away the texts too that tools attach to graphs, nodes, values and constants, such as PyTorch's stack traces. The
   * model's own (labels, character lists) stay. Default false.
   */
  readonly metadata: boolean
}

/**
 * Takes away doc strings: of the model, its functions, graphs, nodes, attributes, values and constants. PyTorch's exporter
 * writes the path and line of the source code of every node there.
 */
export const stripDoc = definePass<StripDocOptions>({
  name: 'strip-doc',
  summary: 'Takes away doc strings',
  keepsMeaning: true,
  options: { metadata: { kind: 'boolean', doc: 'also the metadata of nodes, values and constants', check: isBoolean } },
  defaults: { metadata: false },
  apply(model, { metadata }, context) {
    const functions = model.functions.map(({ proto }) => proto)
    const parts = [
      removeFrom([model.proto], false),
      removeFrom(functions, metadata),
      ...[...model.graphs()].map((graph) => removeDocs(graph, metadata)),
    ]
    const sum = (name: 'bytes' | 'docs' | 'entries'): number => parts.reduce((total, part) => total + part[name], 0)
    if (sum('docs') > 0) context.change('model', `${sum('docs')} doc strings taken away, ${sum('bytes')} bytes`)
    if (sum('entries') > 0) context.change('model', `${sum('entries')} entries of metadata taken away`)
  },
})
