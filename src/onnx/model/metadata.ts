import { blob } from '../io/packed.js'
import { type Message, newMessage, type StringStringEntryProto } from '../io/proto.js'
import { textOf } from '../io/text.js'

/** A message that has metadata. */
type WithMetadata = Message & { metadataProps: StringStringEntryProto[] }

/** Named texts that a model, graph, node or tensor carries, such as labels and their order. */
export class Metadata implements Iterable<readonly [key: string, value: string]> {
  readonly #proto: WithMetadata

  /** @internal */
  constructor(proto: WithMetadata) {
    this.#proto = proto
  }

  get(key: string): string | undefined {
    const entry = this.#proto.metadataProps.find((entry) => entry.key === key)
    return entry && textIn(entry)
  }

  /** Sets a text; undefined removes it. */
  set(key: string, value: string | undefined): void {
    const proto = this.#proto
    const entry = proto.metadataProps.find((entry) => entry.key === key)
    if (value === undefined) {
      if (entry === undefined) return
      proto.metadataProps = proto.metadataProps.filter((other) => other !== entry)
    } else if (entry !== undefined) {
      entry.value = blob(value)
      entry.$touched = true
    } else {
      const added = newMessage('StringStringEntryProto', { key, value: blob(value) })
      proto.metadataProps = [...proto.metadataProps, added]
    }
    proto.$touched = true
  }

  *[Symbol.iterator](): Iterator<readonly [key: string, value: string]> {
    for (const entry of this.#proto.metadataProps) yield [entry.key ?? '', textIn(entry)]
  }
}

function textIn({ value }: StringStringEntryProto): string {
  return value === undefined ? '' : textOf(value)
}
