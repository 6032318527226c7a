import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { findRanges, isSamples, openCalibration } from '../../api/resolve-quantization.js'
import {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  type Model,
  type PassReport,
  QUANTIZABLE,
  quantize as quantizePass,
  read,
  simplify,
  transform,
} from '../../onnx/index.js'
import { quantizationNodes } from '../../onnx/passes/quantization/check.js'
import { compare } from '../../parity/compare.js'
import type { ValueReport } from '../../parity/tolerance.js'
import { collect, integer } from '../build-flags.js'
import { define, UsageError } from '../command.js'
import { formatNumber, plural } from '../format.js'
import type { CliIo } from '../io.js'
import { printReport } from '../pass-report.js'
import { ProgressLine } from '../progress.js'

interface Flags {
  output: string
  calibration?: string
  method?: CalibrationMethod
  percentile?: number
  cache?: string
  to: 'int8' | 'fp8'
  powerOfTwo?: true
  simplify: boolean
  op?: readonly string[]
  node?: readonly string[]
  keepOp?: readonly string[]
  keepNode?: readonly string[]
  minChannels?: number
}

const EXAMPLES = [
  ['quantize model.onnx -o int8.onnx --calibration samples', 'int8, calibrated by a folder of inputs'],
  ['quantize model.onnx -o int8.onnx --calibration trt.cache', "with the ranges of TensorRT's calibrator"],
  ['quantize model.onnx -o fp8.onnx --to fp8 --calibration samples', 'float8, for compute capability 8.9 and later'],
  ['quantize model.onnx -o int8.onnx --calibration samples --keep-node "/head/*"', 'what stays in float32'],
  ['compare model.onnx int8.onnx -i images=images.npy --layers', 'what it costs, layer by layer'],
] as const

const SAMPLES_HELP = `
What a folder of samples is:
  Each .npz file in it is one, with arrays by the names of the inputs, and each
  folder of .npy files of these names; of a model with one input, each .npy file.`

/** `tensorrt-node quantize MODEL -o OUT`. */
export function registerQuantize(program: Command): void {
  const command = program
    .command('quantize')
    .description('Quantise a model to int8 or fp8 by QuantizeLinear and DequantizeLinear, calibrated by samples')
    .argument('<model>', 'an ONNX model')
    .requiredOption('-o, --output <file>', 'where the quantised model goes')
    .optionsGroup('Calibration:')
    .option('--calibration <path>', 'a folder of samples, or a calibration cache')
    .addOption(
      new Option('--method <name>', 'how ranges are chosen (default: percentile, and max for fp8)').choices(
        CALIBRATION_METHODS,
      ),
    )
    .option('--percentile <p>', 'of --method percentile: share of the values that is held (default: 99.99)', percentile)
    .option('--cache <file>', 'ranges: read where it is there, else written after calibrating')
    .optionsGroup('Quantisation:')
    .addOption(new Option('--to <type>', 'the type').choices(['int8', 'fp8']).default('int8'))
    .option('--power-of-two', 'scales that are powers of two')
    .option('--no-simplify', 'do not simplify first, which folds BatchNormalization into weights')
    .option('--op <type>', `quantise only ${QUANTIZABLE.join(', ')} (residuals); repeat for more`, collect)
    .option('--node <name>', 'quantise only nodes of this name, * stands for any text; repeat for more', collect)
    .option('--keep-op <type>', 'leave an op in float32; repeat for more', collect)
    .option('--keep-node <name>', 'leave nodes in float32, * stands for any text; repeat for more', collect)
    .option('--min-channels <n>', 'leave layers of fewer channels (default: 16)', integer(1, 2 ** 31 - 1))
    .optionsGroup('Options:')
    .addHelpText('after', SAMPLES_HELP)
  define(command, EXAMPLES, quantize)
}

async function quantize(io: CliIo, path: string, flags: Flags): Promise<undefined> {
  const calibration = flags.calibration ?? flags.cache
  if (calibration === undefined) throw new UsageError('expected --calibration', '--calibration samples')
  const model = await read(path)
  const isDone = quantizationNodes(model).length > 0
  const selection = {
    ...(flags.op && { ops: flags.op }),
    ...(flags.node && { nodes: flags.node }),
    ...(flags.keepOp && { keepOps: flags.keepOp }),
    ...(flags.keepNode && { keepNodes: flags.keepNode }),
    ...(flags.minChannels && { minChannels: flags.minChannels }),
  }
  const reports: PassReport[] = []
  const progress = new ProgressLine(io, 'calibrating')
  let samples = 0
  try {
    // A quantised model is told what is wrong with it, and stays as it is.
    if (flags.simplify && !isDone) reports.push(...(await transform(model, [simplify()], { signal: io.signal })))
    const ranges = await findRanges(
      model,
      flags.to,
      {
        calibration,
        ...(flags.method && { method: flags.method }),
        ...(flags.percentile && { percentile: flags.percentile }),
        ...(flags.cache && { cache: flags.cache }),
        ...selection,
      },
      {
        signal: io.signal,
        onProgress: (done) => {
          samples = done.samples
          progress.show(plural(samples, 'sample'), samples)
        },
      },
    )
    const to = flags.to === 'int8' ? 'int8' : 'float8e4m3fn'
    const step = quantizePass({ to, ranges, ...selection, ...(flags.powerOfTwo && { powerOfTwo: true }) })
    reports.push(...(await transform(model, [step], { signal: io.signal })))
    io.signal.throwIfAborted()
    await model.write(flags.output)
  } finally {
    progress.stop()
  }
  for (const report of reports) printReport(io, report)
  const accuracy = await accuracyOf(path, model, calibration, io.signal)
  const source = samples === 0 ? 'by ranges as they were given' : `calibrated by ${plural(samples, 'sample')}`
  io.print(`${io.color.good('✔')} ${io.color.bold(flags.output)}  ${source}`)
  if (accuracy !== undefined) printAccuracy(io, accuracy)
  io.result({
    model: resolve(path),
    output: resolve(flags.output),
    samples,
    passes: reports,
    accuracy: accuracy ?? null,
  })
  return undefined
}

/** How far the quantised model is from the model as it was, on the first sample; undefined where there is none. */
async function accuracyOf(
  path: string,
  quantized: Model,
  calibration: string,
  signal: AbortSignal,
): Promise<readonly ValueReport[] | undefined> {
  const source = await openCalibration(calibration, quantized)
  if (!isSamples(source)) return undefined
  for await (const feeds of source) {
    const { candidates } = await compare({
      model: path,
      candidates: { quantized },
      inputs: { feeds },
      // To be measured, not judged.
      tolerance: { atol: Number.MAX_VALUE },
      onnxruntime: { optimization: 'disabled', exactInt8: true },
      signal,
    })
    return candidates[0]?.outputs
  }
  return undefined
}

function printAccuracy(io: CliIo, outputs: readonly ValueReport[]): void {
  const rows = outputs.map(({ name, snr, cosine, maxAbs }) => [
    name,
    snr.toFixed(1),
    cosine.toFixed(6),
    formatNumber(Number(maxAbs.toPrecision(3))),
  ])
  io.table(rows, { header: ['on the first sample', 'SNR dB', 'cosine', 'max abs'], right: [1, 2, 3] })
}

function percentile(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 50 && value <= 100) return value
  throw new UsageError(`expected a percentage from 50 to 100, received "${text}"`, '--percentile 99.99')
}
