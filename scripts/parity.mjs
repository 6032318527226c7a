// `npm run parity`: takes every trained model through the CPU backend and each pass that keeps the meaning, and writes how
// far each is from the model itself into docs/parity.md. It takes minutes; `npm run parity -- NAME…` only prints the rows
// of single models.
import { existsSync } from 'node:fs'
import { cell, writePage } from './lib/written-page.mjs'
import { attempt, setUpDist, setUpModels, setUpPackages } from './setup.mjs'

await setUpPackages()
await setUpDist()
const missing = await attempt(setUpModels)
const { compare, onnx } = await import('../dist/index.js')
const { feedsOf, realModels } = await import('./models/real-models.mjs')

const NAMES = process.argv.slice(2)
const SEED = 1
/** Far wider than any error here: the table is to show the errors, not to judge them. */
const TOLERANCE = { atol: Infinity, rtol: 0 }

const keeping = [...onnx.PASSES.values()].filter(({ keepsMeaning }) => keepsMeaning)
const WAYS = Object.fromEntries(keeping.map((pass) => [pass.passName, () => [pass()]]))

const rows = []
for (const model of realModels()) {
  if (NAMES.length > 0 && !NAMES.includes(model.name)) continue
  if (!existsSync(model.path)) {
    console.log(`– ${model.name}: skipped: ${missing}`)
    continue
  }
  const feeds = feedsOf(model, SEED)
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
  const measure = async (way, changes, candidate) => {
    const { candidates } = await compare({
      model: model.path,
      candidates: { way: candidate },
      inputs: { feeds },
      tolerance: TOLERANCE,
    })
    const row = [model.name, way, changes, ...figures(candidates[0].outputs)]
    rows.push(row)
    console.log(row.join('  '))
  }
  await measure('CPU backend', '', { build: { backend: 'onnxruntime', shapes } })
  for (const [way, transforms] of Object.entries(WAYS)) {
    const changed = await onnx.read(model.path)
    const reports = await onnx.transform(changed, transforms())
    const changes = reports.reduce((sum, report) => sum + report.changes.length, 0)
    if (changes > 0) await measure(way, String(changes), changed)
  }
}

/** The largest error of all outputs, the largest value, and the least signal-to-noise ratio. */
function figures(outputs) {
  const error = Math.max(...outputs.map(({ maxAbs }) => maxAbs))
  const largest = Math.max(...outputs.flatMap(({ range }) => range.map(Math.abs)))
  const snr = Math.min(...outputs.map(({ snr }) => snr))
  return [error === 0 ? '0' : error.toPrecision(2), largest.toPrecision(3), Number.isFinite(snr) ? snr.toFixed(0) : '∞']
}

if (NAMES.length === 0) {
  writePage(
    'docs/parity.md',
    `# Parity

Written by \`npm run parity\`. Each trained model went the CPU backend's way, and through each pass that keeps the meaning and
finds something to change in it. The error is the largest one of the outputs against the model itself, both on onnxruntime
with random inputs (seed ${SEED}), the model itself and the passes' results with onnxruntime's own rewrites switched off.

No GPU took part: what TensorRT's own kernels compute is not in this table (\`npm run test:gpu\`).

| model | way | changes | largest error | largest value | SNR, dB |
|---|---|---|---|---|---|
${rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}
`,
    'npm run parity',
  )
}
