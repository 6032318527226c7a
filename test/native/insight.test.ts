/** What an engine tells of its layers, and what can be changed of it after it was loaded: its weights, and where they lie. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { expectInsight, LAYERS } from './helpers/expectations.ts'
import { FAMILIES, resultOf, runFixture, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('tells of layers, and takes new weights and a budget for them', async () => {
    expectInsight(await resultOf('insight', { family }))
  })
})

it('tells of layers on the command line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inspect-'))
  try {
    const { code, stdout, stderr } = await runFixture('inspect', { args: [join(folder, 'model.engine')] })
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'tensorrt', version: '10.16.0.72', layers: LAYERS })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
