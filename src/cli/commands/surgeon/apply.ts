import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { readError } from '../../../files.js'
import { type PassReport, read, type Transform, transform, type VerifyOptions } from '../../../onnx/index.js'
import { parseRecipe, parseTransform } from '../../../onnx/passes/recipe.js'
import { collect, integer } from '../../build-flags.js'
import { define, UsageError } from '../../command.js'
import { plural } from '../../format.js'
import type { CliIo } from '../../io.js'
import { printReport } from '../../pass-report.js'
import { ProgressLine } from '../../progress.js'
import { parseFixedShapes } from '../../shapes.js'

interface Flags {
  output?: string
  pass?: readonly string[]
  recipe?: string
  verify: boolean
  shapes?: readonly string[]
  seed: number
  externalData: 'keep' | 'inside' | 'outside'
}

const EXAMPLES = [
  ['surgeon model.onnx -o small.onnx --pass simplify', 'one pass'],
  ['surgeon model.onnx -o out.onnx --pass set-batch:batch=8 --pass simplify --verify', 'several, checked by running'],
  ['surgeon model.onnx --pass simplify', 'without -o: says what would change, and writes nothing'],
  ['surgeon model.onnx -o out.onnx --recipe recipe.json', 'a saved list: ["simplify", {"pass": …, "options": {…}}]'],
  ['surgeon list', 'the passes; `surgeon list NAME` explains one'],
] as const

const PASS_HELP = `
How passes are written:
  NAME, or NAME:OPTION=VALUE:OPTION=VALUE. A boolean option alone is true; lists
  are separated by commas; other values are JSON, or texts. Passes are applied in
  the order given, after those of --recipe.`

/** `tensorrt-node surgeon MODEL --pass …`. */
export function registerApply(surgeon: Command): void {
  const command = surgeon
    .command('apply', { isDefault: true })
    .description('Apply passes to a model (the default: `surgeon MODEL …`)')
    .argument('<model>', 'an ONNX model')
    .option('-o, --output <file>', 'where the changed model goes; without it nothing is written')
    .option('-p, --pass <name[:option=value…]>', 'a pass to apply; repeat for more', collect)
    .option('--recipe <file>', 'a JSON file with a list of passes')
    .optionsGroup('Checking:')
    .addOption(new Option('--verify', 'run before and after each pass that keeps the meaning').default(false, 'off'))
    .option('--shapes <list>', "shapes of the random inputs, e.g. 'images:1x3x224x224'", collect)
    .option('--seed <n>', 'seed of the random inputs', integer(0, Number.MAX_SAFE_INTEGER), 0)
    .optionsGroup('Options:')
    .addOption(
      new Option('--external-data <where>', 'weights: where they are, all inside the model, or beside it')
        .choices(['keep', 'inside', 'outside'])
        .default('keep'),
    )
    .addHelpText('after', PASS_HELP)
  define(command, EXAMPLES, apply)
}

async function apply(io: CliIo, path: string, flags: Flags): Promise<undefined> {
  const transforms = await transformsOf(flags)
  const verify = verifyOf(flags)
  const model = await read(path)
  const nodesBefore = model.graph.nodes.length
  const progress = new ProgressLine(io, 'changing')
  let reports: PassReport[]
  try {
    reports = await transform(model, transforms, {
      verify,
      signal: io.signal,
      onProgress: ({ pass, done, total }) => progress.show(pass, done, total),
    })
    io.signal.throwIfAborted()
    if (flags.output !== undefined) await model.write(flags.output, writeOptions(flags))
  } finally {
    progress.stop()
  }
  for (const report of reports) printReport(io, report)
  const nodes = `${nodesBefore} → ${plural(model.graph.nodes.length, 'node')}`
  const written =
    flags.output === undefined
      ? 'nothing written: name a file with -o'
      : `${io.color.good('✔')} ${io.color.bold(flags.output)}`
  io.print(`${written}  ${nodes}`)
  const output = flags.output === undefined ? null : resolve(flags.output)
  io.result({ model: resolve(path), output, nodesBefore, nodesAfter: model.graph.nodes.length, passes: reports })
  return undefined
}

async function transformsOf({ pass = [], recipe }: Flags): Promise<Transform[]> {
  if (pass.length === 0 && recipe === undefined) {
    throw new UsageError('expected --pass or --recipe', 'tensorrt-node surgeon list')
  }
  const saved =
    recipe === undefined
      ? []
      : parseRecipe(
          await readFile(recipe, 'utf8').catch((error: unknown) => {
            throw readError(recipe, error)
          }),
        )
  return [...saved, ...pass.map(parseTransform)]
}

function verifyOf({ verify, shapes, seed }: Flags): false | VerifyOptions {
  if (!verify) {
    if (shapes !== undefined) throw new UsageError('--shapes is for --verify, which is not given')
    return false
  }
  return { seed, shapes: Object.fromEntries(parseFixedShapes('--shapes', shapes)) }
}

function writeOptions({ externalData }: Flags): { externalData?: boolean } {
  return externalData === 'keep' ? {} : { externalData: externalData === 'outside' }
}
