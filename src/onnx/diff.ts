import { createHash } from 'node:crypto'
import type { Attribute } from './model/attribute.js'
import type { Graph } from './model/graph.js'
import type { Model } from './model/model.js'
import type { Node } from './model/node.js'
import { ModelTensor } from './model/tensor.js'
import type { Value } from './model/value.js'

/** One way in which two models differ. */
export interface Difference {
  readonly change: 'added' | 'removed' | 'changed'
  readonly what: 'model' | 'input' | 'output' | 'initializer' | 'node'
  /** Its name; that of a node inside another one after that one's name and attribute: `If_0/then_branch/Add_1`. */
  readonly name: string
  /** What it is, or for `changed`, each thing that differs as `group: 1 → 2`. */
  readonly details: readonly string[]
}

/**
 * What changed from one model to another, node by node. Nodes are the same where they have the same name; those without
 * one, or with one that several have, where they give a value of the same name. Order does not count.
 *
 * Reads all weights of both. Takes time in proportion to the models.
 */
export function diff(before: Model, after: Model): Difference[] {
  const model = changesOf('model', '', facts(before), facts(after))
  const functions = pairs(byKey(before.functions, idOf), byKey(after.functions, idOf)).flatMap(([id, one, other]) =>
    diffGraphs(one?.graph, other?.graph, `${id}/`),
  )
  return [...model, ...diffGraphs(before.graph, after.graph, ''), ...functions]
}

/** Named texts that tell whether two things are the same. */
type Facts = ReadonlyMap<string, string>

function facts(model: Model): Facts {
  return new Map([
    ['IR version', String(model.irVersion)],
    ['producer', `${model.producerName} ${model.producerVersion}`.trim()],
    ...[...model.opsets].map(([domain, version]) => [`opset of ${domain || 'ai.onnx'}`, String(version)] as const),
    ...[...model.metadata].map(([key, value]) => [`metadata ${key}`, JSON.stringify(value)] as const),
  ])
}

function diffGraphs(before: Graph | undefined, after: Graph | undefined, prefix: string): Difference[] {
  const values = (list: readonly Value[] = []) => new Map(list.map((value) => [value.name, typeFacts(value)]))
  const weights = (graph: Graph | undefined) =>
    new Map((graph?.initializers ?? []).map((tensor) => [tensor.name, tensorFacts(tensor)]))
  return [
    ...diffFacts('input', values(before?.inputs), values(after?.inputs), prefix),
    ...diffFacts('output', values(before?.outputs), values(after?.outputs), prefix),
    ...diffFacts('initializer', weights(before), weights(after), prefix),
    ...diffNodes(before, after, prefix),
  ]
}

function diffNodes(before: Graph | undefined, after: Graph | undefined, prefix: string): Difference[] {
  return pairs(byNode(before), byNode(after)).flatMap(([key, one, other]) => {
    const name = prefix + key
    const own = differenceOf('node', name, one && nodeFacts(one), other && nodeFacts(other), [String(one ?? other)])
    // What is inside a node that came or went came or went with it.
    if (one === undefined || other === undefined) return own
    return [...own, ...diffSubgraphs(one, other, name)]
  })
}

function diffSubgraphs(before: Node, after: Node, name: string): Difference[] {
  const graphs = (node: Node) =>
    new Map(
      node.attributes.flatMap((attribute) =>
        attribute.graphs.map((graph, index) => [`${attribute.name}${index === 0 ? '' : index}`, graph] as const),
      ),
    )
  return pairs(graphs(before), graphs(after)).flatMap(([attribute, one, other]) =>
    diffGraphs(one, other, `${name}/${attribute}/`),
  )
}

function diffFacts(
  what: Difference['what'],
  before: ReadonlyMap<string, Facts>,
  after: ReadonlyMap<string, Facts>,
  prefix: string,
): Difference[] {
  return pairs(before, after).flatMap(([name, one, other]) =>
    differenceOf(what, prefix + name, one, other, [...((one ?? other) as Facts).values()].slice(0, 1)),
  )
}

function differenceOf(
  what: Difference['what'],
  name: string,
  before: Facts | undefined,
  after: Facts | undefined,
  details: readonly string[],
): Difference[] {
  if (before === undefined) return [{ change: 'added', what, name, details }]
  if (after === undefined) return [{ change: 'removed', what, name, details }]
  return changesOf(what, name, before, after)
}

function changesOf(what: Difference['what'], name: string, before: Facts, after: Facts): Difference[] {
  const details = pairs(before, after).flatMap(([key, one = 'none', other = 'none']) =>
    one === other ? [] : [`${key}: ${one} → ${other}`],
  )
  return details.length === 0 ? [] : [{ change: 'changed', what, name, details }]
}

function typeFacts(value: Value): Facts {
  return new Map([['type', typeText(value)]])
}

function tensorFacts(tensor: ModelTensor): Facts {
  return new Map([
    ['type', `${tensor.type}[${tensor.dims.join(',')}]`],
    ['elements', elementsText(tensor)],
  ])
}

function nodeFacts(node: Node): Facts {
  const names = (list: readonly (Value | undefined)[]) => list.map((value) => value?.name ?? '_').join(', ')
  const plain = node.attributes.filter(({ graphs }) => graphs.length === 0)
  return new Map([
    ['op', node.domain === '' ? node.opType : `${node.domain}:${node.opType}`],
    ['inputs', `(${names(node.inputs)})`],
    ['outputs', `(${names(node.outputs)})`],
    ...plain.map((attribute) => [attribute.name, attributeText(attribute)] as const),
  ])
}

function attributeText({ refName, type, value }: Attribute): string {
  if (refName !== undefined) return `@${refName}`
  const text = (item: unknown): string =>
    item instanceof ModelTensor
      ? `${item.type}[${item.dims.join(',')}] ${elementsText(item)}`
      : typeof item === 'string'
        ? JSON.stringify(item)
        : // The digits that a float32 holds.
          type.startsWith('float')
          ? String(Number((item as number).toPrecision(7)))
          : String(item)
  if (value === undefined) return type
  return Array.isArray(value) ? `[${value.map(text).join(', ')}]` : text(value)
}

/** Elements that are shown; of more, their digest. */
const SHOWN = 4

function elementsText(tensor: ModelTensor): string {
  if (tensor.type === 'string') return JSON.stringify(tensor.strings().slice(0, SHOWN))
  const digest = createHash('sha256').update(tensor.bytes()).digest('hex').slice(0, 12)
  if (tensor.size > SHOWN) return `sha256 ${digest}`
  try {
    return `[${[...tensor.toTensor().data].map(String).join(', ')}]`
  } catch {
    return `sha256 ${digest}`
  }
}

function typeText({ type, dims }: Value): string {
  return dims === undefined ? type : `${type}[${dims.map((dim) => dim ?? '?').join(',')}]`
}

/** By name where only one has it, else by the first output. */
function byNode(graph: Graph | undefined): Map<string, Node> {
  const nodes = graph?.nodes ?? []
  const counts = new Map<string, number>()
  for (const { name } of nodes) counts.set(name, (counts.get(name) ?? 0) + 1)
  const keyOf = (node: Node): string =>
    node.name !== '' && counts.get(node.name) === 1
      ? node.name
      : `${node.opType} of ${node.outputs.find((value) => value !== undefined)?.name ?? 'nothing'}`
  return byKey(nodes, keyOf)
}

function byKey<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T> {
  return new Map(list.map((item) => [keyOf(item), item]))
}

function idOf({ domain, name }: { readonly domain: string; readonly name: string }): string {
  return `${domain}:${name}`
}

/** All keys of both, in the order of the first map and then of the second. */
function pairs<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): [key: string, before: T | undefined, after: T | undefined][] {
  return [...new Set([...before.keys(), ...after.keys()])].map((key) => [key, before.get(key), after.get(key)])
}
