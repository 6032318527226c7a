import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type Finding, type LintTarget, lint, read } from '../../../onnx/index.js'
import { collect } from '../../build-flags.js'
import { define } from '../../command.js'
import { more, plural } from '../../format.js'
import type { CliIo } from '../../io.js'
import { fixText } from '../../repair-report.js'

interface Flags {
  target: LintTarget
  fp16?: boolean
  pluginOp?: readonly string[]
}

const EXAMPLES = [
  ['surgeon lint model.onnx', 'what TensorRT-RTX will refuse or do badly, and what mends it'],
  ['surgeon lint model.onnx --target tensorrt --plugin-op CustomPRelu', 'for TensorRT 10 or 11, with a plugin'],
  ['surgeon repair model.onnx -o out.onnx', 'mends what can be mended, and checks it'],
] as const

/** Findings of one rule that are printed; --json has them all. */
const SHOWN = 8

/** `tensorrt-node surgeon lint MODEL`. */
export function registerLint(surgeon: Command): void {
  const command = surgeon
    .command('lint')
    .description('Say what TensorRT will refuse or do badly, node by node. Exit code 1 where it will refuse')
    .argument('<model>', 'an ONNX model')
    .addOption(
      new Option('--target <name>', 'which TensorRT').choices(['tensorrt-rtx', 'tensorrt']).default('tensorrt-rtx'),
    )
    .option('--fp16', 'look for what float16 cannot hold, too')
    .option('--plugin-op <type>', 'an op that a plugin library brings; repeat for more', collect)
  define(command, EXAMPLES, run)
}

async function run(io: CliIo, path: string, { target, fp16 = false, pluginOp = [] }: Flags): Promise<number> {
  const findings = lint(await read(path), { target, fp16, pluginOps: pluginOp })
  const errors = findings.filter(({ severity }) => severity === 'error')
  for (const rule of new Set(findings.map((finding) => finding.rule))) {
    printRule(
      io,
      rule,
      findings.filter((finding) => finding.rule === rule),
    )
  }
  io.print(
    findings.length === 0
      ? `${io.color.good('✔')} nothing found`
      : `${plural(errors.length, 'error')}, ${plural(findings.length - errors.length, 'warning')}`,
  )
  io.result({ model: resolve(path), target, accepted: errors.length === 0, findings })
  return errors.length === 0 ? 0 : 1
}

function printRule(io: CliIo, rule: string, findings: readonly Finding[]): void {
  const [{ severity }] = findings as [Finding]
  const paint = severity === 'error' ? io.color.bad : io.color.warning
  io.print(`${paint(`${severity}:`)} ${io.color.bold(rule)}  ${plural(findings.length, 'time')}`)
  for (const { where, message } of findings.slice(0, SHOWN)) io.print(`  ${where}: ${message}`)
  if (findings.length > SHOWN) io.print(`  ${io.color.dim(more(findings.length - SHOWN))}`)
  const fixes = new Set(findings.flatMap((finding) => finding.fixes.slice(0, 1).map(fixText)))
  const advice = new Set(findings.flatMap((finding) => finding.advice ?? []))
  for (const fix of fixes) io.print(`  ${io.color.good('mended by:')} ${fix}`)
  for (const text of [...advice].slice(0, 2)) io.print(`  ${io.color.dim('to do:')} ${text}`)
  io.print()
}
