import fc from 'fast-check'
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { feedsOf, installed, realModels } from '../helpers/models.js'
import { applied, checkedByPython, expectSameOutputs } from '../helpers/passes.js'
import { onnxPython } from '../helpers/python.js'
import { randomModel } from '../helpers/random-graph.js'

const PASSES = { dedupe: onnx.dedupe(), 'fold-constants': onnx.foldConstants(), simplify: onnx.simplify() }

/** Nodes of every graph. */
const countNodes = (model: onnx.Model) => [...model.graphs()].reduce((sum, { nodes }) => sum + nodes.length, 0)

/**
 * Nodes that Python's onnxsim 0.8.1 leaves, graphs inside nodes included (bench/onnx.md); undefined where it fails.
 * Of PP-OCRv6's detection it leaves 13 fewer than {@link onnx.simplify}: it multiplies the 0.5 of each GELU into the
 * convolution behind it, after which nobody can tell that it was one.
 */
const ONNXSIM: Readonly<Record<string, number | undefined>> = {
  'all-minilm-l6-v2': 548,
  'basic-pitch': 180,
  magika: 93,
  'mtcnn-onet': 24,
  'mtcnn-pnet': 13,
  'mtcnn-rnet': 19,
  'pp-ocrv2-cls': 220,
  'pp-ocrv4-cls': 220,
  'pp-ocrv4-det': 494,
  'pp-ocrv4-rec': 559,
  'pp-ocrv6-det': 227 + 13,
  'pp-ocrv6-rec': 303,
  'silero-vad': 672,
  'silero-vad-16k': undefined,
  'silero-vad-half': undefined,
  'silero-vad-ifless': 90,
  'smart-turn-v3.2': 376,
}

describe('dedupe, fold-constants and simplify', () => {
  it('keep what random models compute, are idempotent, and leave what Python takes', async (ctx) => {
    const python = onnxPython(ctx)
    const results: { pass: string; model: onnx.Model }[] = []
    const fewer: Record<string, number> = { dedupe: 0, 'fold-constants': 0, simplify: 0 }
    await fc.assert(
      fc.asyncProperty(
        randomModel(),
        fc.constantFrom(...Object.entries(PASSES)),
        async ({ bytes, feeds }, [pass, step]) => {
          const model = await onnx.read(bytes)
          const before = countNodes(model)
          await applied(model, step)
          await expectSameOutputs(bytes, model.toBytes(), feeds)
          fewer[pass] = (fewer[pass] ?? 0) + before - countNodes(model)
          results.push({ pass, model })
        },
      ),
      { numRuns: 60, seed: 5 },
    )
    const verdicts = await checkedByPython(
      python,
      results.map(({ model }) => model),
    )
    expect(verdicts.filter((verdict) => verdict !== '')).toEqual([])
    for (const [pass, count] of Object.entries(fewer)) expect(count, `nodes taken out by ${pass}`).toBeGreaterThan(10)
  })
})

describe('simplify of real models', () => {
  const simplified: onnx.Model[] = []

  it.for(realModels())('keeps what $name computes, in no more nodes than onnxsim leaves', async (real, ctx) => {
    const model = await onnx.read(installed(ctx, real))
    await applied(model, onnx.simplify())
    simplified.push(model)
    expect(countNodes(model)).toBeLessThanOrEqual(ONNXSIM[real.name] ?? Number.POSITIVE_INFINITY)
    await expectSameOutputs(real.path, model.toBytes(), feedsOf(real, 1), { atol: 1e-4, rtol: 1e-3 })
  })

  it("leaves what Python's checker takes", async (ctx) => {
    const python = onnxPython(ctx)
    expect(await checkedByPython(python, simplified)).toEqual(simplified.map(() => ''))
  })
})
