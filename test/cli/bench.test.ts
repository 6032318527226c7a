import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.js'
import { documentOf, runCli } from './helpers/run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'trt-bench-'))
const model = join(folder, 'double.onnx')
const engine = join(folder, 'double.engine')
const FAST = ['--duration', '0.05', '--warm-up', '0', '--backend', 'onnxruntime']

beforeAll(async () => {
  writeFileSync(
    model,
    makeModel({
      inputs: { x: ['float32', ['N', 3]] },
      outputs: { y: ['float32', ['N', 3]] },
      nodes: [node('Add', ['x', 'x'], ['y'])],
    }),
  )
  const build = ['build', model, '-o', engine, '--backend', 'onnxruntime', '--shapes', 'x:1x3..2x3..4x3']
  expect(await runCli(build)).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(folder, { recursive: true }))

test('gives throughput and latencies, for people and for programs', async () => {
  const { code, stdout } = await runCli(['bench', engine, ...FAST, '--concurrency', '2', '--contexts', '2'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^✔ double\.engine {2}on onnxruntime \d/)
  expect(stdout).toMatch(/^ {2}throughput {2}[\d.]+ inferences\/s, [\d.]+ samples\/s/m)
  expect(stdout).toMatch(/^ {2}ms +min +mean +median +p90 +p95 +p99 +max$/m)
  expect(stdout).toMatch(/^ {2}inputs +x float32 2x3$/m)
  const json = documentOf(await runCli(['bench', engine, ...FAST, '--batch', '4', '-n', '20', '--json']))
  expect(json).toMatchObject({
    inputs: [{ name: 'x', type: 'float32', dims: [4, 3] }],
    concurrency: 1,
    engines: [
      {
        name: 'double.engine',
        backend: 'onnxruntime',
        latency: { p99: expect.any(Number) },
        warnings: expect.any(Array),
      },
    ],
  })
  const [{ inferences, throughput, samplesPerSecond, latencies }] = json.engines as [Record<string, number>]
  expect(inferences).toBeGreaterThanOrEqual(20)
  expect(samplesPerSecond).toBeCloseTo(4 * (throughput as number))
  expect(latencies).toBeUndefined()
})

test('compares an engine, a model and a backend, and writes the page', async () => {
  const html = join(folder, 'bench.html')
  const run = await runCli([
    'bench',
    model,
    '--shapes',
    'x:2x3',
    ...FAST,
    '--compare',
    engine,
    '--compare',
    'onnxruntime',
    '--html',
    html,
    '--json',
  ])
  expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining(`wrote ${html}`) })
  const { engines } = documentOf(run) as { engines: Record<string, unknown>[] }
  expect(engines.map(({ name }) => name)).toEqual([
    'double.onnx, onnxruntime',
    'double.engine',
    'double.onnx, onnxruntime (2)',
  ])
  expect(engines[2]).toMatchObject({ backend: 'onnxruntime', ratio: { throughput: expect.any(Number) } })
  expect(readFileSync(html, 'utf8')).toContain('double.engine')
})

test.each([
  ['a backend to compare an engine with', [engine, '--compare', 'onnxruntime'], 2, 'needs a model'],
  ['no shape for a model', [model], 1, '--shapes'],
  ['a batch outside the profile', [engine, '--batch', '9'], 1, 'error[SHAPE_OUT_OF_PROFILE]'],
  ['a duration that is none', [engine, '--duration', 'long'], 2, 'Expected a number of seconds'],
  ['a file that is not there', [join(folder, 'no.engine')], 1, 'error[FILE_NOT_FOUND]'],
])('says what is wrong: %s', async (_what, args, code, message) => {
  expect(await runCli(['bench', ...args, ...FAST.slice(2)])).toMatchObject({
    code,
    stderr: expect.stringContaining(message),
  })
})
