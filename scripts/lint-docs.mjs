// Writes docs/lint.md: the rules of lint, and how often they and TensorRT-RTX's real parser and builder agree on ONNX's node
// tests. Takes three minutes. `--check` says by exit code 1 that the page is out of date.
import { nodeTestModels, predicts, verdictOf } from './lib/node-tests.mjs'
import { cell, writePage } from './lib/written-page.mjs'
import { attempt, setUpDist, setUpPackages, setUpPython } from './setup.mjs'

await setUpPackages()
await setUpDist()
await attempt(setUpPython)
const { onnx } = await import('../dist/index.js')
const { RULES } = await import('../dist/onnx/lint/rules/index.js')

const counts = { 'true true': 0, 'true false': 0, 'false true': 0, 'false false': 0 }
const wrong = []
const found = new Map(RULES.map(({ id }) => [id, 0]))
for (const { name, path } of nodeTestModels()) {
  const findings = onnx.lint(await onnx.read(path))
  const { isAccepted, message } = await verdictOf(path)
  const predicted = predicts(findings)
  counts[`${predicted} ${isAccepted}`]++
  for (const id of new Set(findings.map(({ rule }) => rule))) found.set(id, found.get(id) + 1)
  if (predicted !== isAccepted) wrong.push([name, isAccepted ? findings[0].message : message.split('\n').at(-1)])
}

const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
const agreed = counts['true true'] + counts['false false']
const percent = ((agreed / total) * 100).toFixed(1)

writePage(
  'docs/lint.md',
  `# What lint finds

Written by \`node scripts/lint-docs.mjs\`. \`onnx.lint(model)\` and \`tensorrt-node surgeon lint MODEL\` say before a build
what TensorRT refuses or does badly, and which passes mend it.

| rule | what it is about | node tests with it |
|---|---|---|
${RULES.map(({ id, summary }) => `| \`${id}\` | ${cell(summary)} | ${found.get(id)} |`).join('\n')}

## How often it is right

All ${total} node tests of ONNX (the Python package onnx 1.22), against the parser and builder of TensorRT-RTX 1.7.1 for
compute capability 8.9, as they are, with no shapes given:

| | TensorRT-RTX builds it | it does not |
|---|---|---|
| lint finds no error | ${counts['true true']} | ${counts['true false']} |
| lint finds an error | ${counts['false true']} | ${counts['false false']} |

They agree on ${agreed} of ${total}, ${percent} %. The rules were written with these tests at hand, so models of other kinds
will be foretold less often: ask the builder, as \`repair\` does.
${wrong.length === 0 ? '' : `\n| they disagree on | because |\n|---|---|\n${wrong.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}\n`}`,
  'node scripts/lint-docs.mjs',
)
