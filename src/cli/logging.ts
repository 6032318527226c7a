import { Option } from 'commander'
import type { Logger } from '../options.js'
import type { CliIo } from './io.js'

/** What {@link verboseOption} gives. */
export interface LogFlags {
  /** How many times `--verbose` was given. */
  verbose: number
}

/** `-v`, and `-vv` for everything. */
export function verboseOption(): Option {
  return new Option('-v, --verbose', "print the engine's log on stderr; -vv: its debug log too")
    .default(0, 'off')
    .argParser((_value, previous: number) => previous + 1)
}

/** A logger for `--verbose`; `undefined`, which is silent, without it. */
export function makeLogger(io: CliIo, verbose: number): Logger | undefined {
  if (verbose === 0) return undefined
  const { errColor } = io
  const line = (label: string) => (message: string) => io.note(`${label} ${message}`)
  return {
    error: line(errColor.bad('error  ')),
    warn: line(errColor.warning('warning')),
    info: line(errColor.dim('info   ')),
    debug: verbose > 1 ? line(errColor.dim('debug  ')) : () => {},
  }
}
