// `npm run quantization`: makes fp16, bf16, int8 and fp8 of every trained model and builds each with TensorRT-RTX, and has a
// recogniser of text read 500 crops in float32 and in 8 bits; writes docs/quantization.md. It takes half an hour.
// `npm run quantization -- NAME…` prints what becomes of single models, and `-- reading` the second part; they write nothing.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readAlphabetOf, toText } from './demo/ocr.mjs'
import { CACHE } from './lib/run.mjs'
import { cell, writePage } from './lib/written-page.mjs'
import { attempt, setUpAddons, setUpDist, setUpModels, setUpPackages, setUpSdk } from './setup.mjs'

await setUpPackages()
await setUpDist()
const missing = await attempt(setUpModels)
await setUpSdk('headers')
await setUpSdk('rtx')
await setUpAddons()
const { buildEngine, onnx, repair, Tensor } = await import('../dist/index.js')
const { isDynamic } = await import('../dist/onnx/value-type.js')
const { feedsOf, realModels } = await import('./models/real-models.mjs')
const { editDistance, textCrops } = await import('./lib/text-crops.mjs')

/** Built for in pairs, the first of which lacks types; by themselves where the pair is refused. */
const GPUS = [
  ['7.5', '8.0'],
  ['8.9', '12.0'],
]
const [CALIBRATION_SEED, CALIBRATION_CROPS] = [2, 50]
const [TEST_SEED, TEST_CROPS] = [1, 500]
const METHODS = ['max', 'percentile', 'entropy']
/** How each type is made of a model. */
const TYPES = {
  fp16: (model) => convert(model, 'float16'),
  bf16: (model) => convert(model, 'bfloat16'),
  int8: (model, feeds) => quantized(model, feeds, 'int8'),
  fp8: (model, feeds) => quantized(model, feeds, 'float8e4m3fn'),
}

const ONLY = process.argv.slice(2)
/** By type, GPU and TensorRT's words, of how many models it says them. */
const refused = new Map()
const built = ONLY.includes('reading') ? [] : await builds()
const words = [...refused.values()].map(({ what, message, models }) => `- ${what}, ${models} models: \`${message}\``)
console.log(words.join('\n'))
if (ONLY.length === 0 || ONLY.includes('reading')) {
  const read = await reading()
  if (ONLY.length === 0) write(read)
}

function write(read) {
  writePage(
    'docs/quantization.md',
    `# Quantisation, measured

Written by \`npm run quantization\`. No GPU took part: how fast the engines are, and what TensorRT's own kernels compute, is
not in these tables.

## TensorRT-RTX builds them

For which compute capabilities TensorRT-RTX builds what is made of each trained model: repaired where it needs it
([repair.md](repair.md)), simplified, then mixed precision (\`convert-precision\`), or calibrated by \`max\` with its own random
inputs and quantised. Tried: ${GPUS.flat().join(', ')}. Layers of fewer than 16 channels stay in float32, but where a model has
no others. Turing (7.5) multiplies no matrices in float32: there \`int8\` wants \`fp16: true\` beside it.

| model | ${Object.keys(TYPES).join(' | ')} |
|${'---|'.repeat(1 + Object.keys(TYPES).length)}
${built.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}

What it says of those that it refuses:

${words.length === 0 ? '- nothing' : words.join('\n')}

## A recogniser of text keeps reading

PP-OCRv6's recognition (18,710 characters) in int8, calibrated by ${CALIBRATION_CROPS} crops of text (seed ${CALIBRATION_SEED}), reads ${TEST_CROPS} others (seed ${TEST_SEED},
\`scripts/lib/text-crops.mjs\`) on onnxruntime. Agreement is per character: 1 − edit distance / characters, between what the
quantised model reads and what float32 reads (${read.characters} characters; float32 itself reads ${percent(read.truth)} of what is written).
Asked: 98 %.

| method | agreement | calibration, ms a crop | a run alone, ms |
|---|---|---|---|
${read.rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}
`,
    'npm run quantization',
  )
}

async function builds() {
  const rows = []
  for (const real of realModels()) {
    if (ONLY.length > 0 && !ONLY.includes(real.name)) continue
    const row = existsSync(real.path) ? [real.name, ...(await buildAll(real))] : [real.name, `skipped: ${missing}`]
    rows.push(row)
    console.log(row.join(' | '))
  }
  return rows
}

async function buildAll(real) {
  const feeds = feedsOf(real, 1)
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
  const { model } = await repair(real.path, { shapes: dynamicOf(await onnx.read(real.path), shapes) })
  await onnx.transform(model, [onnx.simplify()])
  const inputs = model.graph.fedInputs.map(({ name }) => name)
  const left = Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.includes(name)))
  const cells = []
  for (const [type, make] of Object.entries(TYPES)) {
    const made = model.copy()
    const { what, error } = await attempted(() => make(made, left))
    const gpus = error === undefined ? await gpusThatTake(made, dynamicOf(made, shapes), type) : []
    cells.push(
      [what ?? error.message.replace(/^calibrate: /, ''), gpus.join(' ')].filter((text) => text !== '').join(': '),
    )
  }
  return cells
}

/** Which GPUs a model can be built for; what is said of the others goes into {@link refused}. */
async function gpusThatTake(model, shapes, type) {
  const taking = []
  const build = (computeCapabilities) =>
    attempted(() => buildEngine({ onnx: model, shapes, backend: 'tensorrt-rtx', target: { computeCapabilities } }))
  for (const pair of GPUS) {
    if ((await build(pair)).error === undefined) {
      taking.push(...pair)
      continue
    }
    for (const gpu of pair) {
      const { error } = await build([gpu])
      if (error === undefined) taking.push(gpu)
      else note(`${type} for ${gpu}`, error.message)
    }
  }
  return taking
}

/** Counts a refusal with those that differ by the operation only. */
function note(what, message) {
  const [first] = message.replace(/^TensorRT-RTX built no engine:\s*/, '').split('\n')
  const words = first.replace(/operation '[^']*'/, "operation '…'")
  const key = `${what} ${words}`
  refused.set(key, { what, message: words, models: (refused.get(key)?.models ?? 0) + 1 })
}

async function attempted(work) {
  try {
    return { what: await work() }
  } catch (error) {
    return { error }
  }
}

/** The shapes of the inputs that are dynamic. */
function dynamicOf(model, shapes) {
  return Object.fromEntries(model.graph.fedInputs.filter(isDynamic).map(({ name }) => [name, shapes[name]]))
}

/** @returns nothing that is worth a word */
async function convert(model, to) {
  await onnx.transform(model, [onnx.convertPrecision({ to })])
  return ''
}

/** @returns how many nodes were quantised */
async function quantized(model, feeds, to) {
  if (model.graph.find({ opType: 'DequantizeLinear' }).length > 0) return 'as it is, being quantised'
  const quantize = async (minChannels) => {
    const ranges = await onnx.calibrate(model, [feeds], { method: 'max', minChannels })
    const [{ figures }] = await onnx.transform(model, [onnx.quantize({ to, ranges, minChannels })])
    return `${figures['nodes quantised']} nodes`
  }
  return quantize(16).catch(() => quantize(1))
}

async function reading() {
  const path = join(CACHE, 'models/pp-ocrv6-rec.onnx')
  const model = await onnx.read(path)
  const alphabet = readAlphabetOf(model)
  await onnx.transform(model, [onnx.simplify()])
  const bytes = model.toBytes()
  const calibration = await crops(CALIBRATION_SEED, CALIBRATION_CROPS)
  const tests = await crops(TEST_SEED, TEST_CROPS)
  const texts = await readAll(model, tests, alphabet)
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  const agreement = (others) =>
    1 - others.reduce((sum, text, index) => sum + editDistance(texts[index], text), 0) / characters
  const rows = []
  const alone = await timed(() => readAll(model, calibration, alphabet))
  for (const method of METHODS) {
    const quantized = await onnx.read(bytes)
    let ranges
    const calibrating = await timed(async () => {
      const samples = calibration.map(({ x }) => ({ x }))
      ranges = await onnx.calibrate(quantized, samples, { method, percentile: 99.99 })
    })
    await onnx.transform(quantized, [onnx.quantize({ ranges })])
    const share = agreement(await readAll(quantized, tests, alphabet))
    const each = [calibrating, alone].map((ms) => (ms / calibration.length).toFixed(1))
    rows.push([method, percent(share), ...each])
    console.log(rows.at(-1).join('  '))
  }
  return { rows, characters, truth: agreement(tests.map(({ text }) => text)) }
}

async function crops(seed, count) {
  const all = []
  for await (const { text, data, dims } of textCrops(seed, count))
    all.push({ text, x: new Tensor('float32', data, dims) })
  return all
}

async function readAll(model, all, alphabet) {
  const runner = await onnx.openRunner(model, { optimization: 'all', exactInt8: true })
  try {
    const texts = []
    for (const { x } of all) texts.push(toText(Object.values(await runner.run({ x }))[0], alphabet).text)
    return texts
  } finally {
    await runner.close()
  }
}

async function timed(work) {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`
}
