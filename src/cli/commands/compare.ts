import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { TrtError } from '../../errors.js'
import { writeFileAtomic } from '../../files.js'
import { read } from '../../onnx/index.js'
import { agreementText } from '../../parity/agreement.js'
import { type CandidateReport, type Comparison, compare } from '../../parity/compare.js'
import type { Divergence } from '../../parity/divergence.js'
import { comparisonPage } from '../../parity/report.js'
import type { ValueReport } from '../../parity/tolerance.js'
import { collect } from '../build-flags.js'
import { define } from '../command.js'
import { addFeedFlags, type FeedFlags, makeFeeds } from '../feeds.js'
import { formatNumber, plural } from '../format.js'
import type { CliIo } from '../io.js'
import { ProgressLine } from '../progress.js'
import { addToleranceFlags, parseTolerance, TOLERANCE_HELP, type ToleranceFlags } from '../tolerance-flags.js'

interface Flags extends FeedFlags, ToleranceFlags {
  layers: boolean
  rename?: readonly string[]
  all: boolean
  html?: string
}

const EXAMPLES = [
  ['compare model.onnx simplified.onnx', 'the same inputs through both, output by output'],
  ['compare model.onnx model.engine fp16.onnx --rtol 1e-2', 'several candidates; engines where they can run'],
  ['compare model.onnx rewritten.onnx --layers', 'the values inside too, and where the two part first'],
  ['compare model.onnx fp16.onnx --layers --html report.html', 'a page to look at'],
  ['compare model.onnx fp16.onnx --indices logits=5', 'the same five classes on top, whatever the numbers'],
  ['compare model.onnx torch.npz --layers -i images=images.npy', 'what PyTorch computed for these inputs, by name'],
] as const

const COMPARE_HELP = `
What is compared:
  The first file is the reference, an ONNX model, run on onnxruntime. Candidates
  are models, engines, .npz files, or folders of .npy files. Values are matched by
  name, or by --rename.
${TOLERANCE_HELP}

Exit codes besides the usual: 1 where a candidate does not pass.`

/** Layers that are printed for each candidate, the worst first; `--all` prints all. */
const SHOWN = 10

/** `tensorrt-node compare REFERENCE CANDIDATE…`. */
export function registerCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('Run a model and candidates on the same inputs, and say how far apart they are')
    .argument('<reference>', 'an ONNX model')
    .argument('<candidates...>', 'models, engines, .npz files or folders of .npy files')
  addToleranceFlags(addFeedFlags(command))
    .optionsGroup('Comparing:')
    .option('--layers', 'compare the values inside too', false)
    .option('--rename <name=other>', "a value's name in the candidates; repeat for more", collect)
    .option('--all', 'print every layer, not only the worst', false)
    .option('--html <file>', 'write a page with error by layer, histograms and worst values')
    .addHelpText('after', COMPARE_HELP)
  define(command, EXAMPLES, run)
}

async function run(io: CliIo, reference: string, paths: readonly string[], flags: Flags): Promise<number> {
  const model = await read(reference)
  const inputs = model.graph.fedInputs
  const feeds = await makeFeeds(inputs, flags)
  const progress = new ProgressLine(io, 'comparing')
  let comparison: Comparison
  try {
    comparison = await compare({
      model,
      candidates: Object.fromEntries(paths.map((path) => [path, path])),
      inputs: { feeds: Object.fromEntries([...feeds].map(([name, { tensor }]) => [name, tensor])) },
      layers: flags.layers,
      tolerance: parseTolerance(
        flags,
        model.graph.outputs.map(({ name }) => name),
      ),
      names: renames(flags.rename),
      signal: io.signal,
      onProgress: ({ done, total }) => progress.show('values', done, total),
    })
  } finally {
    progress.stop()
  }
  if (flags.html !== undefined) {
    await writeFileAtomic(flags.html, Buffer.from(comparisonPage(comparison, basename(reference))))
    io.note(`wrote ${flags.html}`)
  }
  for (const candidate of comparison.candidates) print(io, reference, candidate, flags)
  io.result({ reference: resolve(reference), ...comparison })
  return comparison.passed ? 0 : 1
}

function print(io: CliIo, reference: string, candidate: CandidateReport, { all }: Flags): void {
  const verdict = candidate.passed ? io.color.good('✔ passes') : io.color.bad('✗ differs')
  io.print(`${verdict}  ${io.color.bold(candidate.name)} against ${basename(reference)}`)
  const layers = all ? candidate.layers : worst(candidate.layers)
  const rows = [
    ...candidate.outputs.map((report) => ['output', ...cells(io, report)]),
    ...layers.map((report) => ['', ...cells(io, report)]),
  ]
  const header = ['', 'value', '', 'max abs', 'mean abs', 'max rel', 'cosine', 'SNR dB', 'outside']
  io.table(rows, { header, right: [3, 4, 5, 6, 7, 8] })
  for (const { name, agreement } of candidate.outputs) {
    if (agreement !== undefined) io.print(`  ${name}: ${agreementText(agreement)}`)
  }
  for (const name of candidate.missing) io.print(`  ${io.color.bad('missing')}  output ${name}`)
  const hidden = candidate.layers.length - layers.length
  if (hidden > 0)
    io.print(`  ${io.color.dim(`and ${plural(hidden, 'layer')} with smaller errors (--all prints them)`)}`)
  if (candidate.firstDivergence !== undefined) printDivergence(io, candidate.firstDivergence)
  io.print()
}

function cells(io: CliIo, report: ValueReport): string[] {
  const { name, mismatch, maxAbs, meanAbs, maxRel, cosine, snr, outside, size, passed } = report
  const sign = passed ? io.color.good('✔') : io.color.bad('✗')
  if (mismatch !== undefined) return [name, sign, mismatch]
  const figures = [maxAbs, meanAbs, maxRel].map((value) => formatNumber(Number(value.toPrecision(3))))
  return [name, sign, ...figures, cosine.toFixed(6), snr.toFixed(1), `${outside}/${size}`]
}

function printDivergence(io: CliIo, divergence: Divergence): void {
  const { value, node, opType, attributes, inputs, suspects, advice } = divergence
  const others = suspects.filter((name) => name !== node)
  io.print(`  ${io.color.warning('first divergence:')} ${opType} "${node}", which gives ${value}`)
  io.fields([
    ...Object.entries(attributes),
    ...inputs.map(({ name, range }, index) => [`input ${index}`, rangeText(name, range)] as const),
    ...(others.length === 0 ? [] : [['or one of', others.join(', ')] as const]),
    ...advice.map((text) => ['try', text] as const),
  ])
}

function rangeText(name: string, range: readonly [number, number] | undefined): string {
  return range === undefined
    ? name
    : `${name}, ${formatNumber(range[0])} to ${formatNumber(range[1])}, as in the reference`
}

function worst(layers: readonly ValueReport[]): readonly ValueReport[] {
  return [...layers].sort((a, b) => b.outside / b.size - a.outside / a.size || b.maxRel - a.maxRel).slice(0, SHOWN)
}

function renames(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at <= 0) throw new TrtError('INVALID_ARGUMENT', `--rename: expected NAME=OTHER, received "${text}"`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
