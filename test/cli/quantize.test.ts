import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeNpyFile } from '#dist/npy/tensor-files.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { documentOf, runCli } from './helpers/run-cli.js'

const folder = mkdtempSync(join(tmpdir(), 'trt-quantize-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

const wave = (count: number, scale: number) => Array.from({ length: count }, (_, i) => scale * Math.sin(i))

beforeAll(async () => {
  const model = makeModel({
    inputs: { x: ['float32', [2, 32]] },
    outputs: { y: ['float32', [2, 32]] },
    initializers: { w: constant('float32', [32, 32], wave(1024, 0.3)) },
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
  })
  writeFileSync(at('model.onnx'), model)
  mkdirSync(at('samples'))
  for (const [index, scale] of [0.5, 1].entries()) {
    const x = new Tensor('float32', Float32Array.from(wave(64, scale)), [2, 32])
    await writeNpyFile(at(`samples/${index}.npy`), x)
  }
})

test('calibrates, quantises, and says what it costs', async () => {
  const args = ['quantize', at('model.onnx'), '-o', at('int8.onnx'), '--calibration', at('samples'), '--method', 'max']
  const { code, stdout } = await runCli([...args, '--cache', at('ranges.cache')])
  expect(code).toBe(0)
  expect(stdout).toMatch(/quantize {2}\d+ changes\n/)
  expect(stdout).toMatch(/✔ .*int8\.onnx {2}calibrated by 2 samples\n.*SNR dB.*\n {2}y +[2345]\d\.\d +0\.999/)
  expect(readFileSync(at('ranges.cache'), 'utf8')).toMatch(/^\S+\nx: [0-9a-f]{8}\n$/)
  const model = await onnx.read(at('int8.onnx'))
  expect(model.graph.find({ opType: 'DequantizeLinear' })).toHaveLength(2)
})

test('takes a calibration cache, and gives its report as JSON', async () => {
  writeFileSync(at('trt.cache'), 'TRT-10000-EntropyCalibration2\nx: 3c010204\n')
  const args = ['quantize', at('model.onnx'), '-o', at('fp8.onnx'), '--to', 'fp8', '--calibration', at('trt.cache')]
  const run = await runCli([...args, '--power-of-two', '--json'])
  expect(run.code).toBe(0)
  expect(documentOf(run)).toMatchObject({ samples: 0, accuracy: null })
  const model = await onnx.read(at('fp8.onnx'))
  expect(model.graph.value('x_quantized')?.type).toBe('float8e4m3fn')
})

test.each([
  [[], 2, /expected --calibration/],
  [['--calibration', 'nowhere'], 1, /nowhere/],
  [['--calibration', '.', '--percentile', '101'], 2, /percentage/],
  [['--calibration', '.', '--keep-op', 'MatMul'], 1, /nothing in the model/],
])('%j is refused, and nothing written', async (args, exitCode, message) => {
  const { code, stderr } = await runCli(['quantize', at('model.onnx'), '-o', at('refused.onnx'), ...args])
  expect({ code, written: existsSync(at('refused.onnx')) }).toEqual({ code: exitCode, written: false })
  expect(stderr).toMatch(message)
})
