/** Damaged models: whatever the bytes, the answer is a TrtError or a model, soon and in little memory. */
import { readFileSync } from 'node:fs'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { TrtError } from '#dist/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { ocrModel } from './helpers/models.js'

const MUTANTS = 10_000
const SEED = 20_251_122

/** Mulberry32: small, seeded, and the same everywhere. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Small, with every kind of field, so that each mutation hits structure. */
function seeds(): Buffer[] {
  const branch = (op: string) => ({
    outputs: { [`${op}_out`]: ['float32'] as const },
    nodes: [node(op, ['s'], [`${op}_out`])],
  })
  const nested = makeModel({
    inputs: { x: ['float32', ['N', 3]], c: ['bool', []] },
    outputs: { y: ['float32', ['N', 3]] },
    initializers: { w: constant('float32', [3], [1, 2, 3]), i: constant('int64', [2], [1n, -1n]) },
    nodes: [
      node('Add', ['x', 'w'], ['s']),
      node('If', ['c'], ['t'], { then_branch: branch('Neg'), else_branch: branch('Abs') }),
      node('Custom', ['t', '', 'i'], ['y'], {
        alpha: 0.5,
        axes: [1, -1, 2],
        mode: 'linear',
        k: constant('float16', [1], [1]),
      }),
    ],
  })
  const real = readFileSync(ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'))
  // The weights are cut out of the tensors of the real one's first nodes by the mutations themselves often enough; what
  // matters is its structure, which is in front.
  return [Buffer.from(nested), Buffer.from(nested), Buffer.from(nested), real]
}

type Mutation = (bytes: Buffer, random: (below: number) => number) => Buffer

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    for (let flips = 1 + random(8); flips > 0; flips--) {
      const at = random(bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    }
    return bytes
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = random(256)
    return bytes
  },
  // A length or number of up to 70 bits.
  (bytes, random) => {
    const at = random(bytes.length)
    const huge = Buffer.alloc(1 + random(10), 0xff)
    huge[huge.length - 1] = random(128)
    return Buffer.concat([bytes.subarray(0, at), huge, bytes.subarray(at)])
  },
  (bytes, random) => {
    const from = random(bytes.length)
    const piece = bytes.subarray(from, from + random(200))
    const at = random(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
  },
  (bytes, random) => {
    const at = random(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(50))])
  },
  (bytes, random) => {
    bytes.fill(random(2) * 255, random(bytes.length), random(bytes.length))
    return bytes
  },
]

/** Runs `look`; a TrtError is an answer, anything else that is thrown is not. */
async function attempt<T>(look: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof TrtError) return undefined
    throw error
  }
}

/** Uses everything that a model has. */
async function exercise(bytes: Buffer): Promise<boolean> {
  await attempt(() => onnx.inspectModel({ bytes }))
  const model = await attempt(() => onnx.read(bytes))
  if (model === undefined) return false
  await attempt(() => model.print())
  for (const graph of model.graphs()) {
    for (const tensor of graph.initializers) await attempt(() => tensor.statistics())
    for (const node of graph.nodes) for (const attribute of node.attributes) await attempt(() => attribute.value)
  }
  expect(bytes.equals(model.toBytes())).toBe(true)
  model.prune()
  model.graph.inputs[0]?.rename(model.graph.uniqueName('renamed'))
  await onnx.read(model.toBytes()).catch((error: unknown) => {
    // Pruning may leave nothing: every node was dead.
    if (!(error instanceof TrtError && error.message.includes('no nodes'))) throw error
  })
  return true
}

describe('a damaged model', () => {
  it(`gives a TrtError or a model: ${MUTANTS} mutants`, { timeout: 600_000 }, async () => {
    const random = randomNumbers(SEED)
    const originals = seeds()
    let models = 0
    for (let count = 0; count < MUTANTS; count++) {
      // The real one is 500 times as long; one mutant in a hundred is enough of it.
      const original = originals[random(100) === 0 ? 3 : random(3)] as Buffer
      const mutation = MUTATIONS[random(MUTATIONS.length)] as Mutation
      const mutant = Buffer.from(mutation(Buffer.from(original), random))
      try {
        if (mutant.length > 0 && (await exercise(mutant))) models++
      } catch (error) {
        throw new Error(`mutant ${count}: ${(error as Error).stack}\n${mutant.toString('base64').slice(0, 4000)}`)
      }
    }
    // Both answers must occur, or the mutations are too strong or too weak to tell anything.
    expect(models).toBeGreaterThan(MUTANTS / 50)
    expect(models).toBeLessThan(MUTANTS / 2)
    // ru_maxrss is in KiB. A tenth of this is the test runner itself.
    expect(process.resourceUsage().maxRSS).toBeLessThan(2 ** 20)
  })

  it('of millions of tiny parts is refused before it fills the memory', async () => {
    // 8 MB of empty nodes: 4 million records if they were all taken.
    const nodes = Buffer.alloc(8_000_000)
    for (let at = 0; at < nodes.length; at += 2) nodes[at] = 0x0a
    const length = Buffer.from([
      0x80 | (nodes.length & 127),
      0x80 | ((nodes.length >> 7) & 127),
      0x80 | ((nodes.length >> 14) & 127),
      nodes.length >> 21,
    ])
    const bytes = Buffer.concat([Buffer.from([8, 8, 0x3a]), length, nodes])
    await expect(onnx.read(bytes)).rejects.toMatchObject({
      code: 'INVALID_MODEL',
      message: expect.stringContaining('has more than'),
    })
  })
})
