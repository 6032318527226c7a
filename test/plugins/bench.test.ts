// The plugins through the bench, as anybody tests a plugin: against specs, ONNX's own node tests and onnxruntime. Kernels
// run on the emulated GPU.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as trt from 'tensorrt-node'
import { compareTensors, isWithin } from 'tensorrt-node/onnx'
import { beforeAll, describe, expect, test } from 'vitest'
import { PluginBench } from '#dist/plugins/plugin-bench.js'
import { toBenchRun } from '#dist/plugins/run.js'
import { build } from './probes.js'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VERSIONS = ['1', '2'] as const
// The suite's own; in the narrow types only rounding and one more unit in the last place, and what fp32 arithmetic has.
const TOLERANCES = {
  float32: { atol: 1e-7, rtol: 1e-3 },
  float16: { atol: 1e-6, rtol: 0, ulp: 1.5 },
  bfloat16: { atol: 1e-6, rtol: 0, ulp: 1.5 },
} as const
const STATISTICS = { atol: 1e-6, rtol: 1e-6 }

let library: string
beforeAll(async () => {
  library = await build('emulated')
}, 600_000)

/** What failed, in words. */
function failures({ results }: trt.PluginTestResult): readonly string[] {
  return results
    .filter(({ ok }) => !ok)
    .map(({ case: name, version, type, format, error, differences }) => {
      return `${name}, version ${version}, ${type}, ${format}: ${error?.message ?? JSON.stringify(differences)}`
    })
}

describe.each([
  ['layer_norm', 10, 60],
  ['prelu', 7, 52],
])('plugins/%s/spec.json', (folder, cases, runs) => {
  test(`${cases} cases in both versions and every type and format agree with onnxruntime`, async () => {
    const result = await trt.plugins.test(join(ROOT, 'plugins', folder, 'spec.json'), { library })
    expect(failures(result)).toEqual([])
    expect(result.ok).toBe(true)
    expect(result.device).toBe('emulated')
    expect(new Set(result.results.map((entry) => entry.case)).size).toBe(cases)
    expect(result.results).toHaveLength(runs)
    for (const entry of result.results) {
      expect(entry.run?.interface).toBe(entry.version === '1' ? 'IPluginV2DynamicExt' : 'IPluginV3')
      expect(entry.run?.calls).toEqual({ launches: 1, allocations: 0, synchronizations: 0 })
      expect(entry.run?.outputFormats[0]).toBe(entry.format)
    }
  })
})

test('PReLU with every kind of broadcast agrees with onnxruntime', async () => {
  const slopes = [[1], [5], [4, 1], [4, 5], [3, 1, 1], [1, 3, 1, 1], [3, 4, 5], [2, 1, 1, 1], [2, 1, 4, 1]]
  const more = [[2, 3, 4, 5], [1, 1, 1, 1], [3, 1, 5], [1, 4, 5], []]
  const result = await trt.plugins.test(
    {
      plugin: 'CustomPRelu',
      versions: VERSIONS,
      reference: { operator: 'PRelu', opset: 16, type: 'float32' },
      tolerances: { float32: { rtol: 1.2e-7 }, float16: { ulp: 1.5 }, bfloat16: { ulp: 1.5 } },
      cases: [...slopes, ...more].map((slope) => ({ name: `slope [${slope}]`, inputs: [[2, 3, 4, 5], slope] })),
    },
    { library },
  )
  expect(failures(result)).toEqual([])
  expect(result.results).toHaveLength(14 * 2 * 3)
})

test.each([[[2, 8, 5]], [[2, 8, 3, 3, 3]]])(
  'PReLU takes HWC8 for images alone, not for %j: its vectors are not channels there',
  async (dims) => {
    const ones = (extents: number[]) => {
      const count = extents.reduce((a, b) => a * b, 1)
      return new trt.Tensor('float32', new Float32Array(count).fill(-1), extents)
    }
    const options = { library, name: 'CustomPRelu', type: 'float16', format: 'hwc8' } as const
    const slope = ones([8, ...dims.slice(2).map(() => 1)])
    const refused = await trt.plugins
      .run({ ...options, inputs: [ones(dims), slope] })
      .catch((error: trt.TrtError) => error)
    expect(refused).toMatchObject({
      code: 'PLUGIN_FAILED',
      message: expect.stringContaining('input 0 as float16 in hwc8'),
    })
  },
)

interface NodeCase {
  readonly name: string
  readonly operator: 'LayerNormalization' | 'PRelu'
  readonly attributes: { readonly [name: string]: number }
  readonly type: 'float32' | 'float16' | 'bfloat16'
  readonly inputs: readonly Plain[]
  readonly outputs: readonly Plain[]
  readonly expanded: readonly Plain[]
}
interface Plain {
  readonly dims: readonly number[]
  readonly data: readonly number[]
}
const tensor = ({ dims, data }: Plain) => new trt.Tensor('float32', Float32Array.from(data), dims)

test("ONNX's node tests: each, in both versions and three types, as the suite and its expanded form have it", async (ctx) => {
  const python = process.env.TENSORRT_NODE_TEST_PYTHON ?? join(ROOT, '.cache/python/bin/python')
  const hasOnnx = await run(python, ['-c', 'import onnx, numpy']).then(
    () => true,
    () => false,
  )
  if (!hasOnnx) return ctx.skip(`${python} has no onnx; npm test sets one up`)
  const script = fileURLToPath(new URL('node_cases.py', import.meta.url))
  const { stdout } = await run(python, [script], { maxBuffer: 2 ** 26 })
  const cases = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as NodeCase)
  expect(new Set(cases.filter((entry) => entry.operator === 'LayerNormalization').map(({ name }) => name)).size).toBe(
    19,
  )
  expect(new Set(cases.filter((entry) => entry.operator === 'PRelu').map(({ name }) => name)).size).toBe(2)
  expect(cases).toHaveLength(21 * 3)

  const bench = await PluginBench.open({ library })
  const wrong: string[] = []
  try {
    for (const { name, operator, attributes, type, inputs, outputs, expanded } of cases) {
      const fields = expanded.length > 1 ? { ...attributes, outputs: expanded.length } : attributes
      for (const version of VERSIONS) {
        const options = { name: `Custom${operator === 'PRelu' ? 'PRelu' : operator}`, version, type, fields }
        const { outputs: got } = await bench.run(toBenchRun({ ...options, inputs: inputs.map(tensor) }))
        for (const [against, wanted] of [
          ['the suite', outputs],
          ['its expanded form', expanded],
        ] as const) {
          wanted.forEach((values, index) => {
            const tolerance = type === 'float32' || index === 0 ? TOLERANCES[type] : STATISTICS
            const difference = compareTensors(tensor(values), got[index] as trt.Tensor, tolerance, { anyType: true })
            if (!isWithin(difference))
              wrong.push(`${name} ${version} ${type}, ${against}: ${JSON.stringify(difference)}`)
          })
        }
        expect(got).toHaveLength(expanded.length)
      }
    }
  } finally {
    await bench.close()
  }
  expect(wrong).toEqual([])
})
