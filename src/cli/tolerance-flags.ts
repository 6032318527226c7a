/** The flags of `compare` and `bisect` that say what counts as equal. */
import type { Command } from 'commander'
import type { DetectionTolerance, IndexTolerance } from '../parity/agreement.js'
import type { ParityTolerance, ValueTolerance } from '../parity/tolerance.js'
import { collect } from './build-flags.js'
import { UsageError } from './command.js'

/** What {@link addToleranceFlags} adds. */
export interface ToleranceFlags {
  atol?: number
  rtol?: number
  indices?: readonly string[]
  detections?: readonly string[]
}

export const TOLERANCE_HELP = `
What counts as equal:
  A value passes where |actual - expected| is at most atol + rtol * |expected|
  everywhere; integers have to be equal. Or, for an output by name:
  --indices logits=5          its 5 greatest entries along the last axis are the
                              same; logits=5:0.98: 98 % of them
  --detections boxes=iou:0.9,scores:scores,labels:labels
                              its boxes are found on both sides. Options: iou,
                              score, minScore, agreement, format (corners or
                              center); scores and labels name outputs, or
                              columns by number`

export function addToleranceFlags(command: Command): Command {
  return command
    .optionsGroup('Tolerance:')
    .option('--atol <x>', 'absolute tolerance (default: 1e-5)', tolerance)
    .option('--rtol <x>', 'relative tolerance (default: 1e-3)', tolerance)
    .option('--indices <output=top>', 'greatest entries have to agree; repeat for more', collect)
    .option('--detections <output=…>', 'boxes have to agree; repeat for more', collect)
}

/** @throws {UsageError} for what cannot be read, and for names that are no outputs */
export function parseTolerance(
  { atol, rtol, indices = [], detections = [] }: ToleranceFlags,
  outputs: readonly string[],
): ParityTolerance {
  const values: Record<string, ValueTolerance> = {}
  for (const text of indices) {
    const [name, rest] = split('--indices', text, outputs)
    values[name] = { indices: indexTolerance(text, rest) }
  }
  for (const text of detections) {
    const [name, rest] = split('--detections', text, outputs)
    values[name] = { detections: detectionTolerance(text, rest) }
  }
  return { ...(atol !== undefined && { atol }), ...(rtol !== undefined && { rtol }), values }
}

/** Names may hold `=` and `:`, so an output's own name is looked for. */
function split(flag: string, text: string, outputs: readonly string[]): [name: string, rest: string] {
  const fitting = outputs.filter((output) => text === output || text.startsWith(`${output}=`))
  const name = fitting.sort((a, b) => b.length - a.length)[0]
  if (name !== undefined) return [name, text.slice(name.length + 1)]
  throw new UsageError(`${flag}: "${text}" begins with no output's name`, `the outputs are ${outputs.join(', ')}`)
}

function indexTolerance(text: string, rest: string): IndexTolerance {
  const [top = 1, agreement, ...others] = rest === '' ? [] : rest.split(':').map(Number)
  const isSound = Number.isInteger(top) && top > 0 && !Number.isNaN(agreement) && others.length === 0
  if (!isSound) throw new UsageError(`--indices: expected OUTPUT=TOP or OUTPUT=TOP:SHARE, received "${text}"`)
  return { top, ...(agreement !== undefined && { agreement }) }
}

const NUMBERS: readonly string[] = ['iou', 'score', 'minScore', 'agreement']

function detectionTolerance(text: string, rest: string): DetectionTolerance {
  const options = (rest === '' ? [] : rest.split(',')).map((part) => {
    const at = part.indexOf(':')
    const [key, value] = [part.slice(0, at), part.slice(at + 1)]
    const number = value.trim() === '' ? Number.NaN : Number(value)
    if (at > 0 && NUMBERS.includes(key) && number >= 0) return [key, number]
    if (key === 'format' && (value === 'corners' || value === 'center')) return [key, value]
    if ((key === 'scores' || key === 'labels') && value !== '') return [key, Number.isNaN(number) ? value : number]
    throw new UsageError(
      `--detections: cannot read "${part}" of "${text}"`,
      '--detections boxes=iou:0.9,scores:scores,labels:labels',
    )
  })
  return Object.fromEntries(options) as DetectionTolerance
}

function tolerance(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value
  throw new UsageError(`expected a tolerance of 0 or more, received "${text}"`, '--atol 1e-4')
}
