import type { Comparison } from 'tensorrt-node'
import * as trt from 'tensorrt-node'
import { onnx } from 'tensorrt-node'
import { beforeAll, describe, expect, it } from 'vitest'
import { comparisonPage } from '#dist/parity/report.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'

const NAME = '<b onclick="x">&'

/** y = (x + w) * 2, with a name inside that a careless page would take for markup. */
const model = (w: number) =>
  makeModel({
    inputs: { x: ['float32', [1, 4]] },
    outputs: { y: ['float32', [1, 4]] },
    initializers: { w: constant('float32', [1], [w]), two: constant('float32', [1], [2]) },
    nodes: [node('Add', ['x', 'w'], [NAME]), node('Mul', [NAME, 'two'], ['y'])],
  })

let comparison: Comparison
let page: string
beforeAll(async () => {
  const candidates = { good: await onnx.read(model(1)), 'bad<i>': await onnx.read(model(1.5)) }
  comparison = await trt.compare({ model: model(1), candidates, layers: true })
  page = comparisonPage(comparison, 'model <1>')
})

describe('the page of a comparison', () => {
  it('needs nothing but itself', () => {
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).not.toMatch(/<script|<link|<img|src=|href=|@import|url\(|https?:/)
    expect(page).toContain('prefers-color-scheme: dark')
  })

  it('escapes every name', () => {
    expect(page).not.toMatch(/<b onclick|<i>|model <1>/)
    expect(page).toContain('&#60;b onclick=&#34;x&#34;&#62;&#38;')
    expect(page).toContain('Parity with model &#60;1&#62;')
  })

  it('has the figures of the comparison: verdicts, errors, the divergence', () => {
    const [good, bad] = comparison.candidates as [trt.CandidateReport, trt.CandidateReport]
    expect([good.passed, bad.passed]).toEqual([true, false])
    expect(page.match(/✔ passes/g)).toHaveLength(1)
    // One for the whole, one for the candidate.
    expect(page.match(/✗ differs/g)).toHaveLength(2)
    expect(bad.outputs[0]?.maxAbs).toBe(1)
    expect(page).toMatch(/<code>y<\/code><\/td><td class="n">1<\/td>/)
    expect(bad.firstDivergence).toMatchObject({ opType: 'Add', value: NAME })
    expect(page.match(/First divergence/g)).toHaveLength(1)
    expect(page).toMatch(/<b>Add<\/b>/)
    // A point for each layer and output of each candidate.
    expect(page.match(/<circle/g)).toHaveLength(4)
    expect(page.match(/<circle class="bad"/g)).toHaveLength(2)
  })
})
