import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type Difference, diff, read } from '../../../onnx/index.js'
import { define } from '../../command.js'
import type { CliIo } from '../../io.js'

const EXAMPLES = [
  ['surgeon diff model.onnx changed.onnx', 'what changed, node by node'],
  ['surgeon diff a.onnx b.onnx --exit-code', 'for scripts: exit code 1 where they differ'],
] as const

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

/** `tensorrt-node surgeon diff A B`. */
export function registerDiff(surgeon: Command): void {
  const command = surgeon
    .command('diff')
    .description('Say what differs between two models, node by node')
    .argument('<before>', 'an ONNX model')
    .argument('<after>', 'another one')
    .option('--exit-code', 'exit with 1 where the models differ')
  define(command, EXAMPLES, compare)
}

async function compare(io: CliIo, before: string, after: string, flags: { exitCode?: boolean }): Promise<number> {
  const differences = diff(await read(before), await read(after))
  const paint = { added: io.color.good, removed: io.color.bad, changed: io.color.warning }
  for (const { change, what, name, details } of differences) {
    const title = `${SIGNS[change]} ${what}${name === '' ? '' : ` ${name}`}`
    io.print(paint[change](title) + (change === 'changed' ? '' : `  ${details.join(', ')}`))
    if (change === 'changed') for (const detail of details) io.print(`    ${detail}`)
  }
  io.print(differences.length === 0 ? 'the models are the same' : summary(differences))
  io.result({ before: resolve(before), after: resolve(after), equal: differences.length === 0, differences })
  return flags.exitCode && differences.length > 0 ? 1 : 0
}

function summary(differences: readonly Difference[]): string {
  const count = (change: Difference['change']) =>
    differences.filter((difference) => difference.change === change).length
  return `${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`
}
