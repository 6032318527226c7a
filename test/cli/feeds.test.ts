import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { UsageError } from '#dist/cli/command.js'
import { type FeedFlags, type InputSpec, makeFeeds } from '#dist/cli/feeds.js'
import { failure } from '../helpers/errors.js'

const folder = mkdtempSync(join(tmpdir(), 'trt=feeds-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'two.json')
writeFileSync(file, '[1, 2]')

const input = (name: string, dims: InputSpec['dims'], rest: Partial<InputSpec> = {}): InputSpec => ({
  name,
  type: 'float32',
  dims,
  ...rest,
})

async function feed(inputs: readonly InputSpec[], flags: Partial<FeedFlags> = {}) {
  const feeds = await makeFeeds(inputs, { seed: 0, ...flags })
  return [...feeds].map(([name, { tensor, source }]) => ({ name, dims: tensor.dims, source }))
}

describe('which input a file is for', () => {
  test.each([
    [['x'], `x=${file}`, 'x'],
    [['a', 'a=b'], `a=b=${file}`, 'a=b'],
    [['a:0', '/a.b'], `/a.b=${file}`, '/a.b'],
  ])('of %s in %s', async (names, text, expected) => {
    const inputs = names.map((name) => input(name, [2]))
    const feeds = await feed(inputs, { input: [text] })
    expect(feeds.find(({ source }) => source === file)?.name).toBe(expected)
  })

  test.each([
    [{ input: ['z=a.npy'] }, /--input: there is no input "z"/],
    [{ input: ['a.npy'] }, /expected NAME=VALUE, received "a.npy"/],
    [{ input: ['x=a.npy', 'x=b.npy'] }, /"x" is named twice/],
    [{ shapes: ['z:1'] }, /--shapes: there is no input "z"/],
    [{ range: ['x=1'] }, /expected LOW\.\.HIGH/],
    [{ range: ['x=..1'] }, /expected LOW\.\.HIGH/],
    [{ input: [`x=${file}`], shapes: ['x:2'] }, /--shapes is for random inputs/],
    [{ input: [`x=${file}`], range: ['x=0..1'] }, /--range is for random inputs/],
  ])('%o is refused', async (flags, message) => {
    const run = feed([input('x', [2]), input('y', [2])], flags)
    await expect(run).rejects.toThrow(UsageError)
    await expect(run).rejects.toThrow(message)
  })
})

describe('the shape of a random input', () => {
  test('is the one given, else the fixed one, else the best of the profile', async () => {
    const inputs = [
      input('given', [null, 3], { fallback: [9, 3] }),
      input('fixed', [4]),
      input('best', ['N'], { fallback: [5] }),
    ]
    const feeds = await feed(inputs, { shapes: ['given:2x3'] })
    expect(feeds.map(({ dims }) => dims)).toEqual([[2, 3], [4], [5]])
  })

  test('is asked for where nothing says it', async () => {
    const error = await failure('INVALID_SHAPES', () => feed([input('x', ['N', 3, null, 7])]))
    expect(error.message).toContain('"x" [N,3,?,7] is dynamic')
    expect(error.hint).toContain("--shapes 'x:1x3x224x7'")
  })

  test.each(['-1x3', '99999999x9999999'])('%s is refused before memory is taken', async (dims) => {
    await failure('INVALID_SHAPES', () => feed([input('x', [null, null])], { shapes: [`x:${dims}`] }))
  })
})

test('types that are no tensors of numbers are refused', async () => {
  await failure('UNSUPPORTED', () => feed([input('text', [1], { type: 'string' })]))
})
