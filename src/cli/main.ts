#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { EXIT_USAGE, reportError, UsageError } from './command.js'
import { CliIo } from './io.js'

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed: error[CODE] on stderr says why
  2    used wrongly: an unknown command or option, or a value that cannot be read
  130  stopped by Ctrl-C (143: by SIGTERM); nothing half-written is left

Results go to stdout, progress and errors to stderr; NO_COLOR switches colours off.`

/** In the order of the help. A command's files are loaded where it is called: all of them are over three hundred. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  build: async () => (await import('./commands/build.js')).registerBuild,
  run: async () => (await import('./commands/run.js')).registerRun,
  bench: async () => (await import('./commands/bench.js')).registerBench,
  inspect: async () => (await import('./commands/inspect.js')).registerInspect,
  surgeon: async () => (await import('./commands/surgeon/index.js')).registerSurgeon,
  compare: async () => (await import('./commands/compare.js')).registerCompare,
  bisect: async () => (await import('./commands/bisect.js')).registerBisect,
  quantize: async () => (await import('./commands/quantize.js')).registerQuantize,
  plugin: async () => (await import('./commands/plugin.js')).registerPlugin,
  doctor: async () => (await import('./commands/doctor.js')).registerDoctor,
  sdk: async () => (await import('./commands/sdk.js')).registerSdk,
}

/** The program with the command that `name` says, or, where it says none, with all. */
async function makeProgram(name: string | undefined): Promise<Command> {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const program = new Command('tensorrt-node')
    .description('Build, load and run ONNX models with NVIDIA TensorRT')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXIT_CODES)
    // Subcommands inherit these, so they come first: commander shall neither print errors nor exit by itself.
    .configureOutput({ writeErr: () => {} })
    .exitOverride()
  const called = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  for (const load of called === undefined ? Object.values(COMMANDS) : [called]) (await load())(program)
  return program
}

/** Reads the command line and does what it says; the exit code is left in `process.exitCode`. */
async function main(argv: readonly string[]): Promise<void> {
  const program = await makeProgram(argv[0])
  const io = new CliIo({
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    json: argv.includes('--json'),
    signal: new AbortController().signal,
  })
  if (argv.length === 0) {
    io.note(program.helpInformation().trimEnd())
    process.exitCode = EXIT_USAGE
    return
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return // --help and --version, printed already
    process.exitCode = reportError(io, error instanceof CommanderError ? toUsageError(error, argv) : error)
  }
}

/** Commander's message with its suggestion apart: `error: unknown option '--fp61'\n(Did you mean --fp16?)`. */
function toUsageError({ message }: CommanderError, argv: readonly string[]): UsageError {
  const [text = '', suggestion] = message.replace(/^error: /, '').split('\n')
  const command = argv[0]?.startsWith('-') === false && text.includes('unknown command') === false ? ` ${argv[0]}` : ''
  return new UsageError(text, suggestion?.replace(/^\((.*)\)$/, '$1') ?? `tensorrt-node${command} --help`)
}

await main(process.argv.slice(2))
