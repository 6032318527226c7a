import { isTexts } from '../../check.js'
import { TrtError } from '../../errors.js'
import type { Model } from '../model/model.js'
import type { Node } from '../model/node.js'
import type { OptionSpec } from './pass.js'

/** The options by which a pass says which nodes it is about. A node is meant where each option that is given fits it. */
export interface NodeSelection {
  /** Op types, with the domain where it is not ONNX's own: `Conv`, `com.microsoft:Gelu`. */
  readonly ops?: readonly string[] | undefined
  /** Names of nodes, where `*` stands for any text: `/encoder/*\/norm`. */
  readonly nodes?: readonly string[] | undefined
}

/** For the `options` of a pass whose options extend {@link NodeSelection}. */
export const NODE_SELECTION_OPTIONS: { readonly [Name in keyof NodeSelection]-?: OptionSpec } = {
  ops: { kind: 'texts', doc: 'only nodes of these op types, e.g. Conv or com.microsoft:Gelu', check: isTexts(1) },
  nodes: { kind: 'texts', doc: 'only nodes of these names; * stands for any text', check: isTexts(1) },
}

/** Whether a node is among those selected; with no option given, every node is. */
export function nodeSelector({ ops, nodes }: NodeSelection): (node: Node) => boolean {
  const types = ops && new Set(ops)
  const patterns = nodes?.map(patternOf)
  return (node) => {
    const type = node.domain === '' ? node.opType : `${node.domain}:${node.opType}`
    return (
      (types === undefined || types.has(type)) &&
      (patterns === undefined || patterns.some((pattern) => pattern.test(node.name)))
    )
  }
}

/**
 * The nodes selected, of every graph of the model.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` where a name (without `*`) is no node's: it is misspelt, most likely
 */
export function selectNodes(model: Model, selection: NodeSelection): Node[] {
  const isSelected = nodeSelector(selection)
  const names = new Set<string>()
  const selected: Node[] = []
  for (const graph of model.graphs()) {
    for (const node of graph.nodes) {
      names.add(node.name)
      if (isSelected(node)) selected.push(node)
    }
  }
  const unknown = selection.nodes?.find((name) => !name.includes('*') && !names.has(name))
  if (unknown === undefined) return selected
  throw new TrtError('INVALID_ARGUMENT', `nodes: the model has no node named ${JSON.stringify(unknown)}`, {
    hint: 'tensorrt-node surgeon show MODEL lists the nodes',
  })
}

function patternOf(text: string): RegExp {
  const escaped = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`, 's')
}
