import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { detectionAgreement, indexAgreement } from '#dist/parity/agreement.js'
import { documentOf, runCli } from '../cli/helpers/run-cli.js'
import { failure } from '../helpers/errors.js'
import { feedsOf, installed, realModel } from '../onnx/helpers/models.js'
import { onnxPython } from '../onnx/helpers/python.js'

const floats = (dims: readonly number[], values: readonly number[]) =>
  new trt.Tensor('float32', Float32Array.from(values), dims)

describe('indices', () => {
  it('agree as far as numpy says, ties and NaN included', (ctx) => {
    const python = onnxPython(ctx)
    const { a, b, shares } = JSON.parse(
      python(`
import numpy as np, json
rng = np.random.default_rng(3)
a = rng.integers(0, 20, (40, 30)).astype(np.float32)
b = a + rng.integers(-2, 3, a.shape)
a[3, 4] = b[3, 9] = np.nan
top = lambda x, k: np.argsort(-x, axis=-1, kind="stable")[:, :k]
share = lambda k: float(np.mean([len(set(p) & set(q)) / k for p, q in zip(top(a, k), top(b, k))]))
fix = lambda x: [None if np.isnan(v) else float(v) for v in x.ravel()]
print(json.dumps(dict(a=fix(a), b=fix(b), shares=[share(k) for k in (1, 3, 30)])))
`),
    ) as { a: (number | null)[]; b: (number | null)[]; shares: number[] }
    const [left, right] = [a, b].map((list) =>
      floats(
        [40, 30],
        list.map((value) => value ?? Number.NaN),
      ),
    ) as [trt.Tensor, trt.Tensor]
    for (const [index, top] of [1, 3, 30].entries())
      expect(indexAgreement(left, right, { top }).share).toBeCloseTo(shares[index] as number, 9)
    expect(shares[0]).toBeLessThan(1)
    expect(indexAgreement(left, left, { top: 3 })).toMatchObject({ share: 1, count: 120, first: undefined })
  })

  it('of integers are the integers themselves; other shapes agree in nothing', async () => {
    const longs = (...values: bigint[]) => new trt.Tensor('int64', BigInt64Array.from(values), [1, 3])
    const agreement = indexAgreement(longs(5n, 2n, 9n), longs(2n, 5n, 8n), { top: 2 })
    expect(agreement).toMatchObject({ share: 1, count: 2 })
    expect(indexAgreement(longs(5n, 2n, 9n), longs(2n, 5n, 8n), { top: 3 }).first).toBe(
      'row 0: expected 5, 2, 9, received 2, 5, 8',
    )
    expect(indexAgreement(floats([1, 4], [1, 2, 3, 4]), floats([4], [1, 2, 3, 4]), {}).share).toBe(0)
    for (const options of [{ top: 0 }, { top: 4 }, { top: 1.5 }, { agreement: 2 }])
      await failure('INVALID_ARGUMENT', async () => indexAgreement(longs(1n, 2n, 3n), longs(1n, 2n, 3n), options))
  })
})

describe('detections', () => {
  /** Boxes as [left, top, right, bottom, score, class]. */
  const boxes = (...rows: number[][]) => ({ boxes: floats([1, rows.length, 6], rows.flat()) })
  const agreementOf = (wanted: number[][], given: number[][], tolerance: trt.DetectionTolerance = {}) =>
    detectionAgreement('boxes', boxes(...wanted), boxes(...given), tolerance)

  const [A, B] = [
    [0, 0, 10, 10, 0.9, 1],
    [20, 20, 40, 40, 0.8, 2],
  ]

  it('are found in any order, a little moved, and among others that do not count', () => {
    const moved = [20, 20, 40.5, 40, 0.78, 2] // intersection over union: 400 / 410
    expect(agreementOf([A, B], [moved, A, [1, 1, 2, 2, 0.1, 1]])).toMatchObject({ share: 1, count: 4 })
    expect(agreementOf([A, B], [moved, A], { iou: 0.98 })).toMatchObject({ share: 0.5, count: 4 })
    expect(agreementOf([B, A], [[20, 20, 40, 40, 0.7, 2], A], { iou: 1 }).first).toBe(
      'image 0: [20, 20, 40, 40] of class 2, score 0.8, is only in the reference',
    )
    // Just below the least score on one side is no difference.
    expect(agreementOf([[...A.slice(0, 4), 0.26, 1]], [[...A.slice(0, 4), 0.24, 1]])).toMatchObject({
      share: 1,
      count: 1,
    })
  })

  it('are missed where one is missing, twice there, or of another class', () => {
    expect(agreementOf([A, B], [A])).toMatchObject({ share: 2 / 3, count: 3 })
    expect(agreementOf([A], [A, A])).toMatchObject({ share: 2 / 3 })
    expect(agreementOf([A], [[...A.slice(0, 5), 3]])).toMatchObject({ share: 0 })
    expect(agreementOf([], [])).toMatchObject({ share: 1, count: 0 })
  })

  it('may have scores and labels in tensors of their own, corners or centres, and several images', async () => {
    const corners = floats([2, 1, 4], [0, 0, 10, 10, 5, 5, 7, 9])
    const centers = floats([2, 1, 4], [5, 5, 10, 10, 6, 7, 2, 4])
    const scores = floats([2, 1, 3], [0.1, 0.7, 0.2, 0.9, 0, 0])
    const tolerance = { scores: 'scores' } as const
    expect(
      detectionAgreement('boxes', { boxes: corners, scores }, { boxes: corners, scores }, tolerance),
    ).toMatchObject({ share: 1, count: 4 })
    // The class is that of the greatest score, where no tensor says it.
    const other = floats([2, 1, 3], [0.7, 0.1, 0.2, 0.9, 0, 0])
    expect(
      detectionAgreement('boxes', { boxes: corners, scores }, { boxes: corners, scores: other }, tolerance).share,
    ).toBe(0.5)
    const asCenters = { ...tolerance, format: 'center' } as const
    expect(detectionAgreement('boxes', { boxes: centers, scores }, { boxes: centers, scores }, asCenters).share).toBe(1)
    expect(detectionAgreement('boxes', { boxes: centers }, { boxes: corners }, {}).share).toBe(0)
    for (const [side, options] of [
      [{ boxes: corners }, { scores: 'scores' }],
      [{ boxes: corners, scores: floats([3], [1, 1, 1]) }, { scores: 'scores' }],
      [{ boxes: corners }, { scores: 4 }],
      [{ boxes: floats([4], [0, 0, 1, 1]) }, {}],
    ] as const) {
      await failure('INVALID_ARGUMENT', async () => detectionAgreement('boxes', side, side, options))
    }
  })
})

describe('on trained models', () => {
  it('a classifier in float16 says the same, where its numbers do not, and a faulty one does not', async (ctx) => {
    const model = realModel('pp-ocrv4-rec')
    const path = installed(ctx, model)
    const feeds = feedsOf(model, 1)
    const half = await onnx.read(path)
    await onnx.transform(half, [onnx.convertPrecision({ emulate: true })])
    const faulty = await onnx.read(path)
    const [name] = faulty.graph.outputs.map((output) => output.name) as [string]
    const last = faulty.graph.find({ opType: 'MatMul' }).at(-1) as onnx.Node
    const weight = (last.inputs[1] as onnx.Value).producer?.get('value', 'tensor') as onnx.ModelTensor
    const { dims, data } = weight.toTensor() as trt.Tensor<'float32'>
    faulty.graph.setInitializer(last.inputs[1] as onnx.Value, { type: 'float32', dims, data: data.toReversed() })
    const tolerance = { values: { [name]: { indices: { top: 1 } } } }
    const candidates = { half, faulty }
    const report = await trt.compare({ model: path, candidates, inputs: { feeds }, tolerance })
    expect(report.candidates.map(({ passed }) => passed)).toEqual([true, false])
    expect(report.candidates[0]?.outputs[0]).toMatchObject({ agreement: { share: 1, kind: 'indices' } })
    expect(report.candidates[0]?.outputs[0]?.outside).toBeGreaterThan(0)
  })

  it('a detector in float16 finds the same boxes, and one with a faulty head does not', async (ctx) => {
    const pnet = realModel('mtcnn-pnet')
    const path = installed(ctx, pnet)
    const feeds = feedsOf(pnet, 1)
    const half = await detector(path)
    await onnx.transform(half, [onnx.convertPrecision({ emulate: true })])
    const faulty = await detector(path, 20)
    const detections = { scores: 'scores', minScore: 0.01, score: 0.005 }
    const { candidates } = await trt.compare({
      model: await detector(path),
      candidates: { half, faulty },
      inputs: { feeds },
      tolerance: { rtol: 1e-6, values: { boxes: { detections } } },
    })
    const [same, other] = candidates.map(({ outputs }) => outputs.find(({ name }) => name === 'boxes'))
    expect(same).toMatchObject({ passed: true, agreement: { kind: 'detections', share: 1, first: undefined } })
    expect(same?.agreement?.count).toBeGreaterThan(20)
    expect(same?.outside).toBeGreaterThan(0)
    expect(other).toMatchObject({
      passed: false,
      agreement: { first: expect.stringMatching(/^image 0: .* is only in/) },
    })
  })
})

/**
 * MTCNN's first network with what its users do behind it: its four numbers for each place, in units of the 12 pixels that it
 * looks at, as corners in the picture, and the score of "face".
 */
async function detector(path: string, unit = 12): Promise<onnx.Model> {
  const model = await onnx.read(path)
  const { graph } = model
  const [rows, columns] = [7, 11]
  const corners = Array.from({ length: rows * columns }, (_, at) => {
    const [x, y] = [2 * (at % columns), 2 * Math.floor(at / columns)]
    return [x, y, x + 12, y + 12]
  })
  const node = (opType: string, inputs: onnx.Value[], name: string) =>
    graph.addNode({ opType, inputs, outputs: [name] }).outputs[0] as onnx.Value
  const floatsOf = (dims: number[], values: number[]) =>
    graph.addInitializer({ type: 'float32', dims, data: Float32Array.from(values) })
  const longs = (...values: number[]) =>
    graph.addInitializer({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) })
  const [moves, scores] = ['conv2d_4', 'softmax'].map((name) => graph.value(name)) as [onnx.Value, onnx.Value]
  const pixels = node('Mul', [moves, floatsOf([], [unit])], 'pixels')
  const places = node('Add', [pixels, floatsOf([1, rows, columns, 4], corners.flat())], 'places')
  const boxes = node('Reshape', [places, longs(1, -1, 4)], 'boxes')
  const ends = [longs(1), longs(2), longs(3)]
  const faces = node('Reshape', [node('Slice', [scores, ...ends], 'faces'), longs(1, -1)], 'scores')
  for (const value of [moves, scores]) graph.removeOutput(value)
  for (const value of [boxes, faces]) {
    value.setType('float32', [1, rows * columns, ...(value === boxes ? [4] : [])])
    graph.addOutput(value)
  }
  return model
}

describe('tensorrt-node compare --indices and --detections', () => {
  it('judges by them, and says how far they agree', async (ctx) => {
    const model = realModel('mtcnn-pnet')
    const path = installed(ctx, model)
    const args = ['compare', path, path, '--shapes', 'input_1:1x24x32x3']
    const { code, stdout } = await runCli([
      ...args,
      '--indices',
      'softmax=1',
      '--detections',
      'conv2d_4=iou:0.5,scores:2',
    ])
    expect([code, stdout]).toEqual([0, expect.stringContaining('softmax: 100 % of 77 indices agree (asked: 100 %)')])
    expect(stdout).toMatch(/conv2d_4: 100 % of \d+ boxes agree/)
    const json = documentOf(await runCli([...args, '--indices', 'softmax=2:0.9', '--json']))
    expect(json).toMatchObject({ candidates: [{ outputs: [{}, { agreement: { share: 1, least: 0.9, count: 154 } }] }] })
  })

  it.each([
    [['--indices', 'none=1'], 'begins with no output'],
    [['--indices', 'softmax=x'], 'expected OUTPUT=TOP'],
    [['--detections', 'conv2d_4=iuo:1'], 'cannot read "iuo:1"'],
  ])('refuses %j', async (flags, message) => {
    const path = realModel('mtcnn-pnet').path
    const { code, stderr } = await runCli(['compare', path, path, '--shapes', 'input_1:1x24x32x3', ...flags])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })
})
