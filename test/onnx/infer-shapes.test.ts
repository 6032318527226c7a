/** What is inferred must agree with what Python's onnx infers, and with what really comes out. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { checkRun, type Told, told } from './helpers/inferred-shapes.js'
import { feedsOf, installed, realModels } from './helpers/models.js'
import { onnxPython } from './helpers/python.js'
import { randomModel } from './helpers/random-graph.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shapes-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What shape_oracle.py says of a model. */
interface Facts {
  readonly path: string
  readonly inferred: Readonly<Record<string, Told>> | null
  readonly real: readonly Readonly<Record<string, Told>>[]
}

function askOracle(ctx: TestContext, ...args: string[]): Record<string, Facts> {
  onnxPython(ctx)
  const python = process.env.TENSORRT_NODE_TEST_PYTHON ?? '.cache/python/bin/python'
  const script = 'test/onnx/fixtures/shape_oracle.py'
  return JSON.parse(execFileSync(python, [script, folder, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 }))
}

/** Whether what is inferred is what is known to be, says less, or something else. */
function judge(value: onnx.Value, fact: Told): 'same' | 'less' | 'wrong' {
  if (value.type === 'undefined') return 'less'
  const inferred = told(value)
  if (typeof fact === 'string' || typeof inferred === 'string') return fact === inferred ? 'same' : 'wrong'
  if (inferred[0] !== fact[0]) return 'wrong'
  const [dims, expected] = [inferred[1], fact[1]]
  if (dims === null || expected === null) return expected === null ? 'same' : 'less'
  if (dims.length !== expected.length) return 'wrong'
  const pairs = dims.map((dim, axis) => [dim, expected[axis]])
  if (pairs.some(([dim, size]) => typeof dim === 'number' && typeof size === 'number' && dim !== size)) return 'wrong'
  return pairs.some(([dim, size]) => dim === null && typeof size === 'number') ? 'less' : 'same'
}

/** Whether what Python infers can be what comes out. */
function agree(known: Told, real: Told): boolean {
  if (typeof known === 'string' || typeof real === 'string') return known === real
  return known[1] === null || known[1].every((dim, axis) => typeof dim !== 'number' || dim === real[1]?.[axis])
}

describe('on the node tests of ONNX', () => {
  // Results whose sizes depend on more than shapes: what is found, chosen, split or repeated.
  const BY_DATA =
    /^(NonMaxSuppression|Unique|StringSplit|StringNormalizer|Compress|NonZero|ImageDecoder|Loop|If|Range|RangeLoop)$/

  it('every result is as inferred, and nothing that Python knows is missing', async (ctx) => {
    const facts = askOracle(ctx, 'nodes')
    const found = { same: 0, less: 0 }
    const wrong: unknown[] = []
    const missing: unknown[] = []
    const unknown = new Set<string>()
    for (const [file, { path, inferred, real }] of Object.entries(facts)) {
      const model = await onnx.read(join(folder, file))
      const isFed = model.graph.initializers.length > 0
      onnx.inferTypes(model)
      for (const value of model.graph.outputs) {
        const known = inferred?.[value.name]
        // For STFT with a default Python says what does not come out.
        const isTrue = known !== undefined && real.every((results) => agree(known, results[value.name] as Told))
        if (isTrue && judge(value, known) !== 'same') missing.push([path, value.name, told(value), known])
        for (const results of real) {
          const result = results[value.name] as Told
          const verdict = judge(value, result)
          if (verdict === 'wrong') wrong.push([path, value.name, told(value), result])
          else found[verdict]++
          if (verdict === 'less' && isFed) unknown.add(model.graph.nodes.map(({ opType }) => opType).join(' '))
        }
      }
    }
    expect(wrong).toEqual([])
    expect(missing).toEqual([])
    expect(found.same).toBeGreaterThan(2800)
    // Where the small inputs are constants, only these are left.
    expect([...unknown].filter((ops) => !ops.split(' ').some((op) => BY_DATA.test(op)))).toEqual([])
  })
})

describe.each(realModels())('on $name', (real) => {
  it('every value has the type and, with the names filled in, the shape that onnxruntime gives it', async (ctx) => {
    const model = await onnx.read(installed(ctx, real))
    await checkRun(model, feedsOf(real, 1))
  })
})

describe('on random graphs', () => {
  it('every value has the type and, with the names filled in, the shape that onnxruntime gives it', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), async ({ bytes, feeds }) => {
        const model = await onnx.read(bytes)
        const { unshaped } = await checkRun(model, feeds)
        expect(unshaped).toEqual([])
      }),
      { numRuns: 10, seed: 4 },
    )
  })
})
