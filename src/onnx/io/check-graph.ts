import { TrtError } from '../../errors.js'
import type { FunctionProto, GraphProto, ModelProto, NodeProto } from './proto.js'

/**
 * Checks what every user of a graph relies on: nodes have an op, each value comes from one place, every value that is
 * read comes from somewhere, and nothing needs its own result. Nodes in an order that is not topological are fine, as
 * onnxruntime sorts them too.
 *
 * Takes time in proportion to the model. Rules: onnx/docs/IR.md, "Graphs", "Names within a graph".
 *
 * @throws {TrtError} `INVALID_MODEL`
 */
export function checkModelGraphs(model: ModelProto & { graph: GraphProto }, source: string): void {
  const free = freeNames(model.graph, source)
  failOnFree(free, source)
  for (const fn of model.functions) failOnFree(freeNames(fn, source), source)
  // A training algorithm reads the values of the main graph, so its free names are no mistake.
  for (const { initialization, algorithm } of model.trainingInfo) {
    if (initialization) freeNames(initialization, source)
    if (algorithm) freeNames(algorithm, source)
  }
}

/** The graphs that are attributes of a node: the bodies of If, Loop and Scan. */
export function subgraphsOf(node: NodeProto): readonly GraphProto[] {
  if (!node.mayHaveGraphs) return NONE
  return node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]))
}

const NONE: readonly GraphProto[] = []

/** Every graph of a model: main, nested, functions' and training's; outer before inner. */
export function* allNodeLists(model: ModelProto): Generator<GraphProto | FunctionProto> {
  const roots: (GraphProto | FunctionProto | undefined)[] = [model.graph, ...model.functions]
  for (const { initialization, algorithm } of model.trainingInfo) roots.push(initialization, algorithm)
  for (const root of roots) if (root !== undefined) yield* withNested(root)
}

function* withNested(graph: GraphProto | FunctionProto): Generator<GraphProto | FunctionProto> {
  yield graph
  for (const node of graph.node) for (const inner of subgraphsOf(node)) yield* withNested(inner)
}

/** Names that the graph reads and nothing in it gives, with who reads them. */
type FreeNames = Map<string, string>

function freeNames(graph: GraphProto | FunctionProto, source: string): FreeNames {
  const producers = producersOf(graph, source)
  const free: FreeNames = new Map()
  const reads = graph.node.map((node) => readsOf(node, source))
  let sorted = true
  graph.node.forEach((node, index) => {
    for (const name of reads[index] as readonly string[]) {
      const producer = producers.get(name)
      if (producer === undefined) {
        if (!free.has(name)) free.set(name, describeNode(node, index))
      } else if (producer >= index) sorted = false
    }
  })
  if (!sorted) failOnCycle(graph, reads, producers, source)
  for (const output of graph.output) {
    const name = typeof output === 'string' ? output : (output.name ?? '')
    if (!producers.has(name) && !free.has(name)) free.set(name, 'the list of outputs')
  }
  return free
}

/** By value name: the index of the node that gives it, -1 for inputs and initializers. */
function producersOf(graph: GraphProto | FunctionProto, source: string): Map<string, number> {
  const producers = new Map<string, number>()
  for (const input of graph.input) producers.set(typeof input === 'string' ? input : (input.name ?? ''), -1)
  if (graph.$type === 'GraphProto') {
    const { initializer, sparseInitializer } = graph as GraphProto
    for (const { name } of initializer) producers.set(name ?? '', -1)
    for (const { values } of sparseInitializer) producers.set(values?.name ?? '', -1)
  }
  graph.node.forEach((node, index) => {
    if (!node.opType) invalid(source, `${describeNode(node, index)} has no op type`)
    for (const name of node.output) {
      if (name === '') continue
      const other = producers.get(name)
      if (other !== undefined) {
        const from = other < 0 ? 'an input or initializer' : describeNode(graph.node[other] as NodeProto, other)
        invalid(source, `value "${name}" is given twice: by ${from} and by ${describeNode(node, index)}`)
      }
      producers.set(name, index)
    }
  })
  return producers
}

/** What a node reads: its inputs, and what its subgraphs take from outside. */
function readsOf(node: NodeProto, source: string): readonly string[] {
  const names = node.input.includes('') ? node.input.filter((name) => name !== '') : node.input
  const graphs = subgraphsOf(node)
  return graphs.length === 0
    ? names
    : graphs.reduce((all, graph) => all.concat([...freeNames(graph, source).keys()]), names)
}

function failOnCycle(
  graph: GraphProto | FunctionProto,
  reads: readonly (readonly string[])[],
  producers: ReadonlyMap<string, number>,
  source: string,
): void {
  const consumers: number[][] = graph.node.map(() => [])
  const waiting = graph.node.map((_, index) => {
    const sources = new Set((reads[index] as readonly string[]).map((name) => producers.get(name) ?? -1))
    sources.delete(-1)
    for (const producer of sources) consumers[producer]?.push(index)
    return sources.size
  })
  const ready = waiting.flatMap((count, index) => (count === 0 ? [index] : []))
  for (let next = 0; next < ready.length; next++) {
    for (const consumer of consumers[ready[next] as number] as number[]) {
      waiting[consumer] = (waiting[consumer] as number) - 1
      if (waiting[consumer] === 0) ready.push(consumer)
    }
  }
  const stuck = waiting.findIndex((count) => count > 0)
  if (stuck >= 0) invalid(source, `${describeNode(graph.node[stuck] as NodeProto, stuck)} is in, or behind, a cycle`)
}

function failOnFree(free: FreeNames, source: string): void {
  for (const [name, reader] of free) invalid(source, `${reader} reads "${name}", which nothing gives`)
}

function describeNode(node: NodeProto, index: number): string {
  return node.name ? `${node.opType} node "${node.name}"` : `${node.opType || 'a'} node at index ${index}`
}

function invalid(source: string, what: string): never {
  throw new TrtError('INVALID_MODEL', `${source} is no valid graph: ${what}`, {
    hint: 'Export the model again, or see what is wrong with `python -m onnx.checker`.',
  })
}
