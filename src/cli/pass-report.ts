/** What a pass did, for people. */
import type { PassReport } from '../onnx/index.js'
import { formatNumber, more, plural } from './format.js'
import type { CliIo } from './io.js'

/** Changes that are printed for each pass; --json has them all. */
const SHOWN = 12

/** Prints a pass's report. */
export function printReport(io: CliIo, { pass, changes, notes, figures, verification }: PassReport): void {
  io.print(
    `${io.color.bold(pass)}  ${changes.length === 0 ? io.color.dim('no change') : plural(changes.length, 'change')}`,
  )
  io.table(changes.slice(0, SHOWN).map(({ where, what }) => [io.color.dim(where), what]))
  if (changes.length > SHOWN) io.print(`  ${io.color.dim(more(changes.length - SHOWN))}`)
  for (const [name, value] of Object.entries(figures)) io.print(`  ${name}: ${formatNumber(value)}`)
  for (const note of notes) io.print(`  ${io.color.warning('note:')} ${note}`)
  if (verification !== undefined) {
    const worst = Math.max(0, ...Object.values(verification.maxAbsError))
    const text = worst === 0 ? 'outputs equal' : `outputs differ by ${worst.toPrecision(2)} at most`
    io.print(`  ${io.color.good('verified:')} ${text}`)
  }
  io.print()
}
