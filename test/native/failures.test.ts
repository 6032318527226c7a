/** Every call of CUDA and TensorRT that the addon makes fails once: what the user is told, and what is left. */
import { describe, expect, it } from 'vitest'
import { FAMILIES, resultOf } from './helpers/run-fixture.ts'

interface Outcome {
  readonly call: string
  readonly nth: number
  readonly error: string | null
  readonly message?: string
  readonly alive: object
}

describe.each(FAMILIES)('%s', (family) => {
  it('turns each failing call into a TrtError, stays usable, and gives everything back', async () => {
    const result = await resultOf('failures', { family })
    const outcomes: Outcome[] = result.outcomes
    expect(outcomes.length).toBeGreaterThan(80)

    for (const { call, nth, error, message, alive } of outcomes) {
      const what = `${call}, call ${nth}: ${error}: ${message}`
      expect(alive, what).toEqual({})
      // A run ends by waiting once more, for the way of an error; there is nothing left to wait for after a good one.
      if (call === 'cuStreamSynchronize' && error === null) continue
      expect(error, what).toMatch(/^(GPU_NOT_FOUND|LOAD_FAILED|INFERENCE_FAILED|OUT_OF_MEMORY)$/)
      expect(message, what).toBeTruthy()
    }

    const codesOf = (call: string) => new Set(outcomes.filter((o) => o.call === call).map((o) => o.error))
    expect(codesOf('cuMemAlloc_v2')).toEqual(new Set(['OUT_OF_MEMORY']))
    expect(codesOf('IExecutionContext::enqueueV3')).toEqual(new Set(['INFERENCE_FAILED']))
    expect(codesOf('async:cuMemcpyHtoDAsync_v2')).toEqual(new Set(['INFERENCE_FAILED']))
    expect(codesOf('async:cuMemcpyDtoHAsync_v2')).toEqual(new Set(['INFERENCE_FAILED']))
    expect(codesOf('createInferRuntime_INTERNAL')).toEqual(new Set(['LOAD_FAILED']))

    expect(result.recovered).toBeNull()
    expect(result.misuses).toEqual([])
  })
})
