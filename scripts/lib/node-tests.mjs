// ONNX's node tests, which the Python package onnx ships, and what TensorRT-RTX's real parser and builder say of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildEngine } from '../../dist/index.js'
import { decodeSource } from '../../dist/onnx/io/decode.js'
import { ExternalData } from '../../dist/onnx/io/external-data.js'
import { openSource } from '../../dist/onnx/io/source.js'
import { ModelTensor } from '../../dist/onnx/model/tensor.js'
import { feedInputs } from '../../dist/onnx/run/sample-feeds.js'
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

/** Whether lint says that TensorRT takes the model. */
export function predicts(findings) {
  return findings.every(({ severity }) => severity !== 'error')
}

/**
 * The inputs of a node test's first data set.
 *
 * @returns {Record<string, import('../../dist/tensor.js').Tensor> | undefined} undefined where one is no tensor that has a
 *   typed array
 */
export function feedsOfNodeTest(model, name) {
  const folder = join(NODE_TESTS, name, 'test_data_set_0')
  try {
    return Object.fromEntries(
      feedInputs(model).map((input, index) => {
        const bytes = readFileSync(join(folder, `input_${index}.pb`))
        const proto = decodeSource(openSource({ bytes }), 'TensorProto')
        return [input.name, new ModelTensor(proto, new ExternalData(undefined)).toTensor()]
      }),
    )
  } catch {
    return undefined
  }
}
