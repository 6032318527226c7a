// Writes docs/passes.md from the passes themselves. `--check` only compares.
import { PASSES } from '../dist/onnx/index.js'
import { kebab } from '../dist/onnx/passes/recipe.js'
import { cell, writePage } from './lib/written-page.mjs'

const camel = (name) => name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase())

function section({ passName, summary, keepsMeaning, isIdempotent, options, defaults }) {
  const rows = Object.entries(options).map(([name, { kind, doc }]) => {
    const value = defaults[name] === undefined ? '' : `\`${JSON.stringify(defaults[name])}\``
    return `| \`${kebab(name)}\` | ${kind} | ${cell(value)} | ${cell(doc)} |`
  })
  const table =
    rows.length === 0 ? '' : `\n| option | kind | default | what it does |\n|---|---|---|---|\n${rows.join('\n')}\n`
  const promise = keepsMeaning
    ? 'The outputs stay the same; `--verify` checks it.'
    : 'The outputs change, as asked for.'
  const again = isIdempotent ? '' : ' Applied again, it acts again.'
  return `## ${passName}\n\n${summary}. ${promise}${again} In TypeScript: \`onnx.${camel(passName)}\`.\n${table}`
}

const passes = [...PASSES.values()]
const list = passes.map(({ passName, summary }) => `| [\`${passName}\`](#${passName}) | ${cell(summary)} |`)
writePage(
  'docs/passes.md',
  `# Passes

Written by \`node scripts/pass-docs.mjs\` from \`src/onnx/passes\`. How to apply them: [onnx.md](onnx.md).

| pass | what it does |
|---|---|
${list.join('\n')}

${passes.map(section).join('\n')}`,
  'scripts/pass-docs.mjs',
)
