import { setImmediate } from 'node:timers/promises'

/** Lets the event loop turn, in the middle of what computes long. */
export function breathe(): Promise<void> {
  return setImmediate()
}
