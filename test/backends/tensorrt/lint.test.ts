// What lint says of a model, against what TensorRT-RTX's real parser and builder do with it. `node scripts/lint-docs.mjs`
// asks them of all node tests of ONNX; here it is every fourteenth.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { onnx } from 'tensorrt-node'
import { describe, expect, it } from 'vitest'
import { NODE_TESTS, predicts, verdictOf } from '../../../scripts/lib/node-tests.mjs'
import { needsRtx } from './rtx.ts'

needsRtx()

describe('lint', () => {
  it('predicts what TensorRT-RTX takes of the node tests', { timeout: 120_000 }, async (ctx) => {
    if (!existsSync(NODE_TESTS)) return ctx.skip(`there are no node tests at ${NODE_TESTS}; npm test sets them up`)
    const names = readdirSync(NODE_TESTS).filter((_, index) => index % 14 === 0)
    const wrong: string[] = []
    for (const name of names) {
      const path = join(NODE_TESTS, name, 'model.onnx')
      const { isAccepted, message } = await verdictOf(path)
      if (predicts(onnx.lint(await onnx.read(path))) !== isAccepted) wrong.push(`${name}: ${message}`)
    }
    expect(names.length).toBeGreaterThan(100)
    expect(wrong).toEqual([])
  })
})
