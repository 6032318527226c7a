/**
 * A build in a child process, so that a crash or an out-of-memory inside TensorRT is an error and not the end of the
 * caller, cancelling is immediate, and the memory goes back.
 *
 * The plan comes back through a file without a name that the child inherits, and a model given as bytes goes there the
 * same way, so nothing is left on disk whatever dies.
 */
import { abortedError, TrtError } from '../../errors.js'
import { HostProcess } from '../../host/host-process.js'
import { ScratchFile } from '../../host/scratch-file.js'
import { allocate } from '../../memory.js'
import type { AddonFamily, NativeEvent, NativePlan } from './addon.js'
import type { PreparedBuildRequest } from './build-in-thread.js'

/** What the child is asked. A model given as bytes is in the second inherited file. */
export interface ChildBuildRequest {
  readonly family: AddonFamily
  readonly request: Omit<PreparedBuildRequest, 'model'>
  readonly model: { readonly path: string } | { readonly byteLength: number }
}

/** What the child answers; the plan is in the first inherited file. */
export type ChildBuildResult = Omit<NativePlan, 'plan'> & { readonly byteLength: number }

/** @throws {TrtError} as the build in a thread, and `PROCESS_CRASHED` or `OUT_OF_MEMORY` where the child died */
export async function buildInProcess(
  family: AddonFamily,
  { model, ...request }: PreparedBuildRequest,
  onEvents: (events: readonly NativeEvent[]) => void,
  signal: AbortSignal,
): Promise<Omit<NativePlan, 'plan'> & { readonly plan: Uint8Array }> {
  const planFile = ScratchFile.create()
  const modelFile = 'bytes' in model ? ScratchFile.create() : undefined
  try {
    if ('bytes' in model) await modelFile?.write(model.bytes, 0)
    const host = HostProcess.start(new URL('./build-child.js', import.meta.url), {
      files: modelFile ? [planFile.fd, modelFile.fd] : [planFile.fd],
      name: 'The TensorRT build process',
    })
    const kill = (): void => void host.kill()
    signal.addEventListener('abort', kill, { once: true })
    if (signal.aborted) kill()
    try {
      const payload: ChildBuildRequest = {
        family,
        request,
        model: 'bytes' in model ? { byteLength: model.bytes.byteLength } : model,
      }
      const { byteLength, ...result } = await host.request<ChildBuildResult, readonly NativeEvent[]>(
        'build',
        payload,
        onEvents,
      )
      const plan = allocate(byteLength, 'the plan')
      await planFile.read(plan, 0)
      return { ...result, plan }
    } finally {
      signal.removeEventListener('abort', kill)
      await host.kill()
    }
  } catch (error) {
    if (signal.aborted) throw abortedError('buildEngine', signal)
    throw outOfMemoryOr(error)
  } finally {
    planFile.close()
    modelFile?.close()
  }
}

const NO_MEMORY = /bad_alloc|out of memory|cannot allocate memory|resource temporarily unavailable|\bOOM\b/i

/** A child that died saying that it had no memory, died of that. */
function outOfMemoryOr(error: unknown): unknown {
  const died = error instanceof TrtError && error.code === 'PROCESS_CRASHED'
  if (!died || !NO_MEMORY.test(error.message)) return error
  return new TrtError('OUT_OF_MEMORY', error.message, {
    hint: 'build where there is more memory, or with smaller max shapes',
    cause: error,
  })
}
