import { TrtError } from '../../errors.js'

/** Bytes of a group's values. */
export const GROUP_BYTES = 256 * 2 ** 20

/** What a value is taken for whose size is not known: 32 of them make a group. */
const UNKNOWN_BYTES = GROUP_BYTES / 32

/**
 * Visits the values of a model in groups: to give all values of a big model out at once would take gigabytes, and to run it
 * for each of them hours. A group that cannot be given out (`UNSUPPORTED`: sequences, bfloat16 on the CPU) is taken by
 * halves, and the values to blame are left out.
 *
 * @param bytesOf the bytes that a value takes; undefined where that is not known, which is then learnt from the groups before
 * @param visit runs the model with these values as outputs, and gives the bytes that they took
 * @param mayLeaveOut whether a value may be left out; else its error is thrown
 */
export async function inGroups(
  names: readonly string[],
  bytesOf: (name: string) => number | undefined,
  visit: (group: readonly string[]) => Promise<number>,
  mayLeaveOut: (name: string) => boolean,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const visitByHalves = async (group: readonly string[]): Promise<number> => {
    try {
      return await visit(group)
    } catch (error) {
      if (!(error instanceof TrtError) || error.code !== 'UNSUPPORTED') throw error
      const [only, ...others] = group as [string]
      if (others.length === 0 && !mayLeaveOut(only)) throw error
      if (others.length === 0) return 0
      const half = Math.ceil(group.length / 2)
      return (await visitByHalves(group.slice(0, half))) + (await visitByHalves(group.slice(half)))
    }
  }
  let otherwise = UNKNOWN_BYTES
  for (let at = 0; at < names.length; ) {
    const first = at
    let [known, unknown] = [0, 0]
    for (; at < names.length; at++) {
      const bytes = bytesOf(names[at] as string)
      if (at > first && known + unknown * otherwise + (bytes ?? otherwise) > GROUP_BYTES) break
      if (bytes === undefined) unknown++
      else known += bytes
    }
    const bytes = await visitByHalves(names.slice(first, at))
    if (unknown > 0) otherwise = Math.max(0, bytes - known) / unknown
    onProgress(at, names.length)
  }
}
