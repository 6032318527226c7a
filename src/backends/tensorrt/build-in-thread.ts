import { abortedError } from '../../errors.js'
import type { LowType } from '../../onnx/passes/precision/weights.js'
import {
  type AddonFamily,
  loadAddon,
  type NativeBuildRequest,
  type NativeEvent,
  type NativePlan,
  toTrtError,
} from './addon.js'
import { convertModel } from './convert-model.js'

/** A request that may want the model converted before. */
export interface TypedBuildRequest extends NativeBuildRequest {
  readonly convertTo?: LowType | undefined
}

/**
 * Builds on a native thread of this process. Cancelling takes effect at TensorRT's next step, and the promise waits for
 * that: until then the memory is in use.
 */
export async function buildInThread(
  family: AddonFamily,
  { convertTo, ...request }: TypedBuildRequest,
  onEvent: (event: NativeEvent) => void,
  signal: AbortSignal,
): Promise<Omit<NativePlan, 'plan'> & { readonly plan: Uint8Array }> {
  const addon = loadAddon(family)
  try {
    const converted = convertTo && (await convertModel(request.model, convertTo, signal))
    const notes = request.log === false ? [] : (converted?.notes ?? [])
    for (const message of notes) onEvent({ type: 'log', level: 'info', message })
    const { handle, done } = addon.build({ ...request, model: converted?.model ?? request.model }, onEvent)
    const cancel = (): void => addon.cancelBuild(handle)
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    try {
      const result = await done
      const warnings = [...(converted?.warnings ?? []), ...result.warnings]
      return { ...result, warnings, plan: new Uint8Array(result.plan) }
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  } catch (error) {
    if (signal.aborted) throw abortedError('buildEngine', signal)
    throw toTrtError(error)
  }
}
