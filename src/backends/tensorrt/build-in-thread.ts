import { abortedError } from '../../errors.js'
import {
  type AddonFamily,
  loadAddon,
  type NativeBuildRequest,
  type NativeEvent,
  type NativePlan,
  toTrtError,
} from './addon.js'

/**
 * Builds on a native thread of this process. Cancelling takes effect at TensorRT's next step, and the promise waits for
 * that: until then the memory is in use.
 */
export async function buildInThread(
  family: AddonFamily,
  request: NativeBuildRequest,
  onEvent: (event: NativeEvent) => void,
  signal: AbortSignal,
): Promise<Omit<NativePlan, 'plan'> & { readonly plan: Uint8Array }> {
  const addon = loadAddon(family)
  try {
    const { handle, done } = addon.build(request, onEvent)
    const cancel = (): void => addon.cancelBuild(handle)
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    try {
      const result = await done
      return { ...result, plan: new Uint8Array(result.plan) }
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  } catch (error) {
    if (signal.aborted) throw abortedError('buildEngine', signal)
    throw toTrtError(error)
  }
}
