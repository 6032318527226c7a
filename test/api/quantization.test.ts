// `int8` and `fp8` of buildEngine, on the CPU backend: where ranges come from, and what the engine then says.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { afterAll, describe, expect, it } from 'vitest'
import { writeNpyFile } from '#dist/npy/tensor-files.js'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'

const folder = mkdtempSync(join(tmpdir(), 'trt-quantization-'))
afterAll(() => rmSync(folder, { recursive: true }))

const wave = (count: number, scale: number) => Array.from({ length: count }, (_, i) => scale * Math.sin(i))
const model = makeModel({
  inputs: { x: ['float32', [2, 32]] },
  outputs: { y: ['float32', [2, 32]] },
  initializers: { w: constant('float32', [32, 32], wave(1024, 0.3)) },
  nodes: [node('MatMul', ['x', 'w'], ['y'])],
})
const sample = (scale: number) => ({ x: new trt.Tensor('float32', Float32Array.from(wave(64, scale)), [2, 32]) })
const feeds = sample(1)

function build(options: Partial<trt.BuildOptions>): Promise<trt.BuildResult> {
  return trt.buildEngine({ onnx: model, backend: 'onnxruntime', ...options })
}

/** The signal-to-noise ratio of an engine against the float32 one, in dB. */
async function snrOf(built: trt.BuildResult): Promise<number> {
  const { candidates } = await trt.compare({
    model,
    candidates: { built: await trt.loadEngine(built.plan) },
    inputs: { feeds },
    tolerance: { atol: Infinity },
  })
  return candidates[0]?.outputs[0]?.snr as number
}

describe('calibration', () => {
  it('by samples, as they come', async () => {
    const phases: string[] = []
    const built = await build({
      int8: { calibration: [sample(0.5), sample(1)], method: 'max' },
      onProgress: ({ phase, step }) => phases.push(`${phase} ${step}`),
    })
    expect(built.precision).toBe('int8+fp32')
    expect(built.warnings).toEqual([expect.stringMatching(/converted to int8: 1 nodes quantised/)])
    expect(phases).toEqual(expect.arrayContaining(['calibrating 1', 'calibrating 2']))
    const snr = await snrOf(built)
    expect(snr).toBeGreaterThan(28)
    expect(snr).toBeLessThan(60)
  })

  it('by percentile for int8 and by the greatest magnitude for fp8, where no method is named', async () => {
    const rangeOf = async (type: 'int8' | 'fp8') => {
      const cache = join(folder, `${type}.cache`)
      await build({ [type]: { calibration: [feeds], percentile: 60, cache } })
      return trt.onnx.parseCalibrationCache(readFileSync(cache, 'utf8')).x
    }
    expect(await rangeOf('int8')).toBeLessThan(0.9)
    expect(await rangeOf('fp8')).toBeCloseTo(Math.max(...wave(64, 1).map(Math.abs)), 5)
  })

  it('by ranges: half of what is there cuts values off', async () => {
    const good = await snrOf(await build({ int8: { calibration: { x: 1 } } }))
    const cut = await snrOf(await build({ int8: { calibration: { x: 0.5 } } }))
    expect(good - cut).toBeGreaterThan(15)
  })

  it('in fp8', async () => {
    const built = await build({ fp8: { calibration: [feeds] } })
    expect(built.precision).toBe('fp8+fp32')
    const snr = await snrOf(built)
    // The wave and its weights cancel out for the most part, which leaves less than the 26 dB of 4 bits.
    expect(snr).toBeGreaterThan(12)
    expect(snr).toBeLessThan(40)
  })

  it('by a folder, and by a cache that is written, read, and not made again', async () => {
    const samples = join(folder, 'samples')
    mkdirSync(join(samples, 'b'), { recursive: true })
    await writeNpyFile(join(samples, 'a.npy'), sample(0.5).x)
    await writeNpyFile(join(samples, 'b', 'x.npy'), sample(1).x)
    writeFileSync(join(samples, 'notes.txt'), 'is no sample')
    const cache = join(folder, 'ranges.cache')
    const first = await build({ int8: { calibration: samples, method: 'max', cache } })
    const written = trt.onnx.parseCalibrationCache(readFileSync(cache, 'utf8'))
    expect(written.x).toBeCloseTo(Math.max(...wave(64, 1).map(Math.abs)), 5)
    rmSync(samples, { recursive: true })
    const again = await build({ int8: { calibration: samples, method: 'max', cache } })
    expect(await snrOf(again)).toBeCloseTo(await snrOf(first), 1)
    // A cache is a calibration by itself, as TensorRT's are.
    expect(await snrOf(await build({ int8: { calibration: cache } }))).toBeCloseTo(await snrOf(first), 1)
  })

  it('leaves a quantised model as it is, and says so', async () => {
    const quantized = await trt.onnx.read(model)
    await trt.onnx.transform(quantized, [trt.onnx.quantize({ ranges: { x: 1 } })])
    const built = await build({ onnx: quantized, int8: { calibration: [feeds] } })
    expect(built.warnings).toEqual([expect.stringMatching(/^int8: left alone: the model carries 3 nodes/)])
  })
})

it.each<[string, trt.TrtErrorCode, () => Partial<trt.BuildOptions>, RegExp]>([
  ['both types', 'INVALID_ARGUMENT', () => ({ int8: { calibration: {} }, fp8: { calibration: {} } }), /int8 or fp8/],
  ['no calibration', 'INVALID_ARGUMENT', () => ({ int8: {} as never }), /expected calibration in int8/],
  ['no samples', 'INVALID_ARGUMENT', () => ({ int8: { calibration: [] } }), /one sample or more/],
  ['no ranges that fit', 'INVALID_ARGUMENT', () => ({ int8: { calibration: { z: 1 } } }), /has a range/],
  ['entropy for fp8', 'INVALID_ARGUMENT', () => ({ fp8: { calibration: [], method: 'entropy' as 'max' } }), /"max"/],
  ['a missing folder', 'FILE_NOT_FOUND', () => ({ int8: { calibration: join(folder, 'nowhere') } }), /nowhere/],
  ['an empty folder', 'INVALID_ARGUMENT', () => ({ int8: { calibration: emptyFolder() } }), /has no samples/],
  ['a sample of another shape', 'INFERENCE_FAILED', () => ({ int8: { calibration: [wrong()] } }), /onnxruntime/],
])('refuses %s', async (_, code, options, message) => {
  const cache = join(folder, 'refused.cache')
  const { int8, ...rest } = options()
  const error = await failure(code, () => build({ ...rest, ...(int8 && { int8: { ...int8, cache } }) }))
  expect(error.message).toMatch(message)
  expect(existsSync(cache)).toBe(false)
})

function emptyFolder(): string {
  const path = join(folder, 'empty')
  mkdirSync(path, { recursive: true })
  return path
}

function wrong() {
  return { x: new trt.Tensor('float32', new Float32Array(3), [1, 3]) }
}
