// Passes that make TensorRT take a model: what they leave computes the same on onnxruntime, to the last bit where they say so.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { constant, makeModel, node } from '../../helpers/onnx-model.js'
import { feedsOf, installed, QUANTISED_MODEL, realModel, runOnOnnxruntime } from '../helpers/models.js'
import { expectKeepsMeaning, type Motif, motifGraph, valueNames } from '../helpers/motif-graph.js'
import { nodeTests } from '../helpers/node-tests.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { REFUSED_MODELS } from '../helpers/refused-models.js'

const EXACT = { atol: 0, rtol: 0 }
const lowerings = () => [onnx.lowerDynamicQuantization(), onnx.lowerAsymmetricQuantization()]

describe('small models that TensorRT refuses', () => {
  it.each(REFUSED_MODELS)('compute the same afterwards: $name', async ({ bytes, steps, feeds, tolerance = EXACT }) => {
    const model = await onnx.read(bytes)
    for (const step of steps()) expect((await applied(model, step)).changes).not.toEqual([])
    await expectSameOutputs(bytes, model, feeds, tolerance)
  })

  it('are sound ones for Python afterwards', async (ctx) => {
    const python = onnxPython(ctx)
    const models = await Promise.all(
      REFUSED_MODELS.map(async ({ bytes, steps }) => {
        const model = await onnx.read(bytes)
        await onnx.transform(model, steps())
        return model
      }),
    )
    expect(await checkedByPython(python, models)).toEqual(models.map(() => ''))
  })
})

describe('lower-dynamic-quantization and lower-asymmetric-quantization', () => {
  it('give what ONNX’s own tests expect', async (ctx) => {
    const python = onnxPython(ctx)
    const tests = nodeTests(python, /^(dynamicquantizelinear|matmulinteger|convinteger|basic_convinteger)/)
    expect(tests).toHaveLength(6)
    for (const { name, bytes, feeds, outputs } of tests) {
      const model = await onnx.read(bytes)
      expect((await applied(model, onnx.lowerDynamicQuantization())).changes, name).toHaveLength(1)
      const given = Object.values(await runOnOnnxruntime(model.toBytes(), feeds))
      for (const [index, wanted] of outputs.entries()) {
        const difference = onnx.compareTensors(wanted, given[index] as Tensor, EXACT)
        expect(onnx.differenceText(difference), `${name}, output ${index}`).toBeUndefined()
      }
    }
  })

  it('find what is quantised anywhere in random graphs', async () => {
    let found = 0
    await expectKeepsMeaning(motifGraph({ motif: product, opset: 13 }), lowerings(), (_, { copies }, model) => {
      expect(model.graph.find({ opType: /Integer|QuantizeLinear/ })).toEqual([])
      found += copies
    })
    await expectKeepsMeaning(motifGraph({ motif: rounded, opset: 13 }), lowerings(), (_, { copies }, model) => {
      expect(model.graph.find({ opType: /QuantizeLinear/ })).toEqual([])
      found += copies
    })
    expect(found).toBeGreaterThan(100)
  })

  it('make smart-turn floats that answer the same, to the last bit', async (ctx) => {
    const path = installed(ctx, realModel('smart-turn-v3.2'))
    const model = await onnx.read(path)
    const report = await applied(model, onnx.lowerAsymmetricQuantization())
    expect(report.changes).toHaveLength(83)
    expect(report.notes).toEqual([])
    await expectSameOutputs(path, model, feedsOf(realModel('smart-turn-v3.2'), 3), EXACT)
  })

  it('make a model that quantises on the way floats that answer the same, to the last bit', async (ctx) => {
    const path = installed(ctx, QUANTISED_MODEL)
    const model = await onnx.read(path)
    for (const step of lowerings()) await applied(model, step)
    expect(model.graph.find({ opType: /Integer|QuantizeLinear/ })).toEqual([])
    await expectSameOutputs(path, model, feedsOf(QUANTISED_MODEL, 3), EXACT)
  })

  it('leave alone what TensorRT takes, and keep integers that are asked for', async () => {
    const model = await onnx.read(
      makeModel({
        inputs: { x: ['float32', [2, 3]] },
        outputs: { y: ['float32', [2, 3]], q: ['uint8', [2, 3]] },
        initializers: {
          s: constant('float32', [], [0.1]),
          z: constant('int8', [], [0]),
          u: constant('uint8', [], [9]),
        },
        nodes: [
          node('QuantizeLinear', ['x', 's', 'z'], ['a']),
          node('DequantizeLinear', ['a', 's', 'z'], ['y']),
          node('QuantizeLinear', ['x', 's', 'u'], ['q']),
        ],
      }),
    )
    const { changes } = await applied(model, onnx.lowerAsymmetricQuantization())
    expect(changes).toEqual([{ where: 'QuantizeLinear "q"', what: 'made arithmetic in floats' }])
    expect(model.graph.outputs.map(({ producer }) => producer?.opType)).toEqual(['DequantizeLinear', 'Cast'])
  })
})

describe('expand-fused-ops and expand-quantized-ops', () => {
  it.for([
    ['pp-ocrv4-rec', ['FusedConv', 'FusedMatMul', 'QuickGelu'], 1e-5],
    ['pp-ocrv6-rec', ['FusedConv', 'FusedMatMul', 'Gelu', 'QuickGelu', 'SkipLayerNormalization'], 1e-5],
    ['all-minilm-l6-v2', ['BiasGelu', 'FusedGemm', 'FusedMatMul'], 1e-5],
    // Integers that fall to the next one, all through the network.
    ['smart-turn-v3.2', ['QGemm', 'QLinearConv', 'QLinearSoftmax', 'SkipLayerNormalization'], 0.01],
  ] as const)('take %s apart, as onnxruntime optimised it', async ([name, ops, atol], ctx) => {
    const path = installed(ctx, realModel(name))
    const feeds = feedsOf(realModel(name), 3)
    const optimised = await optimisedBytes(path)
    const model = await onnx.read(optimised)
    const isFused = ({ opType, domain }: onnx.Node) => domain === 'com.microsoft' || opType.startsWith('QLinear')
    const types = new Set(model.graph.nodes.filter(isFused).map(({ opType }) => opType))
    expect(ops.filter((op) => !types.has(op))).toEqual([])
    for (const step of [onnx.expandFusedOps(), onnx.expandQuantizedOps()]) await applied(model, step)
    expect(model.graph.nodes.filter(isFused)).toEqual([])
    await expectSameOutputs(optimised, model, feeds, { atol, rtol: 0 })
  })

  it('leave alone what they cannot take apart, and say why', async () => {
    const attributes = { num_heads: 2, unidirectional: 1 }
    const model = await onnx.read(
      makeModel({
        opset: { '': 17, 'com.microsoft': 1 },
        inputs: { x: ['float32', [2, 3, 8]] },
        outputs: { y: ['float32', [2, 3, 8]] },
        initializers: {
          w: constant('float32', [8, 24], Array(192).fill(0.1)),
          b: constant('float32', [24], Array(24).fill(0)),
        },
        nodes: [node('Attention', ['x', 'w', 'b'], ['y'], attributes, { domain: 'com.microsoft' })],
      }),
    )
    const { changes, notes } = await applied(model, onnx.expandFusedOps())
    expect({ changes, notes }).toEqual({
      changes: [],
      notes: ['com.microsoft:Attention "y" was left alone: it is causal or rotary'],
    })
  })
})

describe('rename-repeated-dims', () => {
  it('gives the same new names in every input, and takes placeholders away', async () => {
    const model = await onnx.read(
      makeModel({
        inputs: {
          a: ['float32', ['batch', 'batch']],
          b: ['float32', ['batch', 'batch']],
          c: ['float32', ['?', 3, '?']],
        },
        outputs: { y: ['float32', ['batch', 'batch']], z: ['float32', ['?', 3, '?']] },
        nodes: [node('Add', ['a', 'b'], ['y']), node('Relu', ['c'], ['z'])],
      }),
    )
    const { changes } = await applied(model, onnx.renameRepeatedDims())
    expect(changes).toHaveLength(3)
    expect(model.graph.inputs.map(({ dims }) => dims)).toEqual([
      ['batch', 'batch_2'],
      ['batch', 'batch_2'],
      [null, 3, null],
    ])
  })
})

/** What onnxruntime's optimizer makes of a model. */
async function optimisedBytes(path: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-optimised-'))
  try {
    const optimizedModelFilePath = join(folder, 'model.onnx')
    const session = await ort.InferenceSession.create(path, {
      graphOptimizationLevel: 'extended',
      optimizedModelFilePath,
      logSeverityLevel: 3,
    })
    await session.release()
    return await readFile(optimizedModelFilePath)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A product of [2,3,4] with weights, quantised on the way: what `quantize_dynamic` writes. */
function product(x: string, y: string, id: string, dice: number): Motif {
  const zero =
    dice % 3 === 0 ? [constant('int8', [4], [1, -2, 0, 5])] : dice % 3 === 1 ? [constant('int8', [], [3])] : []
  const [q, s, z, w, wz, p, f] = valueNames(id, 'q', 's', 'z', 'w', 'wz', 'p', 'f')
  return {
    nodes: [
      node('DynamicQuantizeLinear', [x], [q, s, z]),
      node('MatMulInteger', [q, w, z, ...zero.map(() => wz)], [p]),
      node('Cast', [p], [f], { to: 1 }),
      node('Mul', [f, s], [y]),
    ],
    initializers: {
      // Below 64: onnxruntime's products of greater ones saturate where the machine has no VNNI.
      [w]: constant(
        'int8',
        [4, 4],
        Array.from({ length: 16 }, (_, i) => ((i * 7 + dice) % 100) - 50),
      ),
      ...Object.fromEntries(zero.map((content) => [wz, content])),
    },
  }
}

/** Rounded to 8 bits and back, with the elements moved in between or not. */
function rounded(x: string, y: string, id: string, dice: number): Motif {
  const [q, t, u, s, z, shape] = valueNames(id, 'q', 't', 'u', 's', 'z', 'shape')
  const type = dice % 2 === 0 ? 'uint8' : 'int8'
  const moved = dice % 3 === 0 ? u : q
  return {
    nodes: [
      node('QuantizeLinear', [x, s, z], [q]),
      ...(moved === u ? [node('Transpose', [q], [t], { perm: [2, 0, 1] }), node('Reshape', [t, shape], [u])] : []),
      node('DequantizeLinear', [moved, s, z], [y]),
    ],
    initializers: {
      [s]: constant('float32', [], [0.01 + (dice % 10) / 50]),
      [z]: constant(type, [], [1 + (dice % 100)]),
      [shape]: constant('int64', [3], [2, 3, 4]),
    },
  }
}
