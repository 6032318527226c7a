/**
 * A set that is mostly empty or of one: most values have one consumer, and a real Set for each of 25,000 takes longer
 * to make than to read the model.
 */
export class SmallSet<T extends object> implements Iterable<T> {
  #content: T | Set<T> | undefined

  get size(): number {
    return this.#content instanceof Set ? this.#content.size : this.#content === undefined ? 0 : 1
  }

  has(item: T): boolean {
    return this.#content instanceof Set ? this.#content.has(item) : this.#content === item
  }

  add(item: T): void {
    if (this.#content === undefined) this.#content = item
    else if (this.#content instanceof Set) this.#content.add(item)
    else if (this.#content !== item) this.#content = new Set([this.#content, item])
  }

  delete(item: T): void {
    if (this.#content instanceof Set) this.#content.delete(item)
    else if (this.#content === item) this.#content = undefined
  }

  *[Symbol.iterator](): Iterator<T> {
    if (this.#content instanceof Set) yield* this.#content
    else if (this.#content !== undefined) yield this.#content
  }
}
