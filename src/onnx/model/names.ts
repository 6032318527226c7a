/**
 * The names in use in a graph and all graphs inside it. ONNX wants them unique across both (onnx/docs/IR.md, "Names
 * within a graph"), yet the two branches of an If may use a name each, so names are counted.
 */
export class Names {
  readonly #collect: () => Iterable<string>
  #counts: Map<string, number> | undefined
  readonly #next = new Map<string, number>()

  /** @param collect the names in use; it is called when somebody asks for a name first, as most models are only read */
  constructor(collect: () => Iterable<string>) {
    this.#collect = collect
  }

  has(name: string): boolean {
    return this.#counted().has(name)
  }

  /** How many use a name. */
  count(name: string): number {
    return this.#counted().get(name) ?? 0
  }

  add(name: string): void {
    if (this.#counts !== undefined) count(this.#counts, name, 1)
  }

  delete(name: string): void {
    if (this.#counts !== undefined) count(this.#counts, name, -1)
  }

  #counted(): Map<string, number> {
    if (this.#counts === undefined) {
      this.#counts = new Map()
      for (const name of this.#collect()) count(this.#counts, name, 1)
    }
    return this.#counts
  }

  /** `base` where it is free, else `base_1`, `base_2`, … */
  unique(base: string): string {
    if (base !== '' && !this.has(base)) return base
    for (let number = this.#next.get(base) ?? 1; ; number++) {
      const name = `${base}_${number}`
      if (this.has(name)) continue
      this.#next.set(base, number + 1)
      return name
    }
  }
}

function count(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const result = (counts.get(name) ?? 0) + change
  if (result > 0) counts.set(name, result)
  else counts.delete(name)
}
