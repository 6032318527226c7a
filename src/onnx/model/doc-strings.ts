import type { Message, StringStringEntryProto } from '../io/proto.js'
import type { Span } from '../io/source.js'
import type { Graph } from './graph.js'

/** A message that people and tools attach texts to. */
type Documented = Message & { docString: Span | undefined; metadataProps?: StringStringEntryProto[] }

/** What {@link removeDocs} took away. */
export interface RemovedDocs {
  /** Bytes of doc strings. */
  readonly bytes: number
  readonly docs: number
  /** Entries of metadata. */
  readonly entries: number
}

/** Takes away the doc strings of a graph, its nodes, attributes, values and constants; `metadata`: and their metadata. */
export function removeDocs(graph: Graph, metadata: boolean): RemovedDocs {
  return removeFrom(documentsOf(graph), metadata)
}

/** The same for messages of any kind. */
export function removeFrom(messages: Iterable<Documented>, metadata: boolean): RemovedDocs {
  const removed = { bytes: 0, docs: 0, entries: 0 }
  for (const message of messages) {
    if (message.docString !== undefined) {
      removed.bytes += message.docString.to - message.docString.from
      removed.docs++
      message.docString = undefined
      message.$touched = true
    }
    if (metadata && message.metadataProps !== undefined && message.metadataProps.length > 0) {
      removed.entries += message.metadataProps.length
      message.metadataProps = []
      message.$touched = true
    }
  }
  return removed
}

function* documentsOf(graph: Graph): Generator<Documented> {
  yield graph.proto
  for (const node of graph.nodes) {
    yield node.proto
    for (const attribute of node.proto.attribute) {
      yield attribute
      if (attribute.t !== undefined) yield attribute.t
      yield* attribute.tensors
    }
  }
  for (const value of graph.values) yield* value.state.infos
  for (const { proto } of graph.initializers) yield proto
}
