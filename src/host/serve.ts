/** The child's side of a {@link HostProcess}. */
import { Worker } from 'node:worker_threads'
import { TrtError } from '../errors.js'
import type { ReplyMessage, RequestMessage } from './protocol.js'

/**
 * Answers one type of request. `payload`, events and result cross as JSON. What it throws rejects the owner's promise:
 * a {@link TrtError} as itself, anything else as `PROCESS_CRASHED` with its stack, for that is a bug.
 */
export type Handler<Payload = never> = (payload: Payload, emit: (event: unknown) => void) => unknown

/** Answers the owner's requests until the owner goes. To be called once, first thing in the child's script. */
export function serve(handlers: Readonly<Record<string, Handler>>): void {
  watchLifeline()
  const send = (message: ReplyMessage): void => {
    // A failed send means that the owner is gone; the watchdog is about to say so.
    process.send?.(message, undefined, undefined, () => {})
  }
  const answer = async ({ id, type, payload }: RequestMessage): Promise<void> => {
    try {
      const handler = handlers[type]
      if (handler === undefined) throw new Error(`no handler for the request ${type}`)
      const result = await handler(payload as never, (event) => send({ id, event }))
      send({ id, result })
    } catch (error) {
      send({ id, error: asTrtError(error).toJSON() })
    }
  }
  process.on('message', answer)
}

/** On a thread of its own, so that a long native call on the main thread cannot keep the child from dying. */
function watchLifeline(): void {
  new Worker(new URL('./watchdog.js', import.meta.url), { execArgv: [] }).unref()
}

function asTrtError(error: unknown): TrtError {
  if (error instanceof TrtError) return error
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new TrtError('PROCESS_CRASHED', `Unexpected failure in the child process: ${text}`)
}
