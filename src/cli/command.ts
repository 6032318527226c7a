/**
 * What every command shares: `--json`, examples in `--help`, signals, errors and exit codes.
 *
 * | exit code | meaning |
 * |---|---|
 * | 0 | done |
 * | 1 | failed: `error[CODE]` on stderr says why |
 * | 2 | used wrongly: unknown command or option, a value that cannot be read |
 * | 130 | stopped by SIGINT (143: by SIGTERM) |
 */
import { setImmediate } from 'node:timers/promises'
import { type Command, CommanderError } from 'commander'
import { messageOf, type SerializedTrtError, TrtError } from '../errors.js'
import { CliIo } from './io.js'

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const

/** A value on the command line that cannot be read: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** A command's work: gets the output, its arguments, and last its options. The exit code is 0 unless it gives another. */
export type Handler = (io: CliIo, ...args: never[]) => Promise<number | undefined>

/**
 * Adds `--json` and the examples to a command, and runs `handler` with a {@link CliIo}: errors are printed once, as
 * `error[CODE]: message` and `hint: …` on stderr, and with `--json` as `{"error":{code,message,hint}}` on stdout.
 *
 * @param examples lines of the form `[command line, what it does]`, shown under `--help`
 */
export function define(
  command: Command,
  examples: readonly (readonly [line: string, what: string])[],
  handler: Handler,
): Command {
  return command
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .addHelpText('after', () => formatExamples(examples))
    .action((...args: unknown[]) => {
      args.pop() // commander's last argument is the command itself
      const options = args.at(-1) as { json?: boolean }
      return execute(options.json === true, (io) => handler(io, ...(args as never[])))
    })
}

async function execute(json: boolean, work: (io: CliIo) => Promise<number | undefined>): Promise<void> {
  const controller = new AbortController()
  const io = new CliIo({
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    json,
    signal: controller.signal,
  })
  let stoppedBy: keyof typeof EXIT_OF_SIGNAL | undefined
  const stop = (signal: keyof typeof EXIT_OF_SIGNAL): void => {
    if (stoppedBy !== undefined) process.exit(EXIT_OF_SIGNAL[signal])
    stoppedBy = signal
    io.status('')
    io.note(`${signal}: stopping (once more exits at once)`)
    controller.abort(new Error(signal))
  }
  const signals = Object.keys(EXIT_OF_SIGNAL) as (keyof typeof EXIT_OF_SIGNAL)[]
  for (const signal of signals) process.on(signal, stop)
  try {
    const exitCode = (await work(io)) ?? 0
    await setImmediate()
    if (io.outputError !== undefined) {
      throw new TrtError('IO_ERROR', `could not write the result: ${io.outputError.message}`, { cause: io.outputError })
    }
    process.exitCode = exitCode
  } catch (error) {
    // Whatever broke after the signal broke because of it.
    const stopped = stoppedBy === undefined ? undefined : new TrtError('ABORTED', `stopped by ${stoppedBy}`)
    process.exitCode = reportError(io, stopped ?? error)
    if (stoppedBy !== undefined) process.exitCode = EXIT_OF_SIGNAL[stoppedBy]
  } finally {
    io.status('')
    for (const signal of signals) process.off(signal, stop)
  }
}

/** Prints an error as this CLI prints errors, and gives its exit code. */
export function reportError(io: CliIo, error: unknown): number {
  const { code, message, hint } = describeError(error)
  io.status('')
  io.note(`${io.errColor.bad(`error[${code}]:`)} ${message}`)
  if (hint !== undefined) io.note(`${io.errColor.accent('hint:')} ${hint}`)
  if (code === 'INTERNAL' && error instanceof Error && error.stack !== undefined) io.note(io.errColor.dim(error.stack))
  io.result({ error: hint === undefined ? { code, message } : { code, message, hint } })
  return code === 'USAGE' ? EXIT_USAGE : EXIT_FAILED
}

/** `USAGE` and `INTERNAL` (a bug) are the CLI's own, beside the codes of {@link TrtError}. */
function describeError(error: unknown): Omit<SerializedTrtError, 'code'> & { code: string } {
  if (error instanceof TrtError) return error.toJSON()
  if (error instanceof UsageError) {
    return { code: 'USAGE', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  }
  if (error instanceof CommanderError) {
    return { code: 'USAGE', message: error.message.replace(/^error: /, ''), hint: 'tensorrt-node --help' }
  }
  return { code: 'INTERNAL', message: messageOf(error), hint: 'this is a bug in tensorrt-node: please report it' }
}

function formatExamples(examples: readonly (readonly [string, string])[]): string {
  return ['', 'Examples:', ...examples.flatMap(([line, what]) => [`  # ${what}`, `  $ tensorrt-node ${line}`])].join(
    '\n',
  )
}
