import type { TrtError, TrtErrorCode } from 'tensorrt-node'
import { expect } from 'vitest'
import { failure } from '../../helpers/errors.js'

/** Awaits `work`, which has to refuse its input with a TrtError of that code that says how to mend it. */
export async function refusal(code: TrtErrorCode, work: () => unknown): Promise<TrtError> {
  const error = await failure(code, work)
  expect(error.hint ?? '', `the hint of: ${error.message}`).not.toBe('')
  return error
}
