import { TrtError } from '../../errors.js'

/** Values of the first group; from then on as many as take {@link GROUP_BYTES}. */
const FIRST_GROUP = 32

/** Bytes of a group's values. */
export const GROUP_BYTES = 256 * 2 ** 20

/**
 * Visits the values of a model in groups: to give all values of a big model out at once would take gigabytes, and to run it
 * for each of them hours. A group that cannot be given out (`UNSUPPORTED`: sequences, bfloat16 on the CPU) is taken by
 * halves, and the values to blame are left out.
 *
 * @param visit runs the model with these values as outputs, and gives the bytes that they took
 * @param mayLeaveOut whether a value may be left out; else its error is thrown
 */
export async function inGroups(
  names: readonly string[],
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
  let size = FIRST_GROUP
  for (let at = 0; at < names.length; ) {
    const group = names.slice(at, at + size)
    const bytes = await visitByHalves(group)
    at += group.length
    size = Math.max(1, Math.floor((GROUP_BYTES / Math.max(1, bytes)) * group.length))
    onProgress(at, names.length)
  }
}
