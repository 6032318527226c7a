/** The child process of a {@link OrtRunner}: holds one session of a model in a file. */
import { FIRST_FILE_FD } from '../host/protocol.js'
import { ScratchFile } from '../host/scratch-file.js'
import { serve } from '../host/serve.js'
import { createSession, type OrtModule, type OrtSession, requireOrt } from './ort-session.js'
import { type Call, CallSlot } from './transfer.js'

/** Asks for a session. */
export interface OpenPayload {
  readonly path: string
  /** How messages name the model. */
  readonly name: string
  readonly optimization: 'disabled' | 'basic' | 'extended' | 'all'
  readonly threads: number | undefined
  /** onnxruntime's own entries, e.g. `session.x64quantprecision` as `{ x64quantprecision: '1' }`. */
  readonly entries: Readonly<Record<string, string>>
}

let opened: { readonly ort: OrtModule; readonly session: OrtSession['session']; readonly slot: CallSlot }

serve({
  open: async ({ path, name, optimization, threads, entries }: OpenPayload) => {
    const ort = requireOrt()
    const { session } = await createSession(ort, { path }, name, 'LOAD_FAILED', {
      graphOptimizationLevel: optimization,
      // Errors are thrown; what it warns of is not for the terminal.
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads, interOpNumThreads: 1 }),
      extra: { session: entries },
    })
    opened = { ort, session, slot: new CallSlot(ScratchFile.inherited(FIRST_FILE_FD)) }
  },
  run: (call: Call) => opened.slot.run(opened.ort, opened.session, call),
})
