import type { ExternalData } from '../io/external-data.js'
import type { FunctionProto, GraphProto } from '../io/proto.js'
import { Graph } from './graph.js'
import { Names } from './names.js'

/** The graph of a model of an IR version, or of a function, with all graphs inside it. */
export function rootGraph(proto: GraphProto | FunctionProto, external: ExternalData, irVersion: number): Graph {
  const graph: Graph = new Graph(proto, {
    external,
    initializersAreInputs: irVersion < 4,
    names: new Names(() => valueNames(graph)),
    nodeNames: new Names(() => nodeNames(graph)),
  })
  return graph
}

function* valueNames(root: Graph): Generator<string> {
  for (const graph of withNested(root)) for (const { name } of graph.values) yield name
}

function* nodeNames(root: Graph): Generator<string> {
  for (const graph of withNested(root)) for (const { name } of graph.nodesAsAdded) yield name
}

/** A graph and all graphs inside its nodes, outer before inner. */
export function* withNested(graph: Graph): Generator<Graph> {
  yield graph
  for (const node of graph.nodesAsAdded) for (const inner of node.subgraphs) yield* withNested(inner)
}
