/**
 * A set that is mostly empty or of one, as a value mostly has one consumer: a Set is made only for more, because an
 * empty one already allocates a table.
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
