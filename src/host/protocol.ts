import type { SerializedTrtError } from '../errors.js'

/** The lifeline's file descriptor in the child: a pipe that nobody writes to; its end is the owner's end. */
export const LIFELINE_FD = 4

/** The first inherited file's descriptor in the child; 0–2 are stdio, 3 is Node's IPC channel, 4 the lifeline. */
export const FIRST_FILE_FD = 5

/** Owner to child. */
export interface RequestMessage {
  readonly id: number
  readonly type: string
  readonly payload: unknown
}

/** Child to owner: any number of events, then one result or one error. */
export type ReplyMessage =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: SerializedTrtError }
