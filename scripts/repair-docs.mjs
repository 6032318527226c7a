// Writes docs/repair.md: what repair does with every trained model that set-up installs, with TensorRT-RTX's real parser and
// builder and onnxruntime. Takes some minutes; with names of models it only prints their rows.
import { existsSync } from 'node:fs'
import { cell, writePage } from './lib/written-page.mjs'
import { attempt, setUpDist, setUpModels, setUpPackages } from './setup.mjs'

await setUpPackages()
await setUpDist()
await attempt(setUpModels)
const { repair } = await import('../dist/index.js')
const { realModels } = await import('./models/real-models.mjs')

const NAMES = process.argv.slice(2).filter((name) => name !== '--check')
const target = { computeCapabilities: ['8.9'] }

/** What is known of inputs: pieces of sound as these models are fed with (64 numbers of the last piece, then 512 new ones). */
const KNOWN = {
  'silero-vad': { shapes: { input: [1, 576] } },
  'silero-vad-16k': { shapes: { input: [1, 576] } },
  'silero-vad-half': { shapes: { input: [1, 576] } },
  'silero-vad-ifless': { shapes: { input: [1, 576] } },
}

const rows = []
for (const { name, path } of realModels()) {
  if ((NAMES.length > 0 && !NAMES.includes(name)) || !existsSync(path)) continue
  const result = await repair(path, { target, ...KNOWN[name] })
  const { outcome, steps, assumptions, proof, refusal } = result
  const kept = steps.filter((step) => step.outcome === 'kept').flatMap(({ fix }) => fix.passes.map(({ pass }) => pass))
  const assumed = assumptions.map((one) =>
    one.kind === 'value' ? `${one.input} = ${JSON.stringify(one.value)}` : `${one.input} is [${one.dims}]`,
  )
  const why = refusal === undefined ? '' : `${refusal.node ?? ''}: ${refusal.cause ?? refusal.message.split('\n')[1]}`
  rows.push([name, outcome, [...new Set(kept)].join(', '), assumed.join('; '), proofText(outcome, proof), why])
  console.log(rows.at(-1).join('  '))
}

function proofText(outcome, { verdict, reason, outputs }) {
  if (outcome === 'untouched') return 'the same model'
  if (verdict === 'none') return `not compared: ${reason}`
  if (verdict === 'equal') return 'the same to the last bit'
  const worst = outputs.map(({ maxAbsError, magnitude }) => [maxAbsError, magnitude]).sort(([a], [b]) => b - a)[0]
  return `near-equal: off by ${worst[0].toPrecision(2)} of ${worst[1].toPrecision(2)}`
}

if (NAMES.length === 0) writePage('docs/repair.md', page(rows), 'node scripts/repair-docs.mjs')

function page(rows) {
  return `# What repair does

Written by \`node scripts/repair-docs.mjs\`, with the parser and builder of TensorRT-RTX 1.7.1 for compute capability 8.9, and
with onnxruntime, which compared the outputs of each repaired model with the original's on random inputs (one thread, int8
products exact, optimisations \`basic\` at most).

\`untouched\`: it builds as it is, with the shapes that are proposed. \`repaired\`: it builds now. \`refused\`: not yet.

| model | outcome | passes | assumed | outputs | why not |
|---|---|---|---|---|---|
${rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}

What is assumed is in \`BuildResult.repair.assumptions\`, and in the manifest of a cached engine. An input that became a
constant is no input of the engine any more, and feeding it is an \`INVALID_INPUT\`; another shape than the one that is fixed
is a \`SHAPE_OUT_OF_PROFILE\` or an \`INVALID_INPUT\`: an error, and never a wrong answer.
`
}
