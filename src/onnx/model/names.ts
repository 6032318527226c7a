/**
 * The names in use in a graph and all graphs inside it. ONNX wants them unique across both (onnx/docs/IR.md, "Names
 * within a graph"), yet the two branches of an If may use a name each, so names are counted.
 */
export class Names {
  readonly #collect: () => Iterable<string>
  #used: Set<string> | undefined
  /** By name that is used more than once: how often besides. */
  readonly #again = new Map<string, number>()
  readonly #next = new Map<string, number>()

  /** @param collect the names in use; it is called when somebody asks for a name first, as most models are only read */
  constructor(collect: () => Iterable<string>) {
    this.#collect = collect
  }

  has(name: string): boolean {
    return this.#collected().has(name)
  }

  /** How many use a name. */
  count(name: string): number {
    return this.has(name) ? 1 + (this.#again.get(name) ?? 0) : 0
  }

  add(name: string): void {
    if (this.#used !== undefined) this.#add(this.#used, name)
  }

  delete(name: string): void {
    const again = this.#again.get(name)
    if (again === undefined) this.#used?.delete(name)
    else if (again === 1) this.#again.delete(name)
    else this.#again.set(name, again - 1)
  }

  #add(used: Set<string>, name: string): void {
    if (used.has(name)) this.#again.set(name, (this.#again.get(name) ?? 0) + 1)
    else used.add(name)
  }

  #collected(): Set<string> {
    if (this.#used === undefined) {
      this.#used = new Set()
      for (const name of this.#collect()) this.#add(this.#used, name)
    }
    return this.#used
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
