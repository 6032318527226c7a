import { TrtError, type TrtErrorCode } from 'tensorrt-node'
import { expect } from 'vitest'

/** Awaits `work`, which has to fail with a TrtError of that code, and gives the error for a closer look. */
export async function failure(code: TrtErrorCode, work: () => unknown): Promise<TrtError> {
  let outcome: unknown
  try {
    outcome = await work()
  } catch (error) {
    if (!(error instanceof TrtError)) throw error
    expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `))
    return error
  }
  throw new Error(`expected TrtError ${code}, and it succeeded with ${String(outcome)}`)
}
