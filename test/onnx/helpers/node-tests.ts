import { readFileSync } from 'node:fs'
import { type DataType, Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import type { RunPython } from './python.js'

/** One of the backend tests that Python's onnx ships: a model, what to feed it, and what it has to give. */
export interface NodeTest {
  readonly name: string
  readonly bytes: Uint8Array
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly outputs: readonly Tensor[]
}

interface Written {
  readonly name: string
  readonly path: string
  readonly inputs: Readonly<Record<string, WrittenTensor>>
  readonly outputs: readonly WrittenTensor[]
}

interface WrittenTensor {
  readonly type: DataType
  readonly dims: readonly number[]
  /** Little-endian elements in base64. */
  readonly data: string
}

/**
 * The node tests whose names fit a pattern (`test_` left out), those of expanded functions excepted; or tests of another
 * folder.
 */
export function nodeTests(
  python: RunPython,
  pattern: RegExp,
  folder: 'node' | 'pytorch-converted' | 'pytorch-operator' = 'node',
): NodeTest[] {
  const cases: Written[] = JSON.parse(python(SCRIPT, pattern.source, folder))
  return cases.map(({ name, path, inputs, outputs }) => ({
    name,
    bytes: new Uint8Array(readFileSync(path)),
    feeds: Object.fromEntries(Object.entries(inputs).map(([input, tensor]) => [input, read(tensor)])),
    outputs: outputs.map(read),
  }))
}

/** All that PyTorch wrote for operator set 6, in 2017. */
export async function modelsOf2017(python: RunPython): Promise<(NodeTest & { readonly model: onnx.Model })[]> {
  const tests = (['pytorch-converted', 'pytorch-operator'] as const).flatMap((folder) => nodeTests(python, /./, folder))
  const read = await Promise.all(tests.map(async (test) => ({ ...test, model: await onnx.read(test.bytes) })))
  return read.filter(({ model }) => model.opsets.get('') === 6)
}

function read({ type, dims, data }: WrittenTensor): Tensor {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'))
  return Tensor.fromBuffer(type, bytes.buffer, dims)
}

const SCRIPT = `
import base64, glob, json, onnx, os, re, sys
from onnx import numpy_helper
root = os.path.join(os.path.dirname(onnx.__file__), 'backend/test/data', sys.argv[2])
def tensor(path):
    with open(path, 'rb') as file:
        array = numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))
    return {'type': array.dtype.name, 'dims': array.shape, 'data': base64.b64encode(array.tobytes()).decode()}
cases = []
for folder in sorted(glob.glob(f'{root}/test_*')):
    name = os.path.basename(folder)[5:]
    if not re.search(sys.argv[1], name) or '_expanded' in name:
        continue
    graph = onnx.load(f'{folder}/model.onnx').graph
    data = f'{folder}/test_data_set_0'
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in constants]
    cases.append({
        'name': name,
        'path': f'{folder}/model.onnx',
        'inputs': {name: tensor(f'{data}/input_{i}.pb') for i, name in enumerate(inputs)},
        'outputs': [tensor(f'{data}/output_{i}.pb') for i in range(len(graph.output))],
    })
print(json.dumps(cases))
`
