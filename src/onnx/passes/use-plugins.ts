import { isOneOf } from '../../check.js'
import type { Node } from '../model/node.js'
import { definePass } from './pass.js'
import { PLUGIN_DOMAIN, PLUGIN_OPS, type PluginOp } from './plugins/plugin-ops.js'
import { NODE_SELECTION_OPTIONS, type NodeSelection, nodeSelector } from './select-nodes.js'

/** Options of {@link usePlugins}: without a selection, every node that a plugin can compute is meant. */
export interface UsePluginsOptions extends NodeSelection {
  /** The plugins' version: `1` is an IPluginV2DynamicExt, `2` an IPluginV3. Default `1`, which is what parsers take too. */
  readonly pluginVersion: '1' | '2'
}

/**
 * Gives LayerNormalization and PRelu to this package's plugins, CustomLayerNormalization and CustomPRelu: TensorRT has
 * layers of its own for both, and its parser asks for a plugin only by a name that is none of ONNX's. See docs/plugins.md
 * for when that is worth it. `lower-plugins` is the way back, e.g. to run the model on onnxruntime.
 *
 * Nodes get the attributes that the plugins know, and the domain `trt.plugins`; weights stay inputs.
 *
 * @example onnx.usePlugins({ ops: ['LayerNormalization'], pluginVersion: '2' })
 */
export const usePlugins = definePass<UsePluginsOptions>({
  name: 'use-plugins',
  summary: "Gives LayerNormalization and PRelu to this package's plugins",
  keepsMeaning: true,
  options: {
    ...NODE_SELECTION_OPTIONS,
    pluginVersion: {
      kind: 'text',
      doc: '1 (IPluginV2DynamicExt) or 2 (IPluginV3)',
      check: isOneOf('1', '2'),
    },
  },
  defaults: { ops: undefined, nodes: undefined, pluginVersion: '1' },
  apply(model, { pluginVersion, ...selection }, context) {
    const isSelected = nodeSelector(selection)
    const ops = new Map(PLUGIN_OPS.map((op) => [op.opType as string, op]))
    for (const graph of model.graphs()) {
      for (const node of graph.nodes) {
        const op = node.domain === '' ? ops.get(node.opType) : undefined
        if (op === undefined || !isSelected(node)) continue
        if (node.getInt('stash_type', 1) !== 1) {
          context.note(`${node} was left alone: the plugin sums in float32 only (stash_type 1)`)
          continue
        }
        const where = String(node)
        rename(node, op, pluginVersion)
        context.change(where, `given to the plugin ${op.plugin}, version ${pluginVersion}`)
        if (!model.opsets.has(PLUGIN_DOMAIN)) model.setOpset(PLUGIN_DOMAIN, 1)
      }
    }
  },
})

function rename(node: Node, { plugin }: PluginOp, version: '1' | '2'): void {
  node.opType = plugin
  node.domain = PLUGIN_DOMAIN
  // A plugin is not told how many outputs its node has.
  if (node.outputs.length > 1) node.set('outputs', 'int', node.outputs.length)
  if (version !== '1') node.set('plugin_version', 'string', version)
}
