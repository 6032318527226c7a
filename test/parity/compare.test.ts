import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { afterAll, describe, expect, it } from 'vitest'
import { documentOf, runCli } from '../cli/helpers/run-cli.js'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { feedsOf, ocrModel, realModel } from '../onnx/helpers/models.js'
import { onnxPython } from '../onnx/helpers/python.js'

const PATH = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
const FEEDS = feedsOf(realModel('pp-ocrv4-cls'), 3)
const folder = mkdtempSync(join(tmpdir(), 'trt-compare-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

/** The model with the weights of one convolution scaled. */
async function faulty(index: number, factor: number): Promise<{ model: onnx.Model; node: onnx.Node }> {
  const model = await onnx.read(PATH)
  const node = model.graph.find({ opType: 'Conv' })[index] as onnx.Node
  const weight = node.inputs[1] as onnx.Value
  const tensor = weight.producer?.get('value', 'tensor') as onnx.ModelTensor
  const { dims, data } = tensor.toTensor() as trt.Tensor<'float32'>
  model.graph.setInitializer(weight, { type: 'float32', dims, data: data.map((x) => x * factor) })
  return { model, node }
}

describe('compare', () => {
  it('finds nothing between a model and itself, whatever runs it', async () => {
    const candidates = {
      itself: PATH,
      read: await onnx.read(PATH),
      cpu: { build: { backend: 'onnxruntime', shapes: { x: [2, 3, 48, 192] } } },
    } as const
    const {
      passed,
      candidates: reports,
      shapes,
    } = await trt.compare({ model: PATH, candidates, inputs: { feeds: FEEDS } })
    expect(passed).toBe(true)
    expect(shapes).toEqual({ x: [2, 3, 48, 192] })
    expect(reports.map(({ name }) => name)).toEqual(['itself', 'read', 'cpu'])
    expect(reports[0]).toMatchObject({ outputs: [{ maxAbs: 0, cosine: 1 }], layers: [], missing: [] })
    expect(reports.every(({ firstDivergence }) => firstDivergence === undefined)).toBe(true)
  })

  it('finds nothing in a simplified model, whose values mean what the names meant before', async () => {
    const simplified = await onnx.read(PATH)
    await onnx.transform(simplified, [onnx.simplify()])
    const { candidates } = await trt.compare({
      model: PATH,
      candidates: { simplified },
      inputs: { feeds: FEEDS },
      layers: true,
      tolerance: { atol: 1e-3, rtol: 1e-3 },
    })
    expect(candidates[0]?.layers.length).toBeGreaterThan(100)
    expect(candidates[0]).toMatchObject({ passed: true, firstDivergence: undefined })
  })

  it.each([0, 40])('names the node with the fault: convolution %i', async (index) => {
    const { model, node } = await faulty(index, 1.05)
    const progress: number[] = []
    const { candidates, passed } = await trt.compare({
      model: PATH,
      candidates: { model },
      inputs: { feeds: FEEDS },
      layers: true,
      onProgress: ({ done, total }) => progress.push(done / total),
    })
    const [report] = candidates as [trt.CandidateReport]
    expect(report.firstDivergence).toMatchObject({
      cause: 'node',
      node: node.name,
      opType: 'Conv',
      suspects: [node.name],
    })
    expect(report.firstDivergence?.attributes).toHaveProperty('kernel_shape')
    expect(report.layers.length).toBeGreaterThan(100)
    expect(passed).toBe(report.outputs.every((output) => output.passed))
    expect(progress.at(-1)).toBe(1)
    expect(progress.toSorted()).toEqual(progress)
  })

  it('names all nodes that may hold it, where the candidate lacks the values between', async () => {
    const { model, node } = await faulty(20, 1.05)
    const [value] = node.outputs as [onnx.Value]
    const after = value.consumers[0] as onnx.Node
    value.rename('hidden')
    const { candidates } = await trt.compare({
      model: PATH,
      candidates: { model },
      inputs: { feeds: FEEDS },
      layers: true,
    })
    expect(candidates[0]?.firstDivergence?.suspects).toEqual([after.name, node.name])
  })

  it('says whether a node is at fault, or makes greater what comes in', async () => {
    const of = (shift: number, factor: number): Promise<onnx.Model> =>
      onnx.read(
        makeModel({
          inputs: { x: ['float32', [3]] },
          outputs: { z: ['float32', []], y: ['float32', [3]] },
          initializers: { shift: constant('float32', [1], [shift]), factor: constant('float32', [1], [factor]) },
          nodes: [
            node('Add', ['x', 'shift'], ['near 0']),
            node('Log', ['near 0'], ['log']),
            node('ArgMin', ['log'], ['least'], { keepdims: 0 }),
            node('Gather', ['x', 'least'], ['z']),
            node('Mul', ['log', 'factor'], ['y']),
          ],
        }),
      )
    const near = Float32Array.of(1.5e-5, 0.5, 2)
    const log = near.map(Math.log)
    const floats = (...data: number[]) => new trt.Tensor('float32', Float32Array.from(data), [data.length])
    const dumped = new Map<string, trt.Tensor>([
      ['near 0', floats(...near)],
      ['log', floats(...log)],
      // The reference cannot gather by that.
      ['least', new trt.Tensor('int64', BigInt64Array.of(7n), [])],
      ['y', floats(...log.map((x) => 2 * x))],
      ['z', new trt.Tensor('float32', Float32Array.of(0), [])],
    ])
    const { candidates } = await trt.compare({
      model: await of(-1, 2),
      // Near 0 the shift is within the tolerance, and behind the Log nothing is.
      candidates: { noisy: await of(-1 + 5e-6, 2), faulty: await of(-1 + 5e-6, 3), dumped },
      inputs: { feeds: { x: floats(1 + 1e-5, 1.5, 3) } },
      layers: true,
    })
    expect(candidates.map(({ passed }) => passed)).toEqual([false, false, false])
    const [noisy, faulty, wrong] = candidates.map(({ firstDivergence }) => firstDivergence)
    expect(noisy).toMatchObject({ cause: 'inputs', node: 'log', value: 'log' })
    expect(noisy?.advice[0]).toContain('no node is at fault')
    expect(faulty).toMatchObject({ cause: 'node', node: 'y', suspects: ['y'] })
    expect(wrong).toMatchObject({ cause: 'node', node: 'least' })
  })

  it('says what is missing, and matches names that differ', async () => {
    const model = await onnx.read(PATH)
    const [output] = model.graph.outputs as [onnx.Value]
    const name = output.name
    output.rename('scores')
    const options = { model: PATH, candidates: { model }, inputs: { feeds: FEEDS } }
    expect(await trt.compare(options)).toMatchObject({ passed: false, candidates: [{ missing: [name], outputs: [] }] })
    expect(await trt.compare({ ...options, names: { [name]: 'scores' } })).toMatchObject({ passed: true })
  })

  it('holds each value against its own tolerance', async () => {
    const { model } = await faulty(20, 1.05)
    const [{ name }] = model.graph.outputs as [onnx.Value]
    const options = { model: PATH, candidates: { model }, inputs: { feeds: FEEDS } }
    expect((await trt.compare({ ...options, tolerance: { atol: 0, rtol: 0 } })).passed).toBe(false)
    expect(
      (await trt.compare({ ...options, tolerance: { atol: 0, rtol: 0, values: { [name]: { atol: 1 } } } })).passed,
    ).toBe(true)
  })

  it('reads what numpy wrote: one .npz, compressed or not, and a folder of .npy', async (ctx) => {
    const python = onnxPython(ctx)
    const [{ name }] = (await onnx.read(PATH)).graph.outputs as [onnx.Value]
    const inner = 'conv2d_56.tmp_0'
    const results = await onnx.run(await onnx.read(PATH), FEEDS, { outputs: [name, inner], optimization: 'disabled' })
    const json = JSON.stringify(
      Object.fromEntries(
        Object.entries(results).map(([key, { dims, data }]) => [key, { dims, data: [...data].map(Number) }]),
      ),
    )
    writeFileSync(at('in.json'), json)
    python(
      `import sys, json, os, numpy as np
from urllib.parse import quote
arrays = {k: np.array(v["data"], np.float32).reshape(v["dims"]) for k, v in json.loads(open(sys.argv[1] + "/in.json").read()).items()}
np.savez(sys.argv[1] + "/a.npz", **arrays); np.savez_compressed(sys.argv[1] + "/b.npz", **arrays); os.mkdir(sys.argv[1] + "/dir")
for k, v in arrays.items(): np.save(sys.argv[1] + "/dir/" + quote(k, safe="") + ".npy", v)`,
      folder,
    )
    for (const path of ['a.npz', 'b.npz', 'dir']) {
      const { candidates, passed } = await trt.compare({
        model: PATH,
        candidates: { path: at(path) },
        inputs: { feeds: FEEDS },
        layers: true,
      })
      expect(passed).toBe(true)
      expect(candidates[0]?.layers.map((layer) => layer.name)).toEqual([inner])
    }
  })

  it('refuses what is nothing to compare with', async () => {
    await failure('INVALID_ARGUMENT', () => trt.compare({ model: PATH, candidates: {} }))
    await failure('FILE_NOT_FOUND', () =>
      trt.compare({ model: PATH, candidates: { no: at('no-such.onnx') }, inputs: { feeds: FEEDS } }),
    )
    await failure('INVALID_ARGUMENT', () =>
      trt.compare({ model: PATH, candidates: { no: `${folder}/..` }, inputs: { feeds: FEEDS } }),
    )
    await failure('ABORTED', () =>
      trt.compare({ model: PATH, candidates: { itself: PATH }, inputs: { feeds: FEEDS }, signal: AbortSignal.abort() }),
    )
  })
})

describe('expectParity', () => {
  it('lets pass an engine that is its model, and names the output of one that is not', async () => {
    const { plan } = await trt.buildEngine({ onnx: PATH, backend: 'onnxruntime', shapes: { x: [1, 3, 48, 192] } })
    await using engine = await trt.loadEngine(plan)
    const shapes = { x: [1, 3, 48, 192] }
    await trt.expectParity(engine, PATH, { seed: 5, shapes })
    // It is left open.
    expect(Object.keys(await engine.infer(onnx.sampleFeeds(await onnx.read(PATH), { shapes })))).toHaveLength(1)
    const { model } = await faulty(3, 2)
    const error = await failure('VERIFICATION_FAILED', () => trt.expectParity(model, PATH, { seed: 5, shapes }))
    expect(error.message).toMatch(/output ".*": \d+ of 2 elements differ/)
  })
})

describe('tensorrt-node compare', () => {
  it('prints a table and the first divergence, and exits with 1', async () => {
    const { model, node } = await faulty(20, 1.05)
    await model.write(at('faulty.onnx'))
    const args = [
      'compare',
      PATH,
      at('faulty.onnx'),
      '--layers',
      '--shapes',
      'x:1x3x48x192',
      '--rtol',
      '1e-6',
      '--atol',
      '1e-7',
    ]
    const { code, stdout } = await runCli(args)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ differs {2}.*faulty\.onnx against ch_ppocr/)
    expect(stdout).toContain(`first divergence: Conv "${node.name}"`)
    const json = documentOf(await runCli([...args, '--json']))
    expect(json).toMatchObject({ passed: false, candidates: [{ firstDivergence: { node: node.name } }] })
  })

  it('exits with 0 where all is within the tolerance, and with 2 for what it cannot read', async () => {
    const same = await runCli(['compare', PATH, PATH, '--shapes', 'x:1x3x48x192'])
    expect(same).toMatchObject({ code: 0, stdout: expect.stringMatching(/^✔ passes/) })
    expect(await runCli(['compare', PATH, PATH, '--atol', 'x'])).toMatchObject({ code: 2 })
    expect(await runCli(['compare', PATH])).toMatchObject({ code: 2 })
  })
})
