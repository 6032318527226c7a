import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { ADAPTERS } from '#dist/onnx/passes/opset/adapters.js'
import type { Tensor } from '#dist/tensor.js'
import { failure } from '../../helpers/errors.js'
import { type Attribute, type Constant, constant, float, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, ocrModel, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { modelsOf2017 } from '../helpers/node-tests.js'
import { applied, checkedByPython, expectSameOutputs, expectSameTensors } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'

/** onnx 1.22's converter leaves these with another meaning: it samples by half pixels, and takes Hardmax's axis alone. */
const WRONG_IN_PYTHON = ['Resize 10', 'Resize 10, smaller', 'Hardmax 11', 'Upsample 9, linear']

/** A model of one node: x is float32 [2,3,4,4], y whatever comes out. */
function single(
  opset: number,
  op: string,
  attributes: Record<string, Attribute> = {},
  initializers: Record<string, Constant> = {},
  outputs: readonly string[] = ['y'],
): Uint8Array {
  return makeModel({
    ir: 7,
    opset,
    inputs: { x: ['float32', [2, 3, 4, 4]] },
    outputs: Object.fromEntries(
      outputs.map((name) => [name, [name === 'i' ? 'int64' : 'float32', ['a', 'b', 'c', 'd']]]),
    ),
    initializers,
    nodes: [node(op, ['x', ...Object.keys(initializers)], outputs, attributes)],
  })
}

const ones = (...dims: number[]) => constant('float32', dims, Array(dims.reduce((a, b) => a * b, 1)).fill(0.5))
const norm = { s: ones(3), b: ones(3), m: ones(3), v: ones(3) }
const scales = (...values: number[]) => constant('float32', [4], values)

/** onnxruntime 1.30 has no RoiAlign of version 22. */
const VERSION = 21

/** Every adapter that onnxruntime can run the version before of. */
const CASES: [name: string, bytes: Uint8Array][] = [
  ['BatchNormalization 8', single(8, 'BatchNormalization', {}, norm)],
  ['BatchNormalization 9', single(9, 'BatchNormalization', { epsilon: 0.1 }, norm)],
  ['Clip 7', single(7, 'Clip', { min: -0.25, max: 0.5 })],
  ['Clip 8, one bound', single(8, 'Clip', { max: 0.5 })],
  ['Dropout 7', single(7, 'Dropout', { ratio: 0.3 })],
  ['GridSample 16', single(16, 'GridSample', { mode: 'bilinear' }, { g: ones(2, 2, 2, 2) })],
  ['GridSample 16, bicubic', single(16, 'GridSample', { mode: 'bicubic' }, { g: ones(2, 2, 2, 2) })],
  ['Pad 7', single(7, 'Pad', { pads: [0, 0, 1, 0, 0, 0, 0, 2], value: 0.75 })],
  ['Pad 9, reflect', single(9, 'Pad', { pads: [0, 0, 1, 0, 0, 0, 0, 2], mode: 'reflect' })],
  ['ReduceMean 11', single(11, 'ReduceMean', { axes: [1, -1] })],
  ['ReduceSum 11', single(11, 'ReduceSum', { axes: [2], keepdims: 1 })],
  ['ReduceMax 12, all axes', single(12, 'ReduceMax')],
  ['ReduceL2 17', single(17, 'ReduceL2', { axes: [3] })],
  ['Resize 10', single(10, 'Resize', { mode: 'linear' }, { scales: scales(1, 1, 2, 1.5) })],
  ['Resize 10, nearest', single(10, 'Resize', {}, { scales: scales(1, 1, 1.5, 2.5) })],
  ['Resize 10, smaller', single(10, 'Resize', {}, { scales: scales(1, 1, 0.75, 0.5) })],
  [
    'Resize 11, sizes',
    single(
      11,
      'Resize',
      { mode: 'cubic' },
      { roi: ones(0), scales: ones(0), sizes: constant('int64', [4], [2, 3, 7, 5]) },
    ),
  ],
  [
    'RoiAlign 15',
    single(
      15,
      'RoiAlign',
      { output_height: 2, output_width: 2 },
      { r: constant('float32', [1, 4], [0.2, 0.3, 3, 2]), n: constant('int64', [1], [1]) },
    ),
  ],
  [
    'Scatter 10',
    single(10, 'Scatter', { axis: 3 }, { i: constant('int64', [1, 1, 1, 2], [0, 2]), u: ones(1, 1, 1, 2) }),
  ],
  ['Slice 9', single(9, 'Slice', { starts: [1, 0], ends: [3, -1], axes: [1, 2] })],
  ['Slice 8, all axes', single(8, 'Slice', { starts: [0, 1], ends: [2, 3] })],
  ['Softmax 7', single(7, 'Softmax')],
  ['Softmax 11, last axis', single(11, 'Softmax', { axis: 3 })],
  ['LogSoftmax 12', single(12, 'LogSoftmax', { axis: 2 })],
  ['Hardmax 11', single(11, 'Hardmax', { axis: 0 })],
  ['Split 12', single(12, 'Split', { axis: 1, split: [1, 2] }, {}, ['y', 'z'])],
  ['Split 12, equal', single(12, 'Split', { axis: 2 }, {}, ['y', 'z'])],
  ['TopK 9', single(9, 'TopK', { k: 2, axis: 1 }, {}, ['y', 'i'])],
  ['Upsample 7', single(7, 'Upsample', { scales: float([1, 1, 2, 2]) })],
  ['Upsample 9, linear', single(9, 'Upsample', { mode: 'linear' }, { s: scales(1, 1, 2, 3) })],
  [
    'Squeeze and Unsqueeze 12',
    makeModel({
      ir: 7,
      opset: 12,
      inputs: { x: ['float32', [2, 1, 3]] },
      outputs: { y: ['float32', [2, 1, 3, 1]] },
      nodes: [node('Squeeze', ['x'], ['a'], { axes: [1] }), node('Unsqueeze', ['a'], ['y'], { axes: [1, 3] })],
    }),
  ],
]

async function outputsOf(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor[]> {
  return Object.values(await runOnOnnxruntime(bytes, feeds, { graphOptimizationLevel: 'disabled' }))
}

describe('upgrade-opset', () => {
  it('carries every op over that changed: outputs stay, and are those of Python’s converter', async (ctx) => {
    const python = onnxPython(ctx)
    const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-opset-'))
    ctx.onTestFinished(() => rm(folder, { recursive: true }))
    const models: onnx.Model[] = []
    for (const [index, [name, bytes]] of CASES.entries()) {
      const model = await onnx.read(bytes)
      await applied(model, onnx.upgradeOpset({ version: VERSION }))
      models.push(model)
      const feeds = onnx.sampleFeeds(model)
      expect(await outputsOf(model.toBytes(), feeds), name).toEqual(await outputsOf(bytes, feeds))
      await writeFile(join(folder, `${index}.onnx`), bytes)
    }
    expect(await checkedByPython(python, models)).toEqual(CASES.map(() => ''))
    const converted: boolean[] = JSON.parse(python(CONVERT, folder, String(CASES.length), String(VERSION)))
    const different: string[] = []
    for (const [index, [name, bytes]] of CASES.entries()) {
      if (!converted[index]) continue
      const feeds = onnx.sampleFeeds(models[index] as onnx.Model)
      const theirs = await outputsOf(await readFile(join(folder, `${index}.converted.onnx`)), feeds)
      if (!isDeepStrictEqual(theirs, await outputsOf(bytes, feeds))) different.push(name)
    }
    expect(different).toEqual(WRONG_IN_PYTHON)
    expect(converted.filter(Boolean).length).toBeGreaterThan(20)
  })

  it('has an adapter wherever ONNX’s schemas say that an op lost something', (ctx) => {
    const python = onnxPython(ctx)
    const lost: [op: string, version: number][] = JSON.parse(python(LOST))
    expect(lost.length).toBeGreaterThan(20)
    const missing = lost.filter(([op, version]) => !ADAPTERS[op]?.some(([since]) => since === version))
    expect(missing).toEqual([])
  })

  it('carries over what is of version 6, which onnxruntime does not run: outputs are the recorded ones', async (ctx) => {
    const python = onnxPython(ctx)
    const tests = await modelsOf2017(python)
    for (const { model, feeds, outputs } of tests) {
      await onnx.transform(model, [onnx.inferShapes(), onnx.upgradeOpset({ version: VERSION })])
      const given = await runOnOnnxruntime(model.toBytes(), feeds)
      // PyTorch computed them, in another order; 1e-3 is what onnx's own runner allows.
      expectSameTensors(outputs, given, { atol: 1e-5, rtol: 1e-3 })
    }
    expect(tests.length).toBe(112)
  })

  // What PyTorch's exporter did not write: by version 6 of onnx/docs/Changelog.md.
  it('carries over how version 6 broadcast and what it told by attributes', async (ctx) => {
    const python = onnxPython(ctx)
    const OLD: [name: string, old: Uint8Array, same: Uint8Array][] = [
      [
        'in the middle',
        single(6, 'Add', { axis: 1, broadcast: 1 }, { b: constant('float32', [3], [1, 2, 3]) }),
        single(7, 'Add', {}, { b: constant('float32', [3, 1, 1], [1, 2, 3]) }),
      ],
      [
        'at the front',
        single(6, 'Mul', { axis: 0, broadcast: 1 }, { b: constant('float32', [2, 3], [1, 2, 3, 4, 5, 6]) }),
        single(7, 'Mul', {}, { b: constant('float32', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]) }),
      ],
      [
        'at the end',
        single(6, 'Sub', { broadcast: 1 }, { b: constant('float32', [4], [1, 2, 3, 4]) }),
        single(7, 'Sub', {}, { b: constant('float32', [4], [1, 2, 3, 4]) }),
      ],
      [
        'a slope by channel',
        single(6, 'PRelu', {}, { s: constant('float32', [3], [0.1, 0.2, 0.4]) }),
        single(7, 'PRelu', {}, { s: constant('float32', [3, 1, 1], [0.1, 0.2, 0.4]) }),
      ],
      [
        'Upsample 1',
        single(6, 'Upsample', { height_scale: float(2), width_scale: float(3) }),
        single(7, 'Upsample', { scales: float([1, 1, 2, 3]) }),
      ],
      ['BatchNormalization 6', single(6, 'BatchNormalization', { is_test: 1 }, norm), CASES[0]?.[1] as Uint8Array],
      ['Dropout 6', single(6, 'Dropout', { is_test: 1 }), single(7, 'Dropout')],
      [
        'a value that is computed',
        makeModel({
          ir: 3,
          opset: 6,
          inputs: { x: ['float32', [2, 3, 4, 4]], b: ['float32', [3]] },
          outputs: { y: ['float32', [2, 3, 4, 4]] },
          nodes: [node('Neg', ['b'], ['n']), node('Div', ['x', 'n'], ['y'], { axis: 1, broadcast: 1 })],
        }),
        makeModel({
          ir: 3,
          opset: 7,
          inputs: { x: ['float32', [2, 3, 4, 4]], b: ['float32', [3]] },
          outputs: { y: ['float32', [2, 3, 4, 4]] },
          nodes: [
            node('Neg', ['b'], ['n']),
            node('Unsqueeze', ['n'], ['m'], { axes: [1, 2] }),
            node('Div', ['x', 'm'], ['y']),
          ],
        }),
      ],
    ]
    const models: onnx.Model[] = []
    for (const [name, old, same] of OLD) {
      const model = await onnx.read(old)
      await onnx.transform(model, [onnx.inferShapes(), onnx.upgradeOpset({ version: VERSION })])
      const feeds = onnx.sampleFeeds(model)
      expect(await outputsOf(model.toBytes(), feeds), name).toEqual(await outputsOf(same, feeds))
      models.push(model)
    }
    expect(await checkedByPython(python, models)).toEqual(OLD.map(() => ''))
  })

  it('refuses what cannot be carried over, by the node’s name', async () => {
    const spatial = single(8, 'BatchNormalization', { spatial: 0 }, norm)
    const training = single(6, 'Dropout')
    for (const bytes of [
      spatial,
      training,
      single(18, 'GroupNormalization', { num_groups: 3 }, { s: ones(3), b: ones(3) }),
    ]) {
      const model = await onnx.read(bytes)
      const error = await failure('UNSUPPORTED', () => onnx.transform(model, [onnx.upgradeOpset()]))
      expect(error.message).toMatch(/carry \w+ "y" over/)
    }
    const old = await onnx.read(single(5, 'Relu'))
    await failure('UNSUPPORTED', () => onnx.transform(old, [onnx.upgradeOpset()]))
  })
})

describe('upgrade-opset of real models', () => {
  it('keeps what they compute, in the branches of If too', async (ctx) => {
    const python = onnxPython(ctx)
    const upgraded: onnx.Model[] = []
    for (const [name, version] of [
      ['pp-ocrv4-cls', 22],
      ['all-minilm-l6-v2', 17],
      ['silero-vad-16k', 18],
    ] as const) {
      const path =
        name === 'pp-ocrv4-cls' ? ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx') : installed(ctx, realModel(name))
      const [before, after] = [await onnx.read(path), await onnx.read(path)]
      const report = await applied(after, onnx.upgradeOpset({ version }))
      expect(report.changes.at(-1)?.what).toMatch(/^carried over from version/)
      expect(after.opsets.get('')).toBe(version)
      await expectSameOutputs(before, after, feedsOf(realModel(name), 1))
      upgraded.push(after)
    }
    expect(await checkedByPython(python, upgraded)).toEqual(['', '', ''])
  })
})

const CONVERT = `
import json, sys, onnx, onnx.version_converter
def convert(index):
    path = f'{sys.argv[1]}/{index}.onnx'
    try:
        model = onnx.version_converter.convert_version(onnx.load(path), int(sys.argv[3]))
        onnx.save(model, path.replace('.onnx', '.converted.onnx'))
        return True
    except Exception:
        return False
print(json.dumps([convert(i) for i in range(int(sys.argv[2]))]))
`

const LOST = `
import collections, json, onnx
versions = collections.defaultdict(dict)
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == '':
        versions[schema.name][schema.since_version] = schema
lost = []
for op, schemas in versions.items():
    order = sorted(schemas)
    for before, after in zip(order, order[1:]):
        old, new = schemas[before], schemas[after]
        if 7 <= after <= 22 and (new.deprecated or set(old.attributes) - set(new.attributes)
                                 or new.min_input > old.min_input or new.max_output < old.max_output):
            lost.append([op, after])
print(json.dumps(lost))
`
