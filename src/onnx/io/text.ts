import { TrtError } from '../../errors.js'
import type { Span } from './source.js'

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The text of a span; bytes that are not UTF-8 become U+FFFD.
 *
 * @throws {TrtError} `INVALID_MODEL` where it is longer than `limit` bytes
 */
export function textOf({ source, from, to }: Span, limit = 2 ** 28): string {
  if (to - from <= limit) return utf8.decode(source.read(from, to))
  throw new TrtError('INVALID_MODEL', `${source.name} has a text of ${to - from} bytes; expected at most ${limit}`)
}
