// ONNX's node tests, which the Python package onnx ships, and what TensorRT-RTX's real parser and builder say of them.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildEngine } from '../../dist/index.js'
import { decodeSource } from '../../dist/onnx/io/decode.js'
import { openSource } from '../../dist/onnx/io/source.js'
import { ModelTensor } from '../../dist/onnx/model/tensor.js'
import { CACHE } from './run.mjs'

/** The folder of the node tests: one folder each, with `model.onnx` and inputs and outputs. */
export const NODE_TESTS = join(CACHE, 'python', 'packages', 'onnx', 'backend', 'test', 'data', 'node')

/** Paths of the models of all node tests. */
export function nodeTestModels() {
  return readdirSync(NODE_TESTS)
    .map((name) => ({ name, path: join(NODE_TESTS, name, 'model.onnx') }))
    .filter(({ path }) => existsSync(path))
}

/**
 * Builds a model for one GPU, without one.
 *
 * @param {string | import('../../dist/onnx/index.js').Model} onnx
 * @param {import('../../dist/options.js').Shapes} [shapes]
 * @returns {Promise<{ isAccepted: boolean, message: string }>} with the last line of what TensorRT says
 */
export async function verdictOf(onnx, shapes) {
  const target = { computeCapabilities: ['8.9'] }
  try {
    await buildEngine({ onnx, backend: 'tensorrt-rtx', isolation: 'thread', target, ...(shapes && { shapes }) })
    return { isAccepted: true, message: '' }
  } catch (error) {
    return { isAccepted: false, message: error.message }
  }
}

/**
 * The inputs that a node test comes with; undefined where one is no tensor that there is a typed array for.
 *
 * @param {string} path of the test's model
 * @param {import('../../dist/onnx/index.js').Model} model
 */
export function feedsOfNodeTest(path, { graph }) {
  const read = (index) =>
    decodeSource(openSource({ path: join(dirname(path), 'test_data_set_0', `input_${index}.pb`) }), 'TensorProto')
  try {
    return Object.fromEntries(graph.fedInputs.map(({ name }, index) => [name, new ModelTensor(read(index)).toTensor()]))
  } catch {
    return undefined
  }
}

/** Whether lint says that TensorRT takes the model. */
export function predicts(findings) {
  return findings.every(({ severity }) => severity !== 'error')
}
