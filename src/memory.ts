import { TrtError } from './errors.js'

/**
 * Memory of its own, for the caller to fill: what is in it is left over from others.
 *
 * @param what what it is for, as the error names it
 * @throws {TrtError} `OUT_OF_MEMORY` where there is not so much, or more than Node holds in one piece (4 GiB in Node 20)
 */
export function allocate(byteLength: number, what: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer)
  } catch (error) {
    throw new TrtError('OUT_OF_MEMORY', `${what}: no memory for ${byteLength} bytes in one piece`, {
      hint: 'Use smaller shapes, a smaller model or a newer Node: 20 holds at most 4 GiB in one piece.',
      cause: error,
    })
  }
}
