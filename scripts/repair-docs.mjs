// Writes docs/repair.md: what repair does with every trained model that set-up installs, with TensorRT-RTX's real parser and
// builder and onnxruntime, and with ONNX's node tests. Takes some twenty minutes; `-- NAME…` only prints the rows of single
// models.
import { existsSync } from 'node:fs'
import { feedsOfNodeTest, nodeTestModels, verdictOf } from './lib/node-tests.mjs'
import { cell, writePage } from './lib/written-page.mjs'
import { attempt, setUpDist, setUpModels, setUpPackages, setUpPython } from './setup.mjs'

await setUpPackages()
await setUpDist()
await attempt(setUpPython)
await attempt(setUpModels)
const { onnx, repair } = await import('../dist/index.js')
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
  const started = performance.now()
  const result = await repair(path, { target, ...KNOWN[name] })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  const { outcome, steps, assumptions, proof, refusal } = result
  const kept = steps.filter((step) => step.outcome === 'kept').flatMap(({ fix }) => fix.passes.map(({ pass }) => pass))
  const assumed = assumptions.map((one) =>
    one.kind === 'value' ? `${one.input} = ${JSON.stringify(one.value)}` : `${one.input} is [${one.dims}]`,
  )
  const why = refusal === undefined ? '' : `${refusal.node ?? ''}: ${refusal.cause ?? refusal.message.split('\n')[1]}`
  rows.push([
    name,
    outcome,
    [...new Set(kept)].join(', '),
    assumed.join('; '),
    proofText(outcome, proof),
    why,
    `${seconds} s`,
  ])
  console.log(rows.at(-1).join('  '))
}

function proofText(outcome, { verdict, reason, outputs }) {
  if (outcome === 'untouched') return 'the same model'
  if (verdict === 'none') return `not compared: ${reason}`
  if (verdict === 'equal') return 'the same to the last bit'
  const worst = outputs.map(({ maxAbsError, magnitude }) => [maxAbsError, magnitude]).sort(([a], [b]) => b - a)[0]
  return `near-equal: off by ${worst[0].toPrecision(2)} of ${worst[1].toPrecision(2)}`
}

if (NAMES.length === 0) {
  const tests = { before: 0, refused: 0, equal: 0, near: 0, unproven: 0, left: 0, hopeless: 0 }
  for (const { name, path } of nodeTestModels()) {
    if ((await verdictOf(path)).isAccepted) {
      tests.before++
      continue
    }
    tests.refused++
    const outcome = await repairOfNodeTest(name, path)
    tests[outcome]++
    console.log(`${tests.before + tests.refused}: ${name}: ${outcome}`)
  }
  writePage('docs/repair.md', page(rows, tests), 'scripts/repair-docs.mjs')
}

/** Ops and types that TensorRT does not have, and no pass writes otherwise. */
const HOPELESS = ['unsupported-op', 'unsupported-type', 'low-type']

/** With the inputs that the test itself has, so that settings such as axes are known. */
async function repairOfNodeTest(name, path) {
  try {
    const model = await onnx.read(path)
    if (onnx.lint(model).some(({ rule, fixes }) => HOPELESS.includes(rule) && fixes.length === 0)) return 'hopeless'
    const feeds = feedsOfNodeTest(model, name)
    const { outcome, proof } = await repair(path, { target, isolation: 'thread', ...(feeds && { feeds }) })
    if (outcome !== 'repaired') return 'left'
    return { equal: 'equal', 'near-equal': 'near', none: 'unproven' }[proof.verdict]
  } catch (error) {
    console.log(`${name}: ${error.stack}`)
    return 'left'
  }
}

function page(rows, { before, refused, equal, near, unproven, left, hopeless }) {
  return `# What repair does

Written by \`node scripts/repair-docs.mjs\`, with the parser and builder of TensorRT-RTX 1.7.1 for compute capability 8.9, and
with onnxruntime, which compared the outputs of each repaired model with the original's on random inputs (one thread, int8
products exact, optimisations \`basic\` at most).

## Trained models

\`untouched\`: it builds as it is, with the shapes that are proposed. \`repaired\`: it builds now. \`refused\`: not yet.

| model | outcome | passes | assumed | outputs | why not | time |
|---|---|---|---|---|---|---|
${rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}

What is assumed is in \`BuildResult.repair.assumptions\`, and in the manifest of a cached engine. An input that became a
constant is no input of the engine any more, and feeding it is an \`INVALID_INPUT\`; another shape than the one that is fixed
is a \`SHAPE_OUT_OF_PROFILE\` or an \`INVALID_INPUT\`: an error, and never a wrong answer.

## ONNX's node tests

Of the ${before + refused} node tests (Python package onnx 1.22), each with the inputs that the test itself has:

| | models |
|---|---|
| TensorRT-RTX builds them as they are | ${before} |
| after repair, outputs the same to the last bit | ${equal} |
| after repair, outputs near the original's | ${near} |
| after repair, not compared: onnxruntime does not run the original | ${unproven} |
| not tried: ops or types that TensorRT does not have, and no pass writes otherwise | ${hopeless} |
| refused still | ${left} |
`
}
