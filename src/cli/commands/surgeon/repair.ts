import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type ModelRepair, repair } from '../../../api/repair.js'
import { COMPUTE_CAPABILITIES } from '../../../api/validate-options.js'
import type { InputValues } from '../../../onnx/index.js'
import type { BuildOptions, ComputeCapability, Shapes } from '../../../options.js'
import { assumeOption } from '../../assume.js'
import { collect, listOf } from '../../build-flags.js'
import { define } from '../../command.js'
import type { CliIo } from '../../io.js'
import { ProgressLine } from '../../progress.js'
import { printRepair, repairDocument } from '../../repair-report.js'
import { formatProfile, toShapes } from '../../shapes.js'

interface Flags {
  output?: string
  backend: 'tensorrt' | 'tensorrt-rtx'
  target?: readonly ComputeCapability[]
  shapes?: readonly string[]
  assume?: InputValues
  fp16?: true
  tensorrt?: string
  isolation?: NonNullable<BuildOptions['isolation']>
}

const EXAMPLES = [
  ['surgeon repair model.onnx -o repaired.onnx', 'mend it until TensorRT-RTX takes it; the outputs are checked'],
  ['surgeon repair vad.onnx -o out.onnx --assume sr=16000 --shapes input:1x576', 'with what is known of the inputs'],
  ['surgeon repair model.onnx --json', 'without -o: says what would be done, and writes nothing'],
] as const

/** `tensorrt-node surgeon repair MODEL -o OUT`. */
export function registerRepair(surgeon: Command): void {
  const command = surgeon
    .command('repair')
    .description(
      'Mend a model until TensorRT takes it, and check that it says the same. Exit code 1 where it is refused',
    )
    .argument('<model>', 'an ONNX model')
    .option('-o, --output <file>', 'where the repaired model goes; without it nothing is written')
    .addOption(
      new Option('--backend <name>', 'whose parser and builder are asked')
        .choices(['tensorrt-rtx', 'tensorrt'])
        .default('tensorrt-rtx'),
    )
    .option('--target <list>', 'TensorRT-RTX: GPUs to ask for, e.g. 8.9', listOf(COMPUTE_CAPABILITIES))
    .option('--shapes <list>', "shapes, or ranges as min..opt..max, e.g. 'images:1x3x224x224'", collect)
    .addOption(assumeOption())
    .option('--fp16', 'for an engine in fp16')
    .option('--tensorrt <dir>', 'a folder that holds TensorRT, searched before all others')
    .addOption(
      new Option('--isolation <kind>', 'ask in a child process, or on a thread').choices(['process', 'thread']),
    )
  define(command, EXAMPLES, run)
}

async function run(io: CliIo, path: string, flags: Flags): Promise<number> {
  const { output, shapes, target, assume, backend, fp16, tensorrt, isolation } = flags
  const progress = new ProgressLine(io, 'repairing')
  const wanted = toShapes({ ...(shapes && { shapes }) }) as Shapes | undefined
  let result: ModelRepair
  try {
    result = await repair(path, {
      backend,
      ...(fp16 && { fp16 }),
      ...(tensorrt && { tensorrt }),
      ...(isolation && { isolation }),
      ...(target && { target: { computeCapabilities: target } }),
      ...(wanted && { shapes: wanted }),
      ...(assume && { values: assume }),
      signal: io.signal,
      onProgress: ({ doing }) => progress.show(doing),
    })
    io.signal.throwIfAborted()
    if (output !== undefined && result.outcome !== 'untouched') await result.model.write(output)
  } finally {
    progress.stop()
  }
  const { outcome, askedOf, notAsked } = result
  if (notAsked !== undefined) io.warn(`TensorRT was not asked: ${notAsked}`)
  printRepair(io, result)
  if (Object.keys(result.shapes).length > 0)
    io.print(`${io.color.bold('shapes:')} --shapes '${formatProfile(result.shapes)}'`)
  io.print()
  io.print(lastLine(io, outcome, output, askedOf))
  io.result({
    model: resolve(path),
    output: outcome === 'untouched' ? null : output === undefined ? null : resolve(output),
    ...repairDocument(result),
  })
  return outcome === 'refused' ? 1 : 0
}

function lastLine(
  io: CliIo,
  outcome: ModelRepair['outcome'],
  output: string | undefined,
  askedOf: string | undefined,
): string {
  if (outcome === 'untouched')
    return `${io.color.good('✔')} ${askedOf} takes the model as it is: nothing was changed or written`
  const written = output === undefined ? 'nothing written: name a file with -o' : io.color.bold(output)
  if (outcome === 'repaired') return `${io.color.good('✔')} ${written}  ${askedOf} takes it now`
  return outcome === 'refused'
    ? `${io.color.bad('✘')} ${written}  ${askedOf} does not take it yet`
    : `${written}  what lint found is mended; TensorRT was not asked`
}
