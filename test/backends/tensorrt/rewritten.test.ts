// TensorRT-RTX's real builder takes what passes make of models, also of those that it refuses as they are.
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { failure } from '../../helpers/errors.ts'
import { constant, makeModel, node } from '../../helpers/onnx-model.ts'
import { installed, realModel } from '../../onnx/helpers/models.js'
import { needsRtx } from './rtx.ts'

needsRtx()

type Shapes = { readonly [input: string]: readonly number[] }

async function build(model: onnx.Model, shapes?: Shapes): Promise<Buffer> {
  const target = { computeCapabilities: ['8.9'] } as const
  const built = await trt.buildEngine({ onnx: model, backend: 'tensorrt-rtx', target, ...(shapes && { shapes }) })
  return Buffer.from(built.plan)
}

const isPlan = (plan: Buffer): boolean => plan.toString('latin1', 0, 4) === 'vtrt'

const CASES: readonly (readonly [what: string, model: string, steps: () => onnx.Transform[], shapes: Shapes])[] = [
  ['simplified', 'pp-ocrv4-cls', () => [onnx.simplify()], { x: [1, 3, 48, 192] }],
  ['with its batch set', 'pp-ocrv4-cls', () => [onnx.setBatch({ batch: 4 })], { x: [4, 3, 48, 192] }],
  ['with a symbolic batch', 'magika', () => [onnx.setBatch({ batch: 'N' })], { bytes: [3, 2048] }],
  [
    'cut in the middle',
    'pp-ocrv4-cls',
    () => [onnx.inferShapes(), onnx.extract({ outputs: ['conv2d_68.tmp_0'] })],
    { x: [1, 3, 48, 192] },
  ],
  [
    'with its LayerNormalizations fused',
    'all-minilm-l6-v2',
    () => [onnx.fuseLayerNorm(), onnx.fuseGelu()],
    { input_ids: [8, 8], attention_mask: [8, 8], token_type_ids: [8, 8] },
  ],
  [
    'with its attention masks fused, in float16',
    'all-minilm-l6-v2',
    () => [onnx.inferShapes(), onnx.fuseAttentionMask(), onnx.convertPrecision()],
    { input_ids: [8, 8], attention_mask: [8, 8], token_type_ids: [8, 8] },
  ],
]

describe.each(CASES)('a model %s: %s', (_, name, steps, shapes) => {
  it('builds', async (ctx) => {
    const model = await onnx.read(installed(ctx, realModel(name)))
    const reports = await onnx.transform(model, steps())
    expect(reports.every(({ changes }) => changes.length > 0)).toBe(true)
    expect(isPlan(await build(model, shapes))).toBe(true)
  })
})

describe('a model that TensorRT-RTX refuses as it is builds', () => {
  it('once its nested Ifs are gone: silero-vad', async (ctx) => {
    const path = installed(ctx, realModel('silero-vad'))
    const shapes = { input: [1, 576], state: [2, 1, 128] }
    await failure('BUILD_FAILED', async () => build(await onnx.read(path), shapes))
    const model = await onnx.read(path)
    const steps = [
      onnx.fixInput({ values: { sr: 16_000 } }),
      onnx.setShape({ shapes }),
      onnx.removeIf(),
      onnx.simplify(),
    ]
    await onnx.transform(model, steps)
    expect(isPlan(await build(model))).toBe(true)
  })

  it('once its slope of PRelu has the shape that is meant', async () => {
    const bytes = makeModel({
      inputs: { x: ['float32', [2, 3, 4, 5]] },
      outputs: { y: ['float32', [2, 3, 4, 5]] },
      initializers: { s: constant('float32', [3], [0.1, 0.2, 0.4]) },
      nodes: [node('PRelu', ['x', 's'], ['y'])],
    })
    await failure('INVALID_MODEL', async () => build(await onnx.read(bytes)))
    const model = await onnx.read(bytes)
    await onnx.transform(model, [onnx.fixPreluSlope()])
    expect(isPlan(await build(model))).toBe(true)
  })
})
