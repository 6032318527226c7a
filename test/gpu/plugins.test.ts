// The specs of the plugins on a real GPU: through the bench, and through an engine that TensorRT builds around the plugin.
// Skipped, with the reason, where no GPU and TensorRT are. `npm run test:gpu` runs only these.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as trt from 'tensorrt-node'
import { beforeAll, describe, expect, test } from 'vitest'
import { inferenceObstacle } from '#dist/backends/tensorrt/tensorrt-backend.js'
import { randomTensor, seededRandom } from '#dist/npy/random.js'
import { referenceOutputs } from '#dist/plugins/reference.js'
import { toType } from '#dist/plugins/run.js'
import type { PluginSpec } from '#dist/plugins/spec.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SPECS = ['layer_norm', 'prelu'].map((folder) => join(ROOT, 'plugins', folder, 'spec.json'))
const read = (path: string): PluginSpec => JSON.parse(readFileSync(path, 'utf8'))
const CASES = SPECS.flatMap((path) => read(path).cases.map((_, index) => ({ path, index })))

let obstacle: string | undefined
beforeAll(async () => {
  obstacle = await inferenceObstacle('tensorrt')
})

describe.each(SPECS)('%s', (path) => {
  test('through the bench, with times', async (context) => {
    if (obstacle !== undefined) return context.skip(obstacle)
    const result = await trt.plugins.test(path, { iterations: 100 })
    expect(result.results.filter(({ ok }) => !ok)).toEqual([])
    expect(result.device).not.toBe('emulated')
    for (const { run } of result.results) expect(run?.timing?.p50).toBeGreaterThan(0)
  })
})

// Only the types of the model differ between the two forms; the builder is told to keep them.
describe.each(['1', '2'])('in an engine, version %s', (version) => {
  test.for(CASES)('$path, case $index', async ({ path, index }, context) => {
    if (obstacle !== undefined) return context.skip(obstacle)
    const spec = read(path)
    const {
      inputs: shapes,
      attributes = {},
      fields = {},
      weights = {},
      outputs = 1,
    } = spec.cases[index] as PluginSpec['cases'][number]
    const random = seededRandom(1)
    const inputs = shapes.map((dims) => randomTensor('float32', dims, random, { low: -1, high: 1 }))
    const given = { attributes, outputs, inputs: inputs.map((tensor) => toType(tensor, spec.reference.type)) }
    const [expected = []] = await referenceOutputs(spec.reference, [given])
    const inNode = Object.entries(weights).map(([field, input]) => [
      field,
      [...((inputs[input] as trt.Tensor).data as Float32Array)],
    ])
    const outside = inputs
      .slice(1)
      .flatMap((tensor, at) => (Object.values(weights).includes(at + 1) ? [] : [[`w${at}`, tensor] as const]))
    const names = Array.from({ length: outputs }, (_, output) => `y${output}`)
    const onnx = makeModel({
      inputs: { x: ['float32', shapes[0] ?? []] },
      outputs: Object.fromEntries(
        names.map((name, output) => [name, ['float32', expected[output]?.dims ?? []] as const]),
      ),
      initializers: Object.fromEntries(
        outside.map(([name, { dims, data }]) => [name, constant('float32', [...dims], [...(data as Float32Array)])]),
      ),
      nodes: [
        node(spec.plugin, ['x', ...outside.map(([name]) => name)], names, {
          ...attributes,
          ...fields,
          ...Object.fromEntries(inNode),
          plugin_version: version,
        } as never),
      ],
    })
    const built = await trt.buildEngine({ onnx, backend: 'tensorrt', plugins: ['builtin'], tf32: false })
    const engine = await trt.loadEngine(built.plan, { plugins: ['builtin'] })
    try {
      const results = await engine.infer({ x: inputs[0] as trt.Tensor })
      for (const [output, wanted] of expected.entries()) {
        const got = results[`y${output}`] as trt.Tensor
        const tolerance = { atol: 0, rtol: 0, ...spec.tolerances.float32 }
        expect(
          trt.onnx.differenceText(trt.onnx.compareTensors(wanted, got, tolerance, { anyType: true })),
        ).toBeUndefined()
      }
    } finally {
      await engine.close()
    }
  })
})
