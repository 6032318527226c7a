import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { GROUP_BYTES, inGroups } from '#dist/onnx/run/in-groups.js'
import { valueBytes } from '#dist/onnx/run/value-bytes.js'
import { feedsOf, installed, realModel } from './helpers/models.js'

describe('bytes of values, foretold', () => {
  it.for(['pp-ocrv4-det', 'all-minilm-l6-v2', 'magika'])(
    'are those that onnxruntime gives for %s, and known of nearly all values',
    async (name, ctx) => {
      const one = realModel(name)
      const model = await onnx.read(installed(ctx, one))
      const feeds = feedsOf(one, 1)
      const outputs = model.graph.nodes.flatMap((node) => node.outputs.flatMap((value) => value?.name ?? []))
      const results = await onnx.run(model, feeds, { outputs, optimization: 'disabled' })
      const bytesOf = valueBytes(model, feeds)
      const known = outputs.filter((value) => bytesOf(value) !== undefined)
      expect(known.map((value) => [value, bytesOf(value)])).toEqual(
        known.map((value) => [value, results[value]?.data.byteLength]),
      )
      expect(known.length).toBeGreaterThan(0.9 * outputs.length)
    },
  )
})

describe('values in groups', () => {
  const MB = 2 ** 20
  /** The groups of 100 values that take as many bytes each, where that is known. */
  async function groupsOf(bytes: number, isKnown: boolean): Promise<number[]> {
    const sizes: number[] = []
    const names = Array.from({ length: 100 }, (_, index) => `v${index}`)
    const visited: string[] = []
    const visit = async (group: readonly string[]) => {
      sizes.push(group.length)
      visited.push(...group)
      return group.length * bytes
    }
    await inGroups(
      names,
      () => (isKnown ? bytes : undefined),
      visit,
      () => false,
      () => {},
    )
    expect(visited).toEqual(names)
    return sizes
  }

  it('takes a small model at once, and of a big one never more than fits', async () => {
    expect(await groupsOf(MB, true)).toEqual([100])
    expect(Math.max(...(await groupsOf(50 * MB, true))) * 50 * MB).toBeLessThanOrEqual(GROUP_BYTES)
    // Each by itself, as it has to be given out somehow.
    expect(await groupsOf(2 * GROUP_BYTES, true)).toEqual(Array(100).fill(1))
  })

  it('learns from the first group what values take whose size is not known', async () => {
    expect(await groupsOf(MB, false)).toEqual([32, 68])
    expect(await groupsOf(64 * MB, false)).toEqual([32, ...Array(17).fill(4)])
  })
})
