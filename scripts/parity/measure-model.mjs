// How far a trained model is from itself, by everything that this package does to models.
import { inferenceObstacle } from '../../dist/backends/tensorrt/tensorrt-backend.js'
import { bisect, compare, onnx, plugins } from '../../dist/index.js'
import { feedsOf } from '../models/real-models.mjs'

export const SEED = 1
/**
 * What bisect is asked for: an error of this part of float16's, the greatest of all outputs; and where it leaves less than
 * {@link WANTED} percent of the nodes in float16 for that, of the next part.
 */
export const KEPT = [0.8, 0.95]
export const WANTED = 90
export const COLUMNS = [
  'CPU backend',
  'passes',
  'fp16',
  'bf16',
  'bisect',
  'plugins, lowered',
  'plugins, kernels',
  'engines',
]

const AS_IT_IS = { optimization: 'disabled' }
/** Far wider than any error here: the table is to show the errors, not to judge them. */
const ANY = { atol: Number.MAX_VALUE, rtol: 0 }
/** What use-plugins makes runs on TensorRT alone, and has columns of its own. */
const KEEPING = [...onnx.PASSES.values()].filter(
  ({ keepsMeaning, passName }) => keepsMeaning && passName !== 'use-plugins',
)

/** Why there are no engines to measure; undefined on a machine that has a GPU and TensorRT. */
export const noEngines = await inferenceObstacle('tensorrt')

/** The cells of {@link COLUMNS}. @param {import('../models/real-models.mjs').RealModel} trained */
export async function measureModel(trained, noPlugins) {
  const feeds = feedsOf(trained, SEED)
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]))
  const read = () => onnx.read(trained.path)
  const errorOf = async (candidate) => worstOf(await outputsOf(trained, feeds, candidate))
  const changed = async (transforms) => {
    const model = await read()
    const reports = await onnx.transform(model, transforms)
    return { model, changes: reports.reduce((sum, { changes }) => sum + changes.length, 0) }
  }

  const backend = await errorOf({ build: { backend: 'onnxruntime', shapes } })
  const passes = []
  for (const pass of KEEPING) {
    const { model, changes } = await changed([pass()])
    if (changes > 0) passes.push({ name: pass.passName, error: await errorOf(model) })
  }
  const worst = passes.toSorted((a, b) => b.error - a.error)[0]
  const { model: half } = await changed([onnx.convertPrecision({ emulate: true })])
  const { model: bhalf } = await changed([onnx.convertPrecision({ to: 'bfloat16', emulate: true })])
  return [
    text(backend),
    worst === undefined ? '–' : `${passes.length}: ${text(worst.error)}${worst.error === 0 ? '' : `, ${worst.name}`}`,
    text(await errorOf(half)),
    text(await errorOf(bhalf)),
    await measureBisect(trained, feeds, half),
    ...(await measurePlugins(trained, feeds, errorOf, noPlugins)),
    noEngines === undefined ? await measureEngines(errorOf, shapes) : 'not run',
  ]
}

async function outputsOf(trained, feeds, candidate) {
  const compared = { model: trained.path, candidates: { candidate }, inputs: { feeds }, tolerance: ANY }
  return (await compare(compared)).candidates[0].outputs
}

/**
 * The greatest error as a part of the greatest value, where that is beyond 1: of a detector that sees nothing, probabilities
 * of 5e-7 with an error of 1e-7 are as good as equal.
 */
function worstOf(differences) {
  return Math.max(0, ...differences.map((difference) => difference.maxAbs / sizeOf(difference)))
}

function sizeOf({ range }) {
  return Math.max(1, ...range.map(Math.abs))
}

async function measureBisect(trained, feeds, half) {
  const outputs = await outputsOf(trained, feeds, half)
  const error = worstOf(outputs)
  const found = []
  for (const part of KEPT) {
    const values = Object.fromEntries(
      outputs.map((output) => [output.name, { atol: part * error * sizeOf(output), rtol: 0 }]),
    )
    const { keepNodes, nodes, trials } = await bisect({ model: trained.path, inputs: { feeds }, tolerance: { values } })
    if (nodes.convertible === 0) return '–'
    const share = (100 * nodes.converted) / nodes.convertible
    const cell = `${keepNodes.length}; ${share.toFixed(1)} % of ${nodes.convertible}; ${trials}`
    found.push({ share, cell: part === KEPT[0] ? cell : `${cell} (${part})` })
    if (share >= WANTED) break
  }
  return (found.find(({ share }) => share >= WANTED) ?? found[0]).cell
}

async function measurePlugins(trained, feeds, errorOf, noPlugins) {
  const model = await onnx.read(trained.path)
  await onnx.transform(model, [onnx.fuseLayerNorm()])
  const ops = model.graph.nodes.filter(({ opType }) => ['LayerNormalization', 'PRelu'].includes(opType))
  const calls = ops.map((node) => ({
    outputs: node.outputs.map((value) => value.name),
    inputs: node.inputs.map((value) => value.name),
  }))
  const [report] = await onnx.transform(model, [onnx.usePlugins()])
  if (report.changes.length === 0) return ['–', '–']
  const given = model.graph.nodes.filter(({ domain }) => domain === 'trt.plugins')
  const kernels =
    noPlugins === undefined ? text(await measureKernels(trained, feeds, given, calls)) : `skipped: ${noPlugins}`
  await onnx.transform(model, [onnx.lowerPlugins()])
  return [`${given.length}: ${text(await errorOf(model))}`, kernels]
}

/** Each plugin on the emulated GPU, from what onnxruntime says goes in, against what onnxruntime says comes out. */
async function measureKernels(trained, feeds, given, calls) {
  const model = await onnx.read(trained.path)
  await onnx.transform(model, [onnx.fuseLayerNorm()])
  const weights = new Map(model.graph.constants.map((value) => [value.name, value]))
  const wanted = [...new Set(calls.flatMap(({ inputs, outputs }) => [...inputs, outputs[0]]))]
  const computed = await onnx.run(model, feeds, {
    ...AS_IT_IS,
    outputs: wanted.filter((name) => !weights.has(name) && !(name in feeds)),
  })
  const tensorOf = (name) =>
    computed[name] ??
    feeds[name] ??
    (weights.get(name).initializer ?? weights.get(name).producer.get('value', 'tensor')).toTensor()
  let worst = 0
  for (const [index, node] of given.entries()) {
    const { inputs, outputs } = calls[index]
    const fields = Object.fromEntries(
      node.attributes
        .filter(({ name }) => !['plugin_version', 'stash_type'].includes(name))
        .map(({ name, value }) => [name, Number(value)]),
    )
    const run = { library: plugins.builtinFor('emulated'), name: node.opType, fields, inputs: inputs.map(tensorOf) }
    const { outputs: got } = await plugins.run(run)
    worst = Math.max(worst, worstOf([onnx.compareTensors(tensorOf(outputs[0]), got[0], ANY)]))
  }
  return worst
}

async function measureEngines(errorOf, shapes) {
  const cells = []
  for (const precision of [{}, { fp16: true }, { bf16: true }]) {
    const [name = 'fp32'] = Object.keys(precision)
    const build = { backend: 'tensorrt', shapes, tf32: false, ...precision }
    cells.push(`${name}: ${await errorOf({ build }).then(text, ({ code }) => code)}`)
  }
  return cells.join('; ')
}

function text(error) {
  return error === 0 ? '0' : error.toPrecision(2)
}
