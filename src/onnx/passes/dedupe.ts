import { definePass } from './pass.js'
import { mergeConstants } from './simplify/merge-constants.js'
import { mergeNodes } from './simplify/merge-nodes.js'

/**
 * Keeps one of constants that hold the same, and of nodes that compute the same. Random ops, and ops that are not ONNX's
 * own, are left alone, since nobody knows whether they give the same twice.
 */
export const dedupe = definePass<Record<never, never>>({
  name: 'dedupe',
  summary: 'Keeps one of constants that hold the same, and of nodes that compute the same',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    mergeConstants(model, context)
    mergeNodes(model, context)
  },
})
