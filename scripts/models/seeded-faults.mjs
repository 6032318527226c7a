// Faults sown into trained models, to see whether `compare` names the node that has them: in a candidate that is also
// simplified and in emulated float16, and in one without a fault.
//
// What is noise and what is a fault is measured: the tolerance of each value is NOISE times the error that the simplified
// float16 model has there on other inputs, and a fault changes what its own node gives by ABOVE times that at least. Where a
// node makes the noise of its inputs greater than that, as a Log near 0 does, `compare` says that it came in (`cause`), and
// nobody is at fault: see src/parity/own-error.ts.
import { seededRandom } from '../../dist/npy/random.js'
import * as onnx from '../../dist/onnx/index.js'
import { compare, measure } from '../../dist/parity/compare.js'
import { feedsOf } from './real-models.mjs'

/**
 * smart-turn is quantised: float16 moves what QuantizeLinear gives by 1 here and there, and integers have no tolerance. The
 * silero models listed compute inside If, where nothing can be compared; ifless has one around all it does.
 */
const UNSUITED = ['smart-turn-v3.2', 'silero-vad', 'silero-vad-16k', 'silero-vad-ifless']

export const suits = ({ name }) => !UNSUITED.includes(name)

const NOISE = 6
const ABOVE = 3
/** Of each trained model, the inputs that noise is measured on. Faults are sown with the seeds from 1 on. */
const NOISE_SEEDS = [1001, 1002, 1003]
/** One thread adds up in the same order on every machine. */
const AS_IT_IS = { optimization: 'disabled', threads: 1 }

/** @typedef {{ reference: onnx.Model, candidate: onnx.Model, node: string, change: string }} Sown */

/**
 * What there is to sow: each gives undefined where the model has no place for it.
 *
 * @type {Record<string, (bench: FaultBench, random: () => number) => Promise<{ site: onnx.Node, tries: ((node: onnx.Node, model: onnx.Model) => string)[] } | undefined>>}
 */
const FAULTS = {
  'a weight scaled': async ({ model }, random) => {
    const site = pick(
      model.graph.nodes.filter((node) => weightsOf(node) !== undefined),
      random,
    )
    return site && { site, tries: [1.5, 4, 16].map((by) => (node) => scaleWeights(node, by)) }
  },
  'an epsilon changed': async ({ model }, random) => {
    const site = pick(
      model.graph.nodes.filter((node) => node.attribute('epsilon') !== undefined),
      random,
    )
    return site && { site, tries: [0.01, 1, 100].map((epsilon) => (node) => setEpsilon(node, epsilon)) }
  },
  'a transpose dropped': async (bench, random) => {
    const site = pick(bench.model.graph.find({ opType: 'Transpose' }), random)
    if (site === undefined) return undefined
    const [name] = [site.outputs[0].name]
    const { dims } = (await onnx.run(bench.model, bench.feeds(NOISE_SEEDS[0]), { ...AS_IT_IS, outputs: [name] }))[name]
    return { site, tries: [(node, model) => dropTranspose(node, model, dims)] }
  },
}

/** The kinds of faults; the last one is a model of its own, which overflows in float16 alone. */
export const KINDS = [...Object.keys(FAULTS), 'an overflow in float16']

/** A trained model to sow faults into, with what is noise in it. */
export class FaultBench {
  /** @param {import('./real-models.mjs').RealModel} trained */
  static async open(trained) {
    const bench = new FaultBench(trained, await onnx.read(trained.path), await shrunk(await onnx.read(trained.path)))
    for (const seed of NOISE_SEEDS) {
      for (const { name, maxAbs, mismatch } of await bench.#layers(seed)) {
        if (mismatch === undefined) bench.noise.set(name, Math.max(bench.noise.get(name) ?? 0, maxAbs))
      }
    }
    return bench
  }

  constructor(trained, model, sound) {
    this.trained = trained
    this.model = model
    /** The candidate without a fault. */
    this.sound = sound
    /** By value: the greatest error of {@link sound}. @type {Map<string, number>} */
    this.noise = new Map()
  }

  feeds(seed) {
    return feedsOf(this.trained, seed)
  }

  /** What a value may differ by. */
  tolerance(name) {
    return NOISE * (this.noise.get(name) ?? 0) + 1e-6
  }

  /**
   * One case. @param {string | undefined} kind one of {@link KINDS}, or undefined for none
   * @returns {Promise<{ node?: string, change?: string, found?: string, suspects: readonly string[], isRight: boolean } | undefined>}
   *   undefined where the model has no place for it
   */
  async run(kind, seed) {
    const random = seededRandom(seed)
    const sown = kind === undefined ? { reference: this.model } : await this.#sow(kind, seed, random)
    if (sown === undefined) return undefined
    const values = Object.fromEntries(
      [...this.noise.keys()].map((name) => [name, { atol: this.tolerance(name), rtol: 0 }]),
    )
    const { candidates } = await compare({
      model: sown.reference,
      candidates: { shrunk: sown.candidate === undefined ? this.sound : await shrunk(sown.candidate) },
      inputs: { feeds: this.feeds(seed) },
      layers: true,
      onnxruntime: AS_IT_IS,
      tolerance: { values: { ...values, ...sown.values } },
    })
    const { firstDivergence } = candidates[0]
    // Nobody is at fault where an error came in and became greater.
    const { node, suspects = [] } = firstDivergence?.cause === 'node' ? firstDivergence : {}
    const compared = new Set([...candidates[0].layers, ...candidates[0].outputs].map(({ name }) => name))
    // Where the candidate does not have what the node gave, the node was merged into the one that is named.
    const isMerged = sown.gives !== undefined && !compared.has(sown.gives)
    const isRight = node === sown.node || (isMerged && suspects.includes(sown.node))
    return { node: sown.node, change: sown.change, found: node, suspects, isRight }
  }

  async #sow(kind, seed, random) {
    if (kind === KINDS.at(-1)) return this.#overflow(random)
    // A place where the fault would drown in the noise is none.
    for (let attempt = 0; attempt < 20; attempt++) {
      const { site, tries = [] } = (await FAULTS[kind](this, random)) ?? {}
      if (site === undefined) return undefined
      const gives = site.outputs[0].name
      for (const change of tries) {
        const candidate = await onnx.read(this.trained.path)
        const text = change(candidate.graph.value(gives).producer, candidate)
        if (await this.#isSeen(candidate, gives, seed)) {
          return { reference: this.model, candidate, node: nameOf(site), change: text, gives }
        }
      }
    }
    return undefined
  }

  /** Both sides give values beyond float16 behind one convolution, and divide them again; only the candidate is float16. */
  async #overflow(random) {
    const [reference, candidate] = [await onnx.read(this.trained.path), await onnx.read(this.trained.path)]
    this.ranges ??= await onnx.measureRanges(
      this.model,
      NOISE_SEEDS.map((seed) => this.feeds(seed)),
    )
    const suited = reference.graph.find({ opType: 'Conv' }).filter((conv) => {
      const isAlone = weightsOf(conv) !== undefined && conv.inputs[2] === undefined
      return isAlone && this.ranges[conv.outputs[0].name] * scaleOf(conv) > 4 * 65504
    })
    const site = pick(suited, random)
    if (site === undefined) return undefined
    const gives = site.outputs[0].name
    const scale = scaleOf(site)
    for (const model of [reference, candidate]) {
      const conv = model.graph.value(gives).producer
      scaleWeights(conv, scale)
      const [output] = conv.outputs
      const divisor = model.graph.addInitializer({ type: 'float32', dims: [], data: Float32Array.of(scale) })
      const quotient = model.graph.addNode({ opType: 'Div', inputs: [output, divisor], outputs: [`${gives}_again`] })
      output.replaceUsesWith(quotient.outputs[0])
    }
    const values = {
      [gives]: { atol: scale * this.tolerance(gives), rtol: 0 },
      [`${gives}_again`]: { atol: this.tolerance(gives), rtol: 0 },
    }
    return { reference, candidate, node: nameOf(site), change: `values beyond float16`, gives, values }
  }

  async #isSeen(candidate, name, seed) {
    const options = { ...AS_IT_IS, outputs: [name] }
    const [wanted, given] = [this.model, candidate].map((model) => onnx.run(model, this.feeds(seed), options))
    const { maxAbs } = onnx.compareTensors((await wanted)[name], (await given)[name], { atol: 0, rtol: 0 })
    return maxAbs > ABOVE * this.tolerance(name)
  }

  async #layers(seed) {
    const { candidates } = await measure({
      model: this.model,
      candidates: { sound: this.sound },
      inputs: { feeds: this.feeds(seed) },
      layers: true,
      onnxruntime: AS_IT_IS,
    })
    return [...candidates[0].layers, ...candidates[0].outputs]
  }
}

/** What a candidate has been through besides its fault. */
async function shrunk(model) {
  await onnx.transform(model, [onnx.simplify(), onnx.convertPrecision({ emulate: true })])
  return model
}

function pick(list, random) {
  return list[random() % list.length]
}

/** As a divergence calls it. */
function nameOf({ name, outputs }) {
  return name === '' ? outputs[0].name : name
}

/** The weights of a matrix product that nobody else reads. */
function weightsOf({ opType, inputs }) {
  const [, value] = inputs
  if (!['Conv', 'MatMul', 'Gemm'].includes(opType) || value?.consumers.length !== 1) return undefined
  const constant = value.initializer ?? value.producer?.get('value', 'tensor')
  const tensor = constant?.toTensor()
  return tensor?.type === 'float32' ? { value, tensor } : undefined
}

function scaleWeights(node, by) {
  const { value, tensor } = weightsOf(node)
  const { dims, data } = tensor
  const scaled = node.graph.addInitializer({ type: 'float32', dims, data: data.map((x) => x * by) })
  node.inputs = node.inputs.map((input) => (input === value ? scaled : input))
  return `weights times ${by}`
}

function setEpsilon(node, epsilon) {
  node.set('epsilon', 'float', epsilon)
  return `epsilon ${epsilon}`
}

/** What an exporter does that takes NHWC for NCHW: the shape is right, and the elements are not. */
function dropTranspose(node, { graph }, dims) {
  const [output] = node.outputs
  const shape = graph.addInitializer({ type: 'int64', dims: [dims.length], data: BigInt64Array.from(dims, BigInt) })
  const reshaped = graph.addNode({ opType: 'Reshape', inputs: [node.inputs[0], shape] }).outputs[0]
  const { name } = output
  output.replaceUsesWith(reshaped)
  if (reshaped.name !== name) {
    output.rename(graph.uniqueName(`${name}_dropped`))
    reshaped.rename(name)
  }
  graph.removeNode(node)
  return 'a Reshape instead'
}

/** The greatest power of two, which changes no digit, that leaves the weights within float16. */
function scaleOf(conv) {
  const greatest = weightsOf(conv).tensor.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return 2 ** Math.floor(Math.log2(65504 / greatest))
}
