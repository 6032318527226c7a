// `npm run parity`: how far each trained model is from itself after everything that this package does to models, and whether
// compare and bisect find what they should; written into docs/parity.md. It takes twenty minutes on two cores. `npm run
// parity -- NAME…` prints single models, and writes nothing.
import { existsSync } from 'node:fs'
import { ROOT, run } from './lib/run.mjs'
import { writePage } from './lib/written-page.mjs'
import { attempt, setUpDist, setUpModels, setUpPackages, setUpSdk } from './setup.mjs'

await setUpPackages()
await setUpDist()
const noModels = await attempt(setUpModels)
const noPlugins = await attempt(async () => {
  await setUpSdk('headers')
  await run(process.execPath, ['plugins/build.mjs', 'emulated'], { cwd: ROOT })
})
const { realModels } = await import('./models/real-models.mjs')
const { COLUMNS, KEPT, measureModel, noEngines, SEED, WANTED } = await import('./parity/measure-model.mjs')
const { measureFaults } = await import('./parity/measure-faults.mjs')
const { suits } = await import('./models/seeded-faults.mjs')

const NAMES = process.argv.slice(2)
const trained = realModels().filter(({ name }) => NAMES.length === 0 || NAMES.includes(name))
const present = trained.filter(({ path }) => existsSync(path))

async function measureModels() {
  const rows = []
  for (const model of trained) {
    const cells = present.includes(model) ? await measureModel(model, noPlugins) : [`skipped: ${noModels}`]
    const row = [model.name, ...cells]
    rows.push(row)
    console.log(row.join(' | '))
  }
  return rows
}

const cases = Array.from({ length: NAMES.length === 0 ? 100 : 4 }, (_, at) => at)
const tell = ({ named, sown, alarms, sound }) =>
  console.log(`${named} of ${sown} faults named, ${alarms} alarms in ${sound} models without one`)
// Both wait for onnxruntime most of the time.
const [rows, faults] = await Promise.all([measureModels(), measureFaults(present, cases, tell)])
for (const line of faults.wrong) console.log(`wrong: ${line}`)

if (NAMES.length === 0) {
  writePage(
    'docs/parity.md',
    `# Parity

Written by \`npm run parity\`: how far the outputs of each trained model are from the model itself, run on onnxruntime with
its own rewrites switched off, for random inputs (seed ${SEED}). Each figure is the greatest error of an output, as a part of the
output's greatest value where that is beyond 1; float32 itself has steps of 6e-8 of a value. How to measure your own: [compare.md](compare.md).

| ${['model', ...COLUMNS].join(' | ')} |
|${'---|'.repeat(COLUMNS.length + 1)}
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}

- **CPU backend**: the engine that \`buildEngine\` makes without a GPU, with all of onnxruntime's rewrites.
- **passes**: how many of the passes that keep the meaning found something to change, each by itself, and the worst of them.
- **fp16**, **bf16**: mixed precision by \`convert-precision\`, emulated: every value rounded as the type has it.
- **bisect**: the nodes that it kept in float32 for an error of at most ${KEPT[0]} of that in the column fp16, the share of nodes
  that stayed in float16, and the trials that it took; where less than ${WANTED} % would stay, for ${KEPT[1]} of the error if that
  leaves so many. smart-turn is quantised: steps of its integers make 0.0007 of the least difference, of onnxruntime's own
  rewrites too, and its residual stream has to stay in float32 for less.
- **plugins**: LayerNormalization (fused first, where it is in parts) and PRelu given to this package's plugins. *lowered*: the
  graph taken back to ONNX's operators; *kernels*: each plugin on the emulated GPU, from the inputs that it has in the model.
  Relative to the greatest value of each node.
- **engines**: TensorRT's own, of every precision. ${noEngines === undefined ? '' : `Not run: ${noEngines}`}

## Faults that were sown

${faults.sown} faults in trained models (${Object.entries(faults.kinds)
      .map(([kind, count]) => `${count} times ${kind}`)
      .join(', ')}), the candidate simplified and in emulated
float16 as well: \`compare\` named exactly the node with the fault, or where it was merged into another one that node, in
**${faults.named} of ${faults.sown}**. In ${faults.sound} candidates without a fault it said of a node in **${faults.alarms}** that it is at fault. The tolerance of
each value was six times the noise that it has without a fault on other inputs; a fault changed the outputs of its own node by
three times the tolerance or more. A node that leaves the tolerance by making greater what comes in is not at fault
([how compare tells](compare.md#whose-fault-it-is)). How, and why
not into ${present
      .filter((model) => !suits(model))
      .map(({ name }) => name)
      .join(', ')}: \`scripts/models/seeded-faults.mjs\`.
${faults.wrong.length === 0 ? '' : `\nNot as it should be:\n\n${faults.wrong.map((line) => `- ${line}`).join('\n')}\n`}`,
    'npm run parity',
  )
}
process.exitCode = faults.wrong.length === 0 ? 0 : 1
