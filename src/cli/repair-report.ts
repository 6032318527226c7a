/** What a repair did, for people and as JSON; shared by `surgeon repair` and `build --repair`. */
import type { Assumption, Fix, Proof, RepairResult } from '../onnx/index.js'
import { formatNumber, more, plural } from './format.js'
import type { CliIo } from './io.js'

/** Changes that are printed for each pass; --json has them all. */
const SHOWN = 6

/** Prints the steps, the assumptions, and the proof. */
export function printRepair(io: CliIo, { steps, assumptions, proof, refusal }: RepairResult): void {
  for (const { outcome, because, fix, reason, reports } of steps) {
    if (outcome === 'no change') continue
    const mark = outcome === 'kept' ? io.color.good('✔') : io.color.warning('✘')
    io.print(`${mark} ${io.color.bold(fixText(fix))}  ${io.color.dim(because)}`)
    if (reason !== undefined) io.print(`    ${io.color.warning('undone:')} ${reason}`)
    if (outcome === 'undone') continue
    const changes = reports.flatMap((report) => report.changes)
    io.table(
      changes.slice(0, SHOWN).map(({ where, what }) => [io.color.dim(where), what]),
      { indent: 4 },
    )
    if (changes.length > SHOWN) io.print(`    ${io.color.dim(more(changes.length - SHOWN))}`)
    for (const note of reports.flatMap(({ notes }) => notes).slice(0, SHOWN))
      io.print(`    ${io.color.warning('note:')} ${note}`)
  }
  for (const assumption of assumptions) io.print(`${io.color.warning('assumed:')} ${assumptionText(assumption)}`)
  io.print(`${io.color.bold('outputs:')} ${proofText(proof)}`)
  if (refusal === undefined) return
  io.print()
  io.print(`${io.color.bad('TensorRT refuses the model:')}`)
  io.fields([
    ...(refusal.node === undefined ? [] : [['node', refusal.node] as const]),
    ...(refusal.tensor === undefined ? [] : [['value', refusal.tensor] as const]),
    ['it says', refusal.message.trim().replaceAll('\n', ' / ')],
    ['likely', refusal.cause ?? 'not known to this package'],
    ...(refusal.advice === undefined ? [] : [['to do', refusal.advice] as const]),
  ])
}

/** The same as plain data; the model is left out. */
export function repairDocument({ model: _, ...rest }: RepairResult): object {
  return rest
}

/** Passes with their options, as one would write them. */
export function fixText({ passes }: Fix): string {
  return passes
    .map(({ pass, options = {} }) => (Object.keys(options).length === 0 ? pass : `${pass} ${JSON.stringify(options)}`))
    .join(', ')
}

/** In one sentence. */
export function assumptionText(assumption: Assumption): string {
  return assumption.kind === 'value'
    ? `input "${assumption.input}" is always ${JSON.stringify(assumption.value)}; it is no input any more`
    : `input "${assumption.input}" is always of shape [${assumption.dims}]`
}

function proofText({ verdict, reason, runs, outputs }: Proof): string {
  if (verdict === 'none') return `not compared: ${reason}`
  const where = `in ${plural(runs, 'run')} on onnxruntime`
  if (verdict === 'equal') return `the same as the original's to the last bit, ${where}`
  const worst = outputs.map(
    ({ name, maxAbsError, magnitude }) => `${name} by ${formatNumber(maxAbsError)} of ${formatNumber(magnitude)}`,
  )
  return `near the original's ${where}, and not the same: ${worst.join(', ')}`
}
