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

/** So many items are tried one by one in few trials: an order is of little help there (mtcnn's networks have 15 to 26). */
const FEW = 32

/**
 * Finds a smallest set of items that is enough, where more items are never worse: the nodes to keep in fp32 so that a model
 * meets a tolerance.
 *
 * The shortest prefix of the items that is enough (together with the culprits known) ends in a culprit, which bisection
 * finds; that one is kept, and so on until the culprits alone are enough. This is the search of delta debugging for a known
 * direction (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002) by bisection as git does it.
 * Each search doubles its steps from where the answer is likely: from the front for the first, as suspects come first, and
 * from the culprit before for the others. So it takes at most about 2 · log2(n) trials for each of k + 1 searches, and some
 * 2 · k + 2 · log2(k) in all where the culprits are the first k items. A last round drops those that later ones made needless, as "more is
 * never worse" holds only nearly for rounding errors. Of {@link FEW} items or less, each is tried by itself where the search
 * found several.
 *
 * @param items the most suspicious first, where anything is known
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
  const askPrefix = (length: number): Promise<boolean> =>
    ask([...known, ...Array.from({ length }, (_, index) => index)])

  if (await ask(known)) return { items: [], trials }
  if (!(await askPrefix(items.length))) return undefined
  // The prefix of `low` items is not enough, the one of `high` is; -1 where the culprits known may be enough alone.
  let [low, high] = [0, items.length]
  for (let length = 1; length < high; length *= 2) {
    if (await askPrefix(length)) high = length
    else low = length
  }
  for (let step = Number.POSITIVE_INFINITY; high > 0; step = 1, low = -1) {
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      const length = Math.max(middle, high - step)
      if (await askPrefix(length)) high = length
      else low = length
      step *= 2
    }
    if (high === 0) break
    known.add(high - 1)
    high--
  }
  for (const index of known) {
    if (known.size === 1) break
    const others = [...known].filter((other) => other !== index)
    if (await ask(others)) known.delete(index)
  }
  // The first one was asked by itself already, as the shortest prefix.
  for (let index = 1; known.size > 1 && items.length <= FEW && index < items.length; index++) {
    if (!known.has(index) && (await ask([index]))) return { items: [items[index] as Item], trials }
  }
  return { items: [...known].sort((a, b) => a - b).map((index) => items[index] as Item), trials }
}
