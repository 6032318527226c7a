import type { Command } from 'commander'
import { PASSES, type Pass } from '../../../onnx/index.js'
import { kebab, passNamed } from '../../../onnx/passes/recipe.js'
import { define } from '../../command.js'
import { type CliIo, wrap } from '../../io.js'

/** `tensorrt-node surgeon list [PASS]`. */
export function registerList(surgeon: Command): void {
  const command = surgeon
    .command('list')
    .description('The passes, or one with its options')
    .argument('[pass]', 'the name of a pass')
  define(
    command,
    [
      ['surgeon list', 'all of them'],
      ['surgeon list simplify', 'one, with its options'],
    ],
    list,
  )
}

async function list(io: CliIo, name: string | undefined): Promise<undefined> {
  if (name === undefined) listAll(io)
  else explain(io, passNamed(name))
  return undefined
}

function listAll(io: CliIo): void {
  const passes = [...PASSES.values()]
  const width = Math.max(...passes.map(({ passName }) => passName.length))
  for (const { passName, summary } of passes) {
    const [first = '', ...rest] = wrap(summary, Math.max(30, io.columns - width - 5))
    io.print(`  ${io.color.bold(passName)}${' '.repeat(width - passName.length)}  ${first}`)
    for (const line of rest) io.print(`  ${' '.repeat(width)}  ${line}`)
  }
  io.result({ passes: passes.map(documentOf) })
}

function explain(io: CliIo, pass: Pass): void {
  const { passName, summary, keepsMeaning, options, defaults } = pass
  io.print(`${io.color.bold(passName)}  ${summary}`)
  io.print(keepsMeaning ? '  The outputs stay the same; --verify checks it.' : '  The outputs change, as asked for.')
  if (Object.keys(options).length > 0) io.print()
  io.fields(
    Object.entries(options).map(([name, { kind, doc }]) => [
      `${kebab(name)}=<${kind}>`,
      defaults[name] === undefined ? doc : `${doc} (default ${JSON.stringify(defaults[name])})`,
    ]),
  )
  io.result(documentOf(pass))
}

function documentOf({ passName, summary, keepsMeaning, options, defaults }: Pass): object {
  const described = Object.entries(options).map(([name, { kind, doc }]) => ({
    name: kebab(name),
    kind,
    doc,
    default: defaults[name] ?? null,
  }))
  return { name: passName, summary, keepsMeaning, options: described }
}
