import { abortedError } from '../../errors.js'
import { type Preparation, prepareModel } from '../prepare-model.js'
import {
  type AddonFamily,
  loadAddon,
  type NativeBuildRequest,
  type NativeEvent,
  type NativePlan,
  toTrtError,
} from './addon.js'

/** A request that may want something done to the model before. */
export interface PreparedBuildRequest extends NativeBuildRequest {
  readonly preparation: Preparation
}

/**
 * Builds on a native thread of this process. Cancelling takes effect at TensorRT's next step, and the promise waits for
 * that: until then the memory is in use.
 */
export async function buildInThread(
  family: AddonFamily,
  { preparation, ...request }: PreparedBuildRequest,
  onEvent: (event: NativeEvent) => void,
  signal: AbortSignal,
): Promise<Omit<NativePlan, 'plan'> & { readonly plan: Uint8Array }> {
  const addon = loadAddon(family)
  try {
    const { model, warnings, notes } = await prepareModel(request.model, preparation, signal)
    if (request.log !== false) for (const message of notes) onEvent({ type: 'log', level: 'info', message })
    const { handle, done } = addon.build({ ...request, model }, onEvent)
    const cancel = (): void => addon.cancelBuild(handle)
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    try {
      const result = await done
      return { ...result, warnings: [...warnings, ...result.warnings], plan: new Uint8Array(result.plan) }
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  } catch (error) {
    if (signal.aborted) throw abortedError('buildEngine', signal)
    throw toTrtError(error)
  }
}
