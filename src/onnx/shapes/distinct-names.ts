import type { Dim } from '../value-type.js'
import { tensor, type ValueKind } from './value-kinds.js'

/**
 * Names of sizes as they can be relied on. Exporters give one name to several unknown sizes of a value: the inputs of
 * all-minilm-l6-v2 are `[batch,batch]` for batch and sequence. So a name that a shape has again stands for another size
 * there, the same one for every value that has it as often: a square then is not known to be one, which costs little.
 */
export class DistinctNames {
  readonly #renamed = new Map<string, string>()
  readonly #taken: ReadonlySet<string>

  /** @param taken names that mean something in the model */
  constructor(taken: ReadonlySet<string>) {
    this.#taken = taken
  }

  of(kind: ValueKind): ValueKind {
    if (kind.kind !== 'tensor' || kind.dims === undefined) return kind
    const names = kind.dims.filter((dim) => typeof dim === 'string')
    if (names.length === new Set(names).size) return kind
    const counts = new Map<string, number>()
    const dims = kind.dims.map((dim): Dim => {
      if (typeof dim !== 'string') return dim
      const count = (counts.get(dim) ?? 0) + 1
      counts.set(dim, count)
      return count === 1 ? dim : this.#nameOf(dim, count)
    })
    return tensor(kind.elem, dims)
  }

  #nameOf(name: string, count: number): string {
    const key = `${name} ${count}`
    let renamed = this.#renamed.get(key)
    for (let number = count; renamed === undefined; number++) {
      if (!this.#taken.has(`${name}_${number}`)) renamed = `${name}_${number}`
    }
    this.#renamed.set(key, renamed)
    return renamed
  }
}
