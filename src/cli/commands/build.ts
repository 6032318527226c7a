import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { type BuildResult, buildEngine } from '../../api/build-engine.js'
import { manifestPath } from '../../api/manifest.js'
import { messageOf, TrtError } from '../../errors.js'
import { addBuildFlags, type BuildFlags, toBuildOptions } from '../build-flags.js'
import { define, UsageError } from '../command.js'
import { formatBytes, formatDuration } from '../format.js'
import type { CliIo } from '../io.js'
import { type LogFlags, makeLogger, verboseOption } from '../logging.js'
import { ProgressLine } from '../progress.js'
import { printRepair, repairDocument } from '../repair-report.js'
import { withShapeHint } from '../shape-hint.js'
import { profileRows, valueRows } from '../values.js'

interface Flags extends BuildFlags, LogFlags {
  output: string
}

const EXAMPLES = [
  ['build model.onnx -o model.engine', 'for this machine: TensorRT where it and a GPU are there, else the CPU backend'],
  ["build model.onnx -o model.engine --shapes 'images:1x3x224x224'", 'one fixed shape'],
  [
    "build model.onnx -o model.engine --shapes 'images:1x3x224x224..8x3x224x224..32x3x224x224'",
    'a range: min..opt..max',
  ],
  ['build model.onnx -o model.engine --repair --target 8.9', 'mend the model first where TensorRT refuses it'],
  ['build model.onnx -o model.engine --target 8.9,12.0', 'for GPUs that are elsewhere, with TensorRT-RTX'],
] as const

const SHAPES_HELP = `
How shapes are written:
  A list is NAME:DIMS,NAME:DIMS with DIMS such as 1x3x224x224, or a range
  MIN..OPT..MAX. Names may hold ":", "/" and ".". Static inputs may be left out.
  --min-shapes, --opt-shapes and --max-shapes say a range as trtexec does.
  Each --profile is one optimization profile; repeat it for several.`

/** `tensorrt-node build MODEL -o OUT`. */
export function registerBuild(program: Command): void {
  const command = program
    .command('build')
    .description('Build an ONNX model into an engine')
    .argument('<model>', 'an ONNX model')
    .requiredOption('-o, --output <file>', 'where the engine goes')
  addBuildFlags(command).addOption(verboseOption()).addHelpText('after', SHAPES_HELP)
  define(command, EXAMPLES, build)
}

async function build(io: CliIo, model: string, flags: Flags): Promise<undefined> {
  const options = toBuildOptions(flags)
  await checkOutput(flags.output, model)
  const progress = new ProgressLine(io, 'building')
  let built: BuildResult
  try {
    built = await withShapeHint(model, flags, () =>
      buildEngine({
        onnx: model,
        ...options,
        signal: io.signal,
        onProgress: progress.update,
        logger: makeLogger(io, flags.verbose),
      }),
    )
    io.signal.throwIfAborted()
    await built.save(flags.output)
  } finally {
    progress.stop()
  }
  report(io, built, flags.output)
  return undefined
}

function report(io: CliIo, built: BuildResult, output: string): void {
  const { backend, backendReason, version, precision, computeCapabilities, warnings, profiles, durationMs } = built
  if (built.repair !== undefined) {
    printRepair(io, built.repair)
    io.print()
  }
  const { inputs, outputs } = built
  for (const warning of warnings) io.warn(warning)
  const size = formatBytes(built.plan.byteLength)
  io.print(`${io.color.good('✔')} ${io.color.bold(output)}  ${size}, built in ${formatDuration(durationMs)}`)
  io.print()
  io.fields([
    ['backend', `${backend} ${version}`],
    ['why', backendReason],
    ['precision', precision],
    [
      'runs on',
      computeCapabilities.length === 0 ? 'the CPU' : `GPUs of compute capability ${computeCapabilities.join(', ')}`,
    ],
    ...(built.repair?.outcome === 'repaired' ? [['repair', `told in ${manifestPath(output)}`] as const] : []),
  ])
  io.print()
  io.table(valueRows(inputs, outputs))
  io.print()
  io.table(profileRows(profiles))
  io.result({
    engine: resolve(output),
    bytes: built.plan.byteLength,
    backend,
    backendReason,
    version,
    precision,
    computeCapabilities,
    warnings,
    inputs,
    outputs,
    profiles,
    durationMs,
    ...(built.repair && { repair: repairDocument(built.repair) }),
  })
}

/** Finds out before a long build, not after it, that its engine could not be written. */
async function checkOutput(output: string, model: string): Promise<void> {
  const folder = dirname(resolve(output))
  try {
    await access(folder, constants.W_OK)
  } catch (error) {
    throw new TrtError('IO_ERROR', `cannot write ${output}: ${messageOf(error)}`, {
      hint: `make the folder, or name another: mkdir -p ${folder}`,
      cause: error,
    })
  }
  const present = await stat(output).catch(() => undefined)
  if (present?.isDirectory()) {
    throw new TrtError('IO_ERROR', `cannot write ${output}: it is a folder`, { hint: 'name a file: -o model.engine' })
  }
  const [from, to] = await Promise.all([model, output].map((path) => realpath(path).catch(() => path)))
  if (present !== undefined && from === to)
    throw new UsageError('the engine would overwrite the model', '-o model.engine')
}
