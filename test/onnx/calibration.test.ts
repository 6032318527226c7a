import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { seededRandom } from '#dist/npy/random.js'
import { writeNpyFile } from '#dist/npy/tensor-files.js'
import { Histogram } from '#dist/onnx/calibration/histogram.js'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { installed, realModel } from './helpers/models.js'
import { onnxPython, type RunPython } from './helpers/python.js'

type Method = 'max' | 'percentile' | 'entropy'
const random = seededRandom(11)
const uniform = () => random() / 2 ** 31 - 1
/** Bell-shaped with tails: what activations look like, and where the methods differ. */
const heavy = () => (uniform() + uniform() + uniform()) ** 3

const weights = (dims: readonly number[]) => {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return constant('float32', dims, Array.from({ length: count }, heavy))
}

/** x → Conv → Relu → Conv → + x: activations with and without negative values. */
const bytes = makeModel({
  inputs: { x: ['float32', ['N', 16, 12, 12]] },
  outputs: { y: ['float32', ['N', 16, 12, 12]] },
  initializers: { w1: weights([24, 16, 3, 3]), w2: weights([16, 24, 1, 1]) },
  nodes: [
    node('Conv', ['x', 'w1'], ['conv1'], { pads: [1, 1, 1, 1] }),
    node('Relu', ['conv1'], ['relu1']),
    node('Conv', ['relu1', 'w2'], ['conv2']),
    node('Add', ['conv2', 'x'], ['y']),
  ],
})

const sample = (dims: readonly number[], scale = 1) => {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return new Tensor(
    'float32',
    Float32Array.from({ length: count }, () => scale * heavy()),
    dims,
  )
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-calibration-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What onnxruntime's quantizer says, by method; skips the test where it is not installed. */
async function oracle(
  ctx: TestContext,
  python: RunPython,
  model: string,
  input: string,
  samples: readonly Tensor[],
  methods: readonly Method[],
): Promise<Record<string, Record<string, number>>> {
  try {
    python('import onnxruntime.quantization')
  } catch {
    return ctx.skip('this Python has no onnxruntime')
  }
  const paths = samples.map((_, index) => join(folder, `${input}-${index}.npy`))
  for (const [index, path] of paths.entries()) await writeNpyFile(path, samples[index] as Tensor)
  const script = 'import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name="__main__")'
  return JSON.parse(python(script, 'test/onnx/fixtures/calibration_oracle.py', methods.join(), model, input, ...paths))
}

describe("ranges are those of onnxruntime's quantizer within 1 %", () => {
  // The second sample is larger than the first, so that bins are added.
  const made = [sample([2, 16, 12, 12]), sample([2, 16, 12, 12], 1.7), sample([2, 16, 12, 12], 0.4)]
  // What entropy cuts off, on both sides.
  for (const [index, { data }] of made.entries()) {
    for (let at = 0; at < data.length; at += 997) data[at] = (at % 2 === 0 ? 40 : -30) * (1 + 0.2 * index)
  }

  it('of a small model, where the later samples are larger', async (ctx) => {
    const path = join(folder, 'small.onnx')
    await writeFile(path, bytes)
    await expectSame(ctx, path, 'x', made, ['max', 'percentile', 'entropy'], 2)
  })

  // Its entropy takes onnxruntime's quantizer half a minute.
  it('of a face detector', async (ctx) => {
    const path = installed(ctx, realModel('mtcnn-onet'))
    const faces = [sample([2, 48, 48, 3]), sample([2, 48, 48, 3], 1.2)]
    await expectSame(ctx, path, 'input_3', faces, ['max', 'percentile'], 4)
  })

  async function expectSame(
    ctx: TestContext,
    path: string,
    input: string,
    samples: readonly Tensor[],
    methods: readonly Method[],
    least: number,
  ): Promise<void> {
    const theirs = await oracle(ctx, onnxPython(ctx), path, input, samples, methods)
    const model = await onnx.read(path)
    for (const method of methods) {
      const feeds = samples.map((tensor) => ({ [input]: tensor }))
      const ranges = await onnx.calibrate(model, feeds, { method, percentile: 99.99 })
      const ratios = Object.entries(ranges).map(([name, range]) => range / (theirs[method]?.[name] as number))
      expect(ratios.length).toBeGreaterThanOrEqual(least)
      for (const ratio of ratios) expect(Math.abs(ratio - 1), method).toBeLessThanOrEqual(0.01)
    }
  }
})

describe('calibrate', () => {
  const feeds = [{ x: sample([1, 16, 12, 12]) }, { x: sample([1, 16, 12, 12]) }]

  it('cuts off more by each method, and by mse as much as makes the error least', async () => {
    const model = await onnx.read(bytes)
    const ranges = async (options: onnx.CalibrateOptions) => (await onnx.calibrate(model, feeds, options)).x as number
    const max = await ranges({ method: 'max' })
    expect(max).toBe(Math.max(...feeds.flatMap(({ x }) => [...(x.data as Float32Array)].map(Math.abs))))
    const mse = await ranges({ method: 'mse' })
    const errorOf = (range: number) =>
      feeds
        .flatMap(({ x }) => [...(x.data as Float32Array)])
        .reduce((sum, x) => {
          const scale = range / 127
          const rounded = Math.max(-range, Math.min(range, Math.round(x / scale) * scale))
          return sum + (x - rounded) ** 2
        }, 0)
    const tried = Array.from({ length: 20 }, (_, index) => errorOf((max * (index + 1)) / 20))
    expect(errorOf(mse)).toBeLessThanOrEqual(Math.min(...tried) * 1.01)
    expect(mse).toBeLessThan(max)
    expect(await ranges({ method: 'percentile', percentile: 99 })).toBeLessThan(max)
  })

  it('counts what a first sample of zeros, and a later one of a million times the size, bring', async () => {
    const model = await onnx.read(bytes)
    const dark = [0, 1e-6, 0.1].map((scale) => ({ x: sample([1, 16, 12, 12], scale) }))
    for (const method of ['percentile', 'entropy', 'mse'] as const) {
      const range = async (samples: readonly { readonly x: Tensor }[]) =>
        (await onnx.calibrate(model, samples, { method, percentile: 99 })).x as number
      const ratio = (await range([...dark, ...feeds])) / (await range([...feeds, ...dark]))
      expect(Math.abs(ratio - 1), method).toBeLessThan(0.02)
    }
  })

  it('keeps every value on its side and in its place where bins become wider', async () => {
    const histogram = new Histogram(4)
    await histogram.add(Float32Array.of(0.5, 0.5, -0.3, 0.05))
    expect([...histogram.counts]).toEqual([0, 1, 0, 0, 1, 0, 0, 2])
    await histogram.add(Float32Array.of(1))
    expect([...histogram.counts]).toEqual([...Array(6).fill(0), 1, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 1])
    await histogram.add(Float32Array.of(4, -2.5))
    expect([...histogram.counts]).toEqual([0, 1, 0, 1, 3, 1, 0, 1])
  })

  it('takes samples as they come, says how far it is, and ends when it is told to', async () => {
    const model = await onnx.read(bytes)
    const seen: number[] = []
    async function* coming() {
      yield* feeds
    }
    const ranges = await onnx.calibrate(model, coming(), {
      method: 'max',
      onProgress: ({ samples }) => seen.push(samples),
    })
    expect(seen).toEqual([1, 2])
    expect(Object.keys(ranges).sort()).toEqual(['relu1', 'x'])
    const controller = new AbortController()
    const { signal } = controller
    const onProgress = () => controller.abort()
    await failure('ABORTED', () => onnx.calibrate(model, feeds, { signal, onProgress }))
  })

  it('tells of infinite values, and of what it cannot do', async () => {
    const model = await onnx.read(bytes)
    const x = sample([1, 16, 12, 12])
    x.data[777] = Number.NaN
    for (const method of ['max', 'percentile'] as const) {
      expect((await onnx.calibrate(model, [{ x }], { method })).x).toBe(Infinity)
    }
    await failure('INVALID_ARGUMENT', () => onnx.calibrate(model, []))
    await failure('INVALID_ARGUMENT', () => onnx.calibrate(model, feeds, { minChannels: 1000 }))
    await failure('INVALID_ARGUMENT', () => onnx.calibrate(model, feeds, { method: 'best' as 'max' }))
    await failure('INVALID_INPUT', () => onnx.calibrate(model, [{ z: feeds[0]?.x as Tensor }]))
  })
})

describe('the calibration cache', () => {
  // From NVIDIA's documentation of sampleINT8.
  const text =
    'TRT-7000-EntropyCalibration2\ndata: 3c008912\nconv1: 3c88edfc\n(Unnamed Layer* 3) [Shuffle]_output: 3ddc858b\n'

  it("reads TensorRT's format, and writes what it reads back", () => {
    const ranges = onnx.parseCalibrationCache(text)
    expect(ranges.data).toBeCloseTo(0.00784518 * 127, 5)
    expect(ranges.conv1).toBeCloseTo(0.01671504 * 127, 5)
    const lines = onnx.formatCalibrationCache(ranges).split('\n')
    expect(lines.slice(1)).toEqual(text.split('\n').slice(1))
  })

  it.each([
    ['nothing', ''],
    ['no head', 'data: 3c008912\n'],
    ['a line that is none', 'TRT-7000-EntropyCalibration2\ndata 3c008912\n'],
    ['a scale that is none', 'TRT-7000-EntropyCalibration2\ndata: ffffffff\n'],
    ['a negative scale', 'TRT-7000-EntropyCalibration2\ndata: bc008912\n'],
  ])('refuses %s', async (_, content) => {
    await failure('INVALID_ARGUMENT', async () => onnx.parseCalibrationCache(content))
  })
})
