// `npm run quantization`: quantises every trained model to int8 and fp8, builds each with TensorRT-RTX, and has a recogniser
// of text read 500 crops in float32 and in 8 bits; writes docs/quantization.md. It takes a quarter of an hour;
// `npm run quantization -- reading` does the second part alone, and writes a page of it.
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
const { buildEngine, onnx, Tensor } = await import('../dist/index.js')
const { feedsOf, realModels } = await import('./models/real-models.mjs')
const { editDistance, textCrops } = await import('./lib/text-crops.mjs')

const GPUS = ['8.9', '12.0']
const [CALIBRATION_SEED, CALIBRATION_CROPS] = [2, 50]
const [TEST_SEED, TEST_CROPS] = [1, 500]
const METHODS = ['max', 'percentile', 'entropy']
const TYPES = { int8: 'int8', fp8: 'float8e4m3fn' }
/** TensorRT ties dimensions of one name; hence squares and 8 sentences of 8 words. */
const SHAPES = { 'all-minilm-l6-v2': { dims: [8, 8] }, 'pp-ocrv2-cls': { dims: [2, 3, 48, 48] } }

const built = process.argv.includes('reading') ? [] : await builds()
const read = await reading()
writePage(
  'docs/quantization.md',
  `# Quantisation, measured

Written by \`npm run quantization\`. No GPU took part: how fast the engines are, and what TensorRT's own kernels compute, is
not in these tables.

${built.length === 0 ? '' : buildsSection()}## A recogniser of text keeps reading

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

function buildsSection() {
  return `## TensorRT-RTX builds them

Each trained model, simplified, calibrated by \`max\` with its own random inputs, quantised, and built for compute
capabilities ${GPUS.join(' and ')} at once. Layers of fewer than 16 channels stay in float32, but where a model has no others.

| model | type | nodes quantised | TensorRT-RTX says |
|---|---|---|---|
${built.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}

`
}

async function builds() {
  const rows = []
  for (const model of realModels()) {
    if (!existsSync(model.path)) {
      console.log(`– ${model.name}: skipped: ${missing}`)
      continue
    }
    for (const [type, to] of Object.entries(TYPES)) {
      rows.push([model.name, type, ...(await build(model, to))])
      console.log(rows.at(-1).join('  '))
    }
  }
  return rows
}

/** How many nodes were quantised, and what became of them. */
async function build(real, to) {
  const feeds = feedsOf(real, 1)
  for (const [name, tensor] of Object.entries(feeds)) {
    const { dims = tensor.dims } = SHAPES[real.name] ?? {}
    const count = dims.reduce((product, dim) => product * dim, 1)
    // What is there, over and over.
    const data = tensor.data.constructor.from({ length: count }, (_, at) => tensor.data[at % tensor.data.length])
    feeds[name] = new Tensor(tensor.type, data, dims)
  }
  const model = await onnx.read(real.path)
  await onnx.transform(model, [onnx.simplify()])
  const quantised = async (minChannels) => {
    const ranges = await onnx.calibrate(model, [feeds], { method: 'max', minChannels })
    const [{ figures }] = await onnx.transform(model, [onnx.quantize({ to, ranges, minChannels })])
    return figures['nodes quantised']
  }
  try {
    const nodes = await quantised(16).catch(() => quantised(1))
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
    const { precision, computeCapabilities } = await buildEngine({
      onnx: model,
      shapes,
      backend: 'tensorrt-rtx',
      target: { computeCapabilities: GPUS },
    })
    return [nodes, `builds: ${precision}, for ${computeCapabilities.join(', ')}`]
  } catch (error) {
    return ['–', error.message.split('\n').slice(0, 2).join(' ')]
  }
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
