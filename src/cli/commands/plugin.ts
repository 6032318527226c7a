import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { differenceText } from '../../onnx/index.js'
import { type PluginCaseResult, type PluginTestResult, plugins } from '../../plugins/index.js'
import { SPEC_TYPES, type SpecType } from '../../plugins/spec.js'
import { integer } from '../build-flags.js'
import { define, EXIT_FAILED } from '../command.js'
import { plural } from '../format.js'
import type { CliIo } from '../io.js'

const LIBRARY_HELP = `
'builtin' is the library of this package: CustomLayerNormalization and
CustomPRelu. Without a GPU only an emulated build of a library runs, whose
kernels are compiled for the CPU; for 'builtin' that is taken by itself.`

interface TestFlags {
  library?: string
  pluginVersion?: string
  type?: readonly SpecType[]
  iterations: number
  device: number
  seed: number
  tensorrt?: string
}

/** `tensorrt-node plugin inspect|test`. */
export function registerPlugin(program: Command): void {
  const plugin = program
    .command('plugin')
    .description('Look into libraries of TensorRT plugins, and test plugins without an engine')
    .addHelpText('after', LIBRARY_HELP)

  const inspect = plugin
    .command('inspect')
    .description('Which plugins a library has, judged before TensorRT sees it')
    .argument('<library>', "a plugin library, or 'builtin'")
    .option('--tensorrt <dir>', 'a folder that holds TensorRT, searched before all others')
  define(inspect, [['plugin inspect /opt/my_plugin.so', 'names, versions, interfaces, fields']], inspectLibrary)

  const test = plugin
    .command('test')
    .description("Run a spec's cases through a plugin and compare with onnxruntime; exit code 1 where one fails")
    .argument('<spec>', 'a spec.json: shapes, attributes, types, tolerances (docs/plugins.md)')
    .option('--library <library>', "another library than the spec names, or 'builtin'")
    .option('--plugin-version <version>', 'only this version of the plugin')
    .option('--type <list>', `only these types, out of ${SPEC_TYPES.join(', ')}`, specTypes)
    .option('--iterations <n>', 'on a GPU: time so many calls of enqueue', integer(0, 1_000_000), 0)
    .option('--device <n>', 'the CUDA device', integer(0, 2 ** 31 - 1), 0)
    .option('--seed <n>', 'of the random inputs', integer(0, 2 ** 31 - 1), 1)
    .option('--tensorrt <dir>', 'a folder that holds TensorRT, searched before all others')
  define(
    test,
    [
      ['plugin test plugins/prelu/spec.json', 'the builtin PReLU, against onnxruntime'],
      ['plugin test spec.json --library /opt/my_plugin.so --iterations 100', 'on the GPU, with times'],
    ],
    testSpec,
  )
}

async function inspectLibrary(io: CliIo, library: string, { tensorrt }: { tensorrt?: string }): Promise<undefined> {
  const info = await plugins.inspect(library, { signal: io.signal, ...(tensorrt === undefined ? {} : { tensorrt }) })
  io.print(`${io.color.bold(info.library)}  ${plural(info.creators.length, 'plugin')}`)
  io.print()
  io.fields([
    [
      'made for',
      info.family === undefined ? 'it does not say: not linked with TensorRT' : `TensorRT ${info.family.slice(3)}`,
    ],
    ['runs on', info.emulated ? 'the CPU (an emulated build; no TensorRT takes it)' : 'a GPU'],
    ['needs', info.needed.join(', ') || 'nothing'],
  ])
  io.print()
  io.table(
    info.creators.map(({ name, version, namespace, interface: kind, fields }) => [
      name,
      version,
      namespace || '–',
      kind,
      fields.map((field) => `${field.name}: ${field.type}${field.length === 1 ? '' : '[]'}`).join(', '),
    ]),
    { header: ['name', 'version', 'namespace', 'interface', 'fields'] },
  )
  io.result(info)
  return undefined
}

async function testSpec(io: CliIo, spec: string, flags: TestFlags): Promise<number> {
  let done = 0
  const result = await plugins.test(spec, {
    signal: io.signal,
    iterations: flags.iterations,
    device: flags.device,
    seed: flags.seed,
    ...(flags.library === undefined ? {} : { library: flags.library }),
    ...(flags.pluginVersion === undefined ? {} : { version: flags.pluginVersion }),
    ...(flags.type === undefined ? {} : { types: flags.type }),
    ...(flags.tensorrt === undefined ? {} : { tensorrt: flags.tensorrt }),
    onResult: ({ case: name }) => io.status(`${++done} done, last: ${name}`),
  })
  io.status('')
  report(io, result)
  return result.ok ? 0 : EXIT_FAILED
}

function report(io: CliIo, result: PluginTestResult): void {
  const { results, plugin, library, device } = result
  io.table(
    results.map((entry) => [
      entry.ok ? io.color.good('✓') : io.color.bad('✗'),
      entry.case,
      entry.version,
      entry.type,
      entry.format,
      ...numbersOf(entry),
    ]),
    { header: ['', 'case', 'version', 'type', 'format', 'max abs', 'max rel', 'worst at'], right: [5, 6] },
  )
  const timed = results.filter(({ run }) => run?.timing !== undefined)
  if (timed.length > 0) {
    io.print()
    io.table(
      timed.map(({ case: name, version, type, format, run }) => {
        const { p50, p90, p99, gigabytesPerSecond, shareOfPeak } = run?.timing ?? ({} as never)
        const share = shareOfPeak === undefined ? '?' : `${(100 * shareOfPeak).toFixed(1)} %`
        return [name, version, type, format, ...[p50, p90, p99, gigabytesPerSecond].map((n) => n.toFixed(1)), share]
      }),
      {
        header: ['case', 'version', 'type', 'format', 'p50 µs', 'p90 µs', 'p99 µs', 'GB/s', 'of peak'],
        right: [4, 5, 6, 7, 8],
      },
    )
  }
  io.print()
  for (const { case: name, version, type, format, error, differences } of results.filter(({ ok }) => !ok)) {
    const where = `${name}, version ${version}, ${type}, ${format}`
    if (error !== undefined) io.print(`  ${io.color.bad(where)}: ${error.message}`)
    differences.forEach((difference, output) => {
      const what = differenceText(difference)
      if (what !== undefined) io.print(`  ${io.color.bad(where)}, output ${output}: ${what}`)
    })
  }
  const failed = results.filter(({ ok }) => !ok).length
  io.print(
    `  ${plugin}: ${results.length - failed} passed, ${failed} failed, ` +
      `${device === undefined ? 'nothing ran' : device === 'emulated' ? 'on the CPU (emulated build, no GPU)' : `on ${device}`}`,
  )
  io.print(`  ${library}`)
  io.result(result)
}

function numbersOf({ differences, error }: PluginCaseResult): readonly string[] {
  if (error !== undefined || differences.length === 0) return ['–', '–', error?.code ?? '']
  const worst = differences.reduce((a, b) => (b.maxAbs > a.maxAbs ? b : a))
  return [worst.maxAbs.toExponential(2), worst.maxRel.toExponential(2), `[${worst.worst?.index.join(', ') ?? ''}]`]
}

function specTypes(text: string): readonly SpecType[] {
  const types = text.split(',')
  const unknown = types.find((type) => !SPEC_TYPES.some((known) => known === type))
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${SPEC_TYPES.join(', ')}.`)
  return types as SpecType[]
}
