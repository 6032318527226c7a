import { throwIfAborted } from '../errors.js'

/** Options of {@link findCulprits}. */
export interface FindCulpritsOptions {
  /** Told after each trial how many there were, and how many culprits are known. */
  readonly onProgress?: ((progress: { readonly trials: number; readonly found: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What {@link findCulprits} found. */
export interface Culprits<Item> {
  /** A smallest set, in the order of the items: without any one of them it would not be enough. */
  readonly items: readonly Item[]
  /** How often `isEnough` was asked. */
  readonly trials: number
}

/**
 * Finds a smallest set of items that is enough, where more items are never worse: the nodes to keep in fp32 so that a model
 * meets a tolerance.
 *
 * Takes about k · log2(n) + k trials for k culprits among n items: the shortest prefix of the items that is enough (together
 * with the culprits known) ends in a culprit, which halving finds; that one is kept, and so on until the culprits alone are
 * enough. This is the search of delta debugging for a known direction (Zeller and Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input", 2002) by bisection as git does it. A last round drops those that later ones made needless, as
 * "more is never worse" holds only nearly for rounding errors.
 *
 * @param isEnough asked with items in their order; asked first with none, and then with all
 * @returns undefined where all items together are not enough
 */
export async function findCulprits<Item>(
  items: readonly Item[],
  isEnough: (kept: readonly Item[]) => Promise<boolean>,
  { onProgress, signal }: FindCulpritsOptions = {},
): Promise<Culprits<Item> | undefined> {
  const known = new Set<number>()
  let trials = 0
  const ask = async (indices: Iterable<number>): Promise<boolean> => {
    throwIfAborted('bisect', signal)
    trials++
    const kept = [...new Set(indices)].sort((a, b) => a - b).map((index) => items[index] as Item)
    const answer = await isEnough(kept)
    onProgress?.({ trials, found: known.size })
    return answer
  }
  const withPrefix = (length: number): number[] => [...known, ...Array.from({ length }, (_, index) => index)]

  if (await ask(known)) return { items: [], trials }
  if (!(await ask(withPrefix(items.length)))) return undefined
  // The prefix of `low` items is not enough, the one of `high` is. What is known only shortens it.
  let high = items.length
  do {
    let low = 0
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (await ask(withPrefix(middle))) high = middle
      else low = middle
    }
    known.add(high - 1)
    high--
  } while (!(await ask(known)) && high > 0)
  for (const index of known) {
    if (known.size === 1) break
    const others = [...known].filter((other) => other !== index)
    if (await ask(others)) known.delete(index)
  }
  return { items: [...known].sort((a, b) => a - b).map((index) => items[index] as Item), trials }
}
