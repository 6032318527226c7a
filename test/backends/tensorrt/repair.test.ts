// Models that TensorRT-RTX's real parser or builder refuses become engines, and what it says is explained.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../cli/helpers/run-cli.ts'
import { cpuEngine, noise } from '../../helpers/engine.ts'
import { failure } from '../../helpers/errors.ts'
import { constant, makeModel, node } from '../../helpers/onnx-model.ts'
import { installed, ocrModel, realModel } from '../../onnx/helpers/models.js'
import { REFUSED_MODELS, type RefusedModel } from '../../onnx/helpers/refused-models.js'
import { needsRtx } from './rtx.ts'

needsRtx()

const target = { computeCapabilities: ['8.9'] } as const
const rtx = { backend: 'tensorrt-rtx', target } as const
const isPlan = (plan: Uint8Array): boolean => Buffer.from(plan).toString('latin1', 0, 4) === 'vtrt'

const X = ['float32', ['N']] as const
const RANGE = { min: [1], opt: [2], max: [4] } as const
const tensor = (...dims: number[]) =>
  new trt.Tensor('float32', noise(dims.reduce((product, dim) => product * dim)), dims)

const unknownOp = makeModel({
  inputs: { x: ['float32', [3, 3]] },
  outputs: { y: ['float32', []] },
  nodes: [node('Det', ['x'], ['y'], {}, { name: 'determinant' })],
})

describe('buildEngine with repair', () => {
  it('builds silero VAD, whose nested Ifs the builder ends with an assertion', async (ctx) => {
    const path = installed(ctx, realModel('silero-vad'))
    const built = await trt.buildEngine({ onnx: path, ...rtx, repair: true, shapes: { input: [1, 576] } })
    expect(isPlan(built.plan)).toBe(true)
    expect(built.repair?.outcome).toBe('repaired')
    expect(built.repair?.assumptions).toEqual([
      { kind: 'value', input: 'sr', value: 16_000 },
      { kind: 'shape', input: 'input', dims: [1, 576] },
      { kind: 'shape', input: 'state', dims: [2, 1, 128] },
    ])
    expect(built.repair?.proof).toMatchObject({ verdict: 'equal', runs: 2 })
    expect(built.inputs.map(({ name }) => name)).toEqual(['input', 'state'])
    // What was assumed is an error to feed otherwise, and never a wrong answer.
    const { model } = built.repair as trt.onnx.RepairResult
    await using engine = await cpuEngine(model.toBytes())
    const feeds = { input: tensor(1, 576), state: tensor(2, 1, 128) }
    expect(Object.keys(await engine.infer(feeds))).toEqual(['output', 'stateN'])
    const rate = new trt.Tensor('int64', BigInt64Array.of(8000n), [])
    await failure('INVALID_INPUT', () => engine.infer({ ...feeds, sr: rate }))
    await failure('INVALID_INPUT', () => engine.infer({ ...feeds, input: tensor(1, 288) }))
  })

  it('keeps what it assumed in the manifest beside the engine, and says by it why an input is refused', async () => {
    const branch = (op: string) => ({ outputs: { [`${op}_y`]: X }, nodes: [node(op, ['x'], [`${op}_y`])] })
    const inner = node('If', ['is_16k'], ['inner_y'], { then_branch: branch('Neg'), else_branch: branch('Abs') })
    const bytes = makeModel({
      inputs: { x: X, rate: ['int64', []] },
      outputs: { y: X },
      initializers: { k16: constant('int64', [], [16_000]) },
      nodes: [
        node('Equal', ['rate', 'k16'], ['is_16k']),
        node('If', ['is_16k'], ['y'], {
          then_branch: { outputs: { inner_y: X }, nodes: [inner] },
          else_branch: branch('Exp'),
        }),
      ],
    })
    await failure('BUILD_FAILED', () => trt.buildEngine({ onnx: bytes, ...rtx, shapes: { x: RANGE } }))
    const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-repair-'))
    try {
      const build = { onnx: bytes, ...rtx, repair: true, shapes: { x: RANGE } } as const
      const cached = await trt.cachedPlan({ ...build, cacheDir: join(folder, 'cache') })
      const assumptions = [{ kind: 'value', input: 'rate', value: 16_000 }] as const
      expect(cached.manifest).toMatchObject({ assumptions, profiles: [{ x: RANGE }] })

      const path = join(folder, 'x.engine')
      const built = await trt.buildEngine(build)
      await built.save(path)
      const manifest = JSON.parse(await readFile(`${path}.json`, 'utf8')) as trt.PlanManifest
      expect(manifest).toMatchObject({ assumptions, repair: { proof: { verdict: 'equal' } } })

      // Only a GPU loads the plan: an engine of the CPU backend, of the repaired model and of a fixed shape, stands in for it.
      const { model } = built.repair as trt.onnx.RepairResult
      await onnx.setShape({ shapes: { x: [2] } }).apply(model)
      const { plan } = await trt.buildEngine({ onnx: model, backend: 'onnxruntime' })
      await writeFile(path, plan)
      const more = [...assumptions, { kind: 'shape', input: 'x', dims: [2] }]
      const fitting = { ...manifest, plan: { bytes: plan.byteLength }, assumptions: more }
      await writeFile(`${path}.json`, JSON.stringify(fitting))
      await using engine = await trt.loadEngine(path)
      expect(engine.assumptions).toEqual(more)
      expect((await engine.infer({ x: tensor(2) })).y?.data).toEqual(tensor(2).data.map((value) => -value))
      // What was assumed is an error to feed otherwise, and never a wrong answer.
      const rate = new trt.Tensor('int64', BigInt64Array.of(8000n), [])
      const value = await failure('INVALID_INPUT', () => engine.infer({ x: tensor(2), rate }))
      expect(value.message).toContain('there is no input "rate": repair made it the constant 16000')
      const shape = await failure('INVALID_INPUT', () => engine.infer({ x: tensor(3) }))
      expect(shape.message).toContain('received [3]; repair fixed its shape')

      // Another plan in its place takes nothing for granted.
      await writeFile(`${path}.json`, JSON.stringify(manifest))
      await using other = await trt.loadEngine(path)
      expect(other.assumptions).toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('says by how much a rewrite is near that is not the same', async () => {
    const { bytes } = REFUSED_MODELS.find(({ name }) => name === 'DynamicQuantizeLSTM') as RefusedModel
    const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-repair-'))
    try {
      const path = join(folder, 'lstm.onnx')
      await writeFile(path, bytes)
      const { code, stdout } = await runCli([
        'surgeon',
        'repair',
        path,
        '--target',
        '8.9',
        '-o',
        join(folder, 'out.onnx'),
      ])
      expect(code).toBe(0)
      expect(stdout).toMatch(
        /outputs: near the original's in 2 runs on onnxruntime, and not the same: y by 0\.\d+ of \d/,
      )
      expect(stdout).not.toContain('to the last bit')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('leaves a model untouched that builds, and proposes shapes for it', async () => {
    const onnx = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
    const built = await trt.buildEngine({ onnx, ...rtx, repair: true })
    expect(built.repair).toMatchObject({ outcome: 'untouched', steps: [], assumptions: [] })
    expect(built.profiles[0]?.x?.opt).toEqual([1, 3, 320, 320])
  })

  it('refuses shapes that do not fit the model, rather than to look for a repair', async () => {
    const onnx = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
    await failure('INVALID_SHAPES', () => trt.buildEngine({ onnx, ...rtx, repair: true, shapes: { y: [1] } }))
    await failure('INVALID_SHAPES', () => trt.buildEngine({ onnx, ...rtx, repair: true, shapes: { x: [1, 4, 8, 8] } }))
  })

  it('says what was tried, what TensorRT says, and what a person could do, where nothing helps', async () => {
    const error = await failure('UNSUPPORTED_OP', () => trt.buildEngine({ onnx: unknownOp, ...rtx, repair: true }))
    expect(error.message).toContain('node "determinant" (Det)')
    expect(error.message).toContain('repair tried')
    expect(error.hint).toContain('replace-subgraph')
  })
})

describe('without repair', () => {
  it("a refusal keeps TensorRT's own words, and says what they are likely to mean", async () => {
    const error = await failure('UNSUPPORTED_OP', () => trt.buildEngine({ onnx: unknownOp, ...rtx }))
    expect(error.message).toContain('node "determinant" (Det): ')
    expect(error.message).toMatch(/\nlikely: TensorRT has no layer for the op/)
    expect(error.hint).toContain('repair: true')
  })
})

describe('repair', () => {
  it('gives a model that builds without it', async () => {
    const bytes = makeModel({
      opset: 18,
      inputs: { x: ['float32', [2, 3, 4]] },
      outputs: { y: ['float32', [1, 1, 1]] },
      nodes: [
        node('Shape', ['x'], ['shape']),
        node('Size', ['shape'], ['rank']),
        node('Sub', ['rank', 'rank'], ['zero']),
        node('Div', ['rank', 'rank'], ['one']),
        node('Range', ['zero', 'rank', 'one'], ['axes']),
        node('ReduceSum', ['x', 'axes'], ['y']),
      ],
    })
    await failure('UNSUPPORTED_OP', () => trt.buildEngine({ onnx: bytes, ...rtx }))
    const repaired = await trt.repair(bytes, { target, isolation: 'thread' })
    expect(repaired).toMatchObject({ outcome: 'repaired', proof: { verdict: 'equal' }, notAsked: undefined })
    expect(repaired.askedOf).toMatch(/^tensorrt-rtx 1\./)
    expect(isPlan((await trt.buildEngine({ onnx: repaired.model, ...rtx })).plan)).toBe(true)
  })

  it('says that TensorRT was not asked where it is not', async () => {
    const { outcome, notAsked } = await trt.repair(await onnx.read(unknownOp), { backend: 'tensorrt' })
    expect(outcome).toBe('not-asked')
    expect(notAsked).toBeTruthy()
  })
})
