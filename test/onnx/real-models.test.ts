// The trained models that other tests rewrite and compare: each runs as it is, on the inputs that the helpers give it.
import { describe, expect, it } from 'vitest'
import { feedsOf, installed, realModels, runOnOnnxruntime } from './helpers/models.js'

describe.each(realModels())('$name', (model) => {
  it('computes finite numbers, which depend on its inputs', async (ctx) => {
    const path = installed(ctx, model)
    const outputs = await runOnOnnxruntime(path, feedsOf(model, 1))
    for (const { data } of Object.values(outputs)) expect(Array.from<unknown>(data).every(Number.isFinite)).toBe(true)
    expect(feedsOf(model, 1)).toEqual(feedsOf(model, 1))
    expect(await runOnOnnxruntime(path, feedsOf(model, 2))).not.toEqual(outputs)
  })
})
