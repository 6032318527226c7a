/** The process that {@link buildInProcess} starts. */
import { FIRST_FILE_FD } from '../../host/protocol.js'
import { ScratchFile } from '../../host/scratch-file.js'
import { serve } from '../../host/serve.js'
import { allocate } from '../../memory.js'
import type { NativeEvent } from './addon.js'
import type { ChildBuildRequest, ChildBuildResult } from './build-in-process.js'
import { buildInThread } from './build-in-thread.js'

async function build(
  { family, request, model }: ChildBuildRequest,
  emit: (events: readonly NativeEvent[]) => void,
): Promise<ChildBuildResult> {
  const events = new EventBatches(emit)
  // Never aborted here: the owner ends this process instead.
  const { signal } = new AbortController()
  const source = 'path' in model ? model : { bytes: readModel(model.byteLength) }
  try {
    const { plan, ...result } = await buildInThread(
      family,
      { ...request, model: source },
      (event) => events.add(event),
      signal,
    )
    ScratchFile.inherited(FIRST_FILE_FD).writeSync(plan, 0)
    return { ...result, byteLength: plan.byteLength }
  } finally {
    events.flush()
  }
}

function readModel(byteLength: number): Uint8Array {
  const bytes = allocate(byteLength, 'the model')
  ScratchFile.inherited(FIRST_FILE_FD + 1).readSync(bytes, 0)
  return bytes
}

/** One message for all events of a turn of the event loop: TensorRT's log has thousands of lines a second. */
class EventBatches {
  #batch: NativeEvent[] = []
  readonly #emit: (events: readonly NativeEvent[]) => void

  constructor(emit: (events: readonly NativeEvent[]) => void) {
    this.#emit = emit
  }

  add(event: NativeEvent): void {
    if (this.#batch.push(event) === 1) setImmediate(() => this.flush())
  }

  flush(): void {
    if (this.#batch.length === 0) return
    this.#emit(this.#batch)
    this.#batch = []
  }
}

serve({ build })
