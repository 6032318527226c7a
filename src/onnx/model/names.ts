/**
 * The names in use in a graph and all graphs inside it. ONNX wants them unique across both (onnx/docs/IR.md, "Names
 * within a graph"), yet the two branches of an If may use a name each, so names are counted.
 */
export class Names {
  readonly #counts = new Map<string, number>()
  readonly #next = new Map<string, number>()

  has(name: string): boolean {
    return this.#counts.has(name)
  }

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  delete(name: string): void {
    const count = this.#counts.get(name) ?? 0
    if (count > 1) this.#counts.set(name, count - 1)
    else this.#counts.delete(name)
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
