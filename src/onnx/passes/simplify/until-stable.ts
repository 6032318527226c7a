import type { PassContext } from '../pass.js'

/** What a pass repeats. */
export type Stage = (context: PassContext) => void | Promise<void>

/** Real models need ten at most; rewrites that undo each other would go on for ever. */
const MAX_ROUNDS = 100

/**
 * Runs stages until none of them changes anything, so that a pass is idempotent. Whenever a stage changed something, the
 * first one is next: put cheap ones first.
 */
export async function untilStable(context: PassContext, ...stages: readonly Stage[]): Promise<void> {
  let index = 0
  for (let round = 0; index < stages.length; round++) {
    if (round === MAX_ROUNDS) {
      context.note(`stopped after ${MAX_ROUNDS} rounds, with more to do`)
      return
    }
    const hasChanged = await changes(context, stages[index] as Stage)
    index = hasChanged ? 0 : index + 1
  }
}

/** Runs a stage; tells whether it changed anything. */
export async function changes(context: PassContext, stage: Stage): Promise<boolean> {
  let hasChanged = false
  await stage({
    signal: context.signal,
    note: (text) => context.note(text),
    count: (name, add) => context.count(name, add),
    progress: (done, total) => context.progress(done, total),
    change(where, what) {
      hasChanged = true
      context.change(where, what)
    },
  })
  return hasChanged
}
