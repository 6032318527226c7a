/** Edits made here and the same edits made by Python's onnx must give equal messages. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ocrModel } from './helpers/models.js'
import { onnxPython } from './helpers/python.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oracle-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const RECOGNITION = ocrModel('ch_PP-OCRv4_rec_infer.onnx')

/** By name: an edit here, and the same in Python on `m`, `g` (its graph), with `h` (onnx.helper) and `np` at hand. */
const EDITS: Record<string, { edit: (model: onnx.Model) => void; python: string }> = {
  'rename an input': {
    edit: ({ graph }) => graph.value('x')?.rename('images'),
    python: `
for n in g.node:
    for i, name in enumerate(n.input):
        if name == 'x': n.input[i] = 'images'
g.input[0].name = 'images'`,
  },
  'rename the output': {
    edit: ({ graph }) => graph.outputs[0]?.rename('文字'),
    python: `
for n in g.node:
    for i, name in enumerate(n.output):
        if name == g.output[0].name: n.output[i] = '文字'
g.output[0].name = '文字'`,
  },
  'rename a node and its op': {
    edit: ({ graph }) => {
      for (const node of graph.find({ opType: 'HardSigmoid' })) {
        node.opType = 'CustomSigmoid'
        node.domain = 'my.domain'
        node.name = `custom ${node.name}`
      }
    },
    python: `
for n in g.node:
    if n.op_type == 'HardSigmoid':
        n.op_type = 'CustomSigmoid'; n.domain = 'my.domain'; n.name = 'custom ' + n.name`,
  },
  'set, add and delete attributes': {
    edit: ({ graph }) => {
      for (const node of graph.find({ opType: 'Conv' })) {
        node.set('group', 'int', -3)
        node.set('big', 'int', 2n ** 63n - 1n)
        node.set('epsilon', 'float', 1e-4)
        node.set('mode', 'string', 'größer')
        node.set('list', 'ints', [1, -1, 2 ** 40])
        node.set('floats', 'floats', [0.5, Number.POSITIVE_INFINITY])
        node.set('texts', 'strings', ['a', ''])
        node.delete('dilations')
      }
    },
    python: `
for n in g.node:
    if n.op_type == 'Conv':
        for a in n.attribute:
            if a.name == 'group': a.i = -3
        n.attribute.extend([h.make_attribute('big', 2**63 - 1), h.make_attribute('epsilon', 1e-4),
            h.make_attribute('mode', 'größer'), h.make_attribute('list', [1, -1, 2**40]),
            h.make_attribute('floats', [0.5, float('inf')]), h.make_attribute('texts', ['a', ''])])
        kept = [a for a in n.attribute if a.name != 'dilations']
        del n.attribute[:]; n.attribute.extend(kept)`,
  },
  'versions and metadata': {
    edit: (model) => {
      model.irVersion = 10
      model.setOpset('', 17)
      model.setOpset('my.domain', 2)
      model.metadata.set('labels', 'a,b')
      model.metadata.set('gone', 'x')
      model.metadata.set('gone', undefined)
    },
    python: `
m.ir_version = 10
m.opset_import[0].version = 17
m.opset_import.append(h.make_opsetid('my.domain', 2))
m.metadata_props.append(onnx.StringStringEntryProto(key='labels', value='a,b'))`,
  },
  'change the elements of a constant': {
    edit: ({ graph }) => {
      const tensor = graph.find({ opType: 'Constant' })[0]?.get('value', 'tensor')
      tensor?.set({ type: 'float32', dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) })
    },
    python: `
t = [n for n in g.node if n.op_type == 'Constant'][0].attribute[0].t
name = t.name
t.CopyFrom(onnx.numpy_helper.from_array(np.array([[1, 2], [3, 4]], np.float32)))
if name: t.name = name`,
  },
  'give out a value inside': {
    edit: ({ graph }) => {
      const value = graph.find({ opType: 'Softmax' })[0]?.outputs[0]
      if (value === undefined) throw new Error('no Softmax')
      value.setType('float32', ['n', null, 3])
      graph.addOutput(value)
    },
    python: `
name = [n for n in g.node if n.op_type == 'Softmax'][0].output[0]
g.output.append(h.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ['n', None, 3]))`,
  },
  'take a node out and prune': {
    edit: (model) => {
      const [node] = model.graph.find({ opType: 'HardSigmoid' })
      const [input] = node?.inputs ?? []
      const [output] = node?.outputs ?? []
      if (input === undefined || output === undefined) throw new Error('no HardSigmoid')
      output.replaceUsesWith(input)
      expect(model.prune()).toEqual({ nodes: 1, initializers: 0 })
    },
    python: `
node = [n for n in g.node if n.op_type == 'HardSigmoid'][0]
for n in g.node:
    for i, name in enumerate(n.input):
        if name == node.output[0]: n.input[i] = node.input[0]
for v in list(g.value_info):
    if v.name == node.output[0]: g.value_info.remove(v)
g.node.remove(node)`,
  },
  'put a node behind the input': {
    edit: ({ graph }) => {
      const x = graph.value('x')
      if (x === undefined) throw new Error('no x')
      const scale = graph.addInitializer({ type: 'float32', dims: [], data: Float32Array.of(2) }, 'scale')
      const node = graph.addNode({ opType: 'Mul', name: 'scaled', inputs: [x, scale], outputs: ['x2'] })
      x.replaceUsesWith(node.outputs[0] as onnx.Value)
      expect(graph.nodes[graph.nodes.indexOf(node) + 1]?.inputs).toContain(node.outputs[0])
    },
    python: `
users = [i for i, n in enumerate(g.node) if 'x' in n.input]
for i in users:
    n = g.node[i]
    for k, name in enumerate(n.input):
        if name == 'x': n.input[k] = 'x2'
g.node.insert(users[0], h.make_node('Mul', ['x', 'scale'], ['x2'], name='scaled'))
g.initializer.append(onnx.numpy_helper.from_array(np.array(2, np.float32), 'scale'))`,
  },
}

describe("an edit gives what Python's onnx gives", () => {
  it('for every edit', async (ctx) => {
    const python = onnxPython(ctx)
    const script = [
      'import sys, onnx, onnx.helper as h, numpy as np, onnx.numpy_helper',
      'source, folder = sys.argv[1:3]',
    ]
    for (const [index, [name, { edit, python }]] of Object.entries(EDITS).entries()) {
      const model = await onnx.read(RECOGNITION)
      edit(model)
      await model.write(join(folder, `${index}.onnx`))
      script.push(`m = onnx.load(source); g = m.graph${python}`)
      script.push(`ours = onnx.load(f'{folder}/${index}.onnx')`)
      script.push(`print(${JSON.stringify(name)}, ours == m and ours.SerializeToString() == m.SerializeToString())`)
    }
    const results = python(script.join('\n'), RECOGNITION, folder).trim().split('\n')
    expect(results).toEqual(Object.keys(EDITS).map((name) => `${name} True`))
  })
})

describe('elements', () => {
  it("of every type are those that Python's onnx reads, from raw data and from typed fields", async (ctx) => {
    const python = onnxPython(ctx)
    const path = join(folder, 'types.onnx')
    const expected = JSON.parse(
      python(
        `
import sys, json, onnx, numpy as np, math
from onnx import TensorProto as T, helper as h, numpy_helper as nh
names = 'FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 BOOL FLOAT16 DOUBLE UINT32 UINT64 COMPLEX64 COMPLEX128 BFLOAT16 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ UINT4 INT4 FLOAT4E2M1 FLOAT8E8M0 UINT2 INT2'.split()
out, tensors = {}, []
for name in names:
    dtype = h.tensor_dtype_to_np_dtype(getattr(T, name))
    values = [0, 1, 1, 0, 1] if 'BOOL' in name or '2' == name[-1] and 'INT' in name else [1, 2, 4, 0.5, 2] if name == 'FLOAT8E8M0' else [0, 1, 3, 6, 2]
    if name in ('INT8', 'INT16', 'INT32', 'INT64', 'INT4', 'FLOAT', 'FLOAT16', 'DOUBLE', 'BFLOAT16', 'FLOAT8E5M2', 'FLOAT4E2M1', 'FLOAT8E4M3FN', 'FLOAT8E4M3FNUZ', 'FLOAT8E5M2FNUZ'): values[2] = -3
    array = np.array(values, dtype)
    raw = nh.from_array(array, name + '_raw')
    assert raw.HasField('raw_data')
    typed = h.make_tensor(name + '_typed', getattr(T, name), [5], array)
    assert not typed.HasField('raw_data')
    tensors += [raw, typed]
    real = None if 'COMPLEX' in name else array.astype(np.float64)
    out[name] = {'hex': raw.raw_data.hex(), 'stats': None if real is None else [real.min(), real.max(), real.mean()]}
nodes = [h.make_node('Identity', [t.name], [t.name + '_out']) for t in tensors]
g = h.make_graph(nodes, 'types', [], [h.make_empty_tensor_value_info(n.output[0]) for n in nodes], tensors)
onnx.save(h.make_model(g, ir_version=13, opset_imports=[h.make_opsetid('', 25)]), sys.argv[1])
print(json.dumps(out))`,
        path,
      ),
    ) as Record<string, { hex: string; stats: [number, number, number] | null }>
    const { graph } = await onnx.read(path)
    expect(Object.keys(expected)).toHaveLength(25)
    for (const [name, { hex, stats }] of Object.entries(expected)) {
      for (const form of ['raw', 'typed']) {
        const tensor = graph.value(`${name}_${form}`)?.initializer
        expect([name, form, tensor && Buffer.from(tensor.bytes()).toString('hex')]).toEqual([name, form, hex])
        if (stats === null) continue
        const { min, max, mean, count } = tensor?.statistics() ?? {}
        expect([name, form, count, min, max, mean]).toEqual([name, form, 5, ...stats])
      }
    }
  })

  it('of special floats count as such', async (ctx) => {
    const python = onnxPython(ctx)
    const path = join(folder, 'special.onnx')
    python(
      `
import sys, onnx, numpy as np, ml_dtypes
from onnx import helper as h, numpy_helper as nh
names = 'float32 float64 float16 bfloat16 float8_e5m2 float8_e4m3fn float8_e4m3fnuz float8_e5m2fnuz'.split()
tensors = [nh.from_array(np.array([np.nan, np.inf, -np.inf, 0, 1.5, -0.25]).astype(np.dtype(n)), n) for n in names]
nodes = [h.make_node('Identity', [t.name], [t.name + '_out']) for t in tensors]
g = h.make_graph(nodes, 'special', [], [h.make_empty_tensor_value_info(n.output[0]) for n in nodes], tensors)
onnx.save(h.make_model(g), sys.argv[1])`,
      path,
    )
    const { graph } = await onnx.read(path)
    for (const tensor of graph.initializers) {
      // The 8-bit floats without infinities hold NaN in their place.
      const finiteOnly = tensor.name.includes('fn')
      expect([tensor.name, tensor.statistics()]).toEqual([
        tensor.name,
        {
          count: 6,
          min: -0.25,
          max: 1.5,
          mean: 1.25 / 3,
          absMax: 1.5,
          absMin: 0.25,
          zeros: 1,
          infinities: finiteOnly ? 0 : 2,
          nans: finiteOnly ? 3 : 1,
        },
      ])
    }
  })
})

describe('external data', () => {
  it("that Python's onnx wrote is read, moved to another folder, and taken inside", async (ctx) => {
    const python = onnxPython(ctx)
    const home = join(folder, 'home')
    const away = join(folder, 'away')
    mkdirSync(home)
    mkdirSync(away)
    python(
      `
import sys, onnx
onnx.save(onnx.load(sys.argv[1]), sys.argv[2], save_as_external_data=True,
          all_tensors_to_one_file=True, location='w.bin', size_threshold=256, convert_attribute=True)`,
      RECOGNITION,
      join(home, 'm.onnx'),
    )
    const info = await onnx.inspectModel({ path: join(home, 'm.onnx') })
    expect(info.externalFiles.length).toBeGreaterThan(10)
    const model = await onnx.read(join(home, 'm.onnx'))

    await model.write(join(home, 'copy.onnx'))
    expect(readFileSync(join(home, 'copy.onnx')).equals(readFileSync(join(home, 'm.onnx')))).toBe(true)
    await model.write(join(away, 'moved.onnx'))
    await model.write(join(away, 'inside.onnx'), { externalData: false })
    await model.write(join(away, 'all.onnx'), { externalData: { location: 'all.bin', threshold: 0 } })
    // Over the model, and over the very file that its weights are in.
    await model.write(join(home, 'm.onnx'), { externalData: { location: 'w.bin', threshold: 1 } })

    const equal = python(
      `
import sys, onnx
def plain(path):
    m = onnx.load(path)
    tensors = [a.t for n in m.graph.node for a in n.attribute if a.HasField('t')] + list(m.graph.initializer)
    for t in tensors:
        raw = onnx.numpy_helper.to_array(t).tobytes()
        name, dims, kind = t.name, list(t.dims), t.data_type
        t.Clear(); t.name = name; t.dims.extend(dims); t.data_type = kind; t.raw_data = raw
    return m
original = plain(sys.argv[1])
for path in sys.argv[2:]:
    onnx.checker.check_model(path)
    print(plain(path) == original)`,
      RECOGNITION,
      ...['moved', 'inside', 'all'].map((name) => join(away, `${name}.onnx`)),
      join(home, 'm.onnx'),
    )
    expect(equal.trim().split('\n')).toEqual(['True', 'True', 'True', 'True'])
    const outside = await Promise.all(
      ['moved', 'inside', 'all'].map((name) => onnx.inspectModel({ path: join(away, `${name}.onnx`) })),
    )
    expect(outside.map(({ externalFiles }) => new Set(externalFiles.map(({ location }) => location)))).toEqual([
      new Set(['moved.onnx.data']),
      new Set(),
      new Set(['all.bin']),
    ])
  })
})
