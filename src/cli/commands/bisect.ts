import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { findRanges } from '../../api/resolve-quantization.js'
import {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  type Model,
  type QuantizeOptions,
  read,
} from '../../onnx/index.js'
import { type Bisection, type BisectOptions, type BisectProgress, bisect } from '../../parity/bisect.js'
import { collect } from '../build-flags.js'
import { define, UsageError } from '../command.js'
import { addFeedFlags, type FeedFlags, makeFeeds } from '../feeds.js'
import { formatNumber, plural } from '../format.js'
import type { CliIo } from '../io.js'
import { ProgressLine } from '../progress.js'
import { addToleranceFlags, parseTolerance, TOLERANCE_HELP, type ToleranceFlags } from '../tolerance-flags.js'

interface Flags extends FeedFlags, ToleranceFlags {
  output?: string
  to: 'float16' | 'bfloat16' | 'int8' | 'fp8'
  calibration?: string
  method?: CalibrationMethod
  keep?: readonly string[]
}

const EXAMPLES = [
  ['bisect model.onnx -o mixed.onnx --rtol 1e-2', 'float16, but for the fewest nodes that the tolerance asks for'],
  ['bisect model.onnx -o mixed.onnx -i images=images.npy --indices logits=5', 'judged by the classes on top'],
  ['bisect model.onnx -o int8.onnx --to int8 --calibration samples --rtol 0.05', 'which layers int8 does not do for'],
  ['bisect model.onnx --to bfloat16', 'without -o: says which nodes, and writes nothing'],
] as const

const BISECT_HELP = `
How it works:
  The model itself, run on onnxruntime in float32, is the reference. It is
  converted to the smaller type, or quantised, with one set of nodes kept in
  float32 after the other; what the type rounds and overflows is emulated on the
  CPU. Inputs like the real ones matter: random ones overflow elsewhere, or
  nowhere.
${TOLERANCE_HELP}`

/** `tensorrt-node bisect MODEL -o OUT`. */
export function registerBisect(program: Command): void {
  const command = program
    .command('bisect')
    .description('Find the fewest nodes to keep in float32, and write the mixed-precision model')
    .argument('<model>', 'a float32 ONNX model')
    .option('-o, --output <file>', 'where the mixed-precision model goes; without it nothing is written')
    .addOption(
      new Option('--to <type>', 'the smaller type').choices(['float16', 'bfloat16', 'int8', 'fp8']).default('float16'),
    )
    .option('--calibration <path>', 'of int8 and fp8: a folder of samples, as of quantize, or a calibration cache')
    .addOption(new Option('--method <name>', 'of int8 and fp8: as of quantize').choices(CALIBRATION_METHODS))
    .option('--keep <name>', 'a node to keep in any case, * stands for any text; repeat for more', collect)
  addToleranceFlags(addFeedFlags(command)).optionsGroup('Options:').addHelpText('after', BISECT_HELP)
  define(command, EXAMPLES, run)
}

async function run(io: CliIo, path: string, flags: Flags): Promise<undefined> {
  const model = await read(path)
  const feeds = await makeFeeds(model.graph.fedInputs, flags)
  const outputs = model.graph.outputs.map(({ name }) => name)
  const tolerance = parseTolerance(flags, outputs)
  const progress = new ProgressLine(io, 'searching')
  let found: Bisection
  try {
    found = await bisect({
      model: path,
      ...(await lowering(io, model, flags, progress)),
      inputs: { feeds: Object.fromEntries([...feeds].map(([name, { tensor }]) => [name, tensor])) },
      tolerance,
      signal: io.signal,
      onProgress: (now) => progress.show(trialText(now)),
    })
    io.signal.throwIfAborted()
    if (flags.output !== undefined) await found.model.write(flags.output)
  } finally {
    progress.stop()
  }
  print(io, found, flags)
  const { model: mixed, ...rest } = found
  io.result({ model: resolve(path), output: flags.output === undefined ? null : resolve(flags.output), ...rest })
  return undefined
}

/** What the model is converted to, or how it is quantised. */
async function lowering(
  io: CliIo,
  model: Model,
  { to, calibration, method, keep: keepNodes = [] }: Flags,
  progress: ProgressLine,
): Promise<Pick<BisectOptions, 'to' | 'conversion' | 'quantization'>> {
  if (to === 'float16' || to === 'bfloat16') {
    if (calibration === undefined && method === undefined) return { to, conversion: { keepNodes } }
    throw new UsageError(`--calibration and --method are for int8 and fp8, not for ${to}`, '--to int8')
  }
  if (calibration === undefined) throw new UsageError('expected --calibration', '--calibration samples')
  const ranges = await findRanges(
    model,
    to,
    { calibration, ...(method && { method }), keepNodes },
    { signal: io.signal, onProgress: ({ samples }) => progress.show(plural(samples, 'sample'), samples) },
  )
  const quantization: Partial<QuantizeOptions> = { to: to === 'int8' ? to : 'float8e4m3fn', ranges, keepNodes }
  return { quantization }
}

function trialText({ trials, kept, passed, found }: BisectProgress): string {
  return `trial ${trials}: ${plural(kept, 'node')} kept, ${passed ? 'enough' : 'not enough'}; ${found} known to be needed`
}

function print(io: CliIo, { keepNodes, nodes, outputs, plain, trials }: Bisection, flags: Flags): void {
  const { converted, convertible } = nodes
  io.print(
    keepNodes.length === 0
      ? `${io.color.good('✔')} the tolerance is met with nothing kept in float32`
      : `${io.color.good('✔')} keep ${plural(keepNodes.length, 'node')} in float32, found in ${plural(trials, 'trial')}:`,
  )
  for (const name of keepNodes) io.print(`  ${name}`)
  const share = convertible === 0 ? 100 : (100 * converted) / convertible
  io.print(`  ${converted} of ${convertible} nodes compute in ${flags.to} (${share.toFixed(1)} %)`)
  const rows = outputs.map(({ name, maxAbs }, index) => {
    const before = plain[index]?.maxAbs ?? Number.NaN
    return [name, ...[before, maxAbs].map((error) => formatNumber(Number(error.toPrecision(3))))]
  })
  io.table(rows, { header: ['output', `max abs, all ${flags.to}`, 'max abs now'], right: [1, 2] })
  if (flags.output === undefined) io.print('nothing written: name a file with -o')
  else io.print(`${io.color.good('✔')} ${io.color.bold(flags.output)}`)
}
