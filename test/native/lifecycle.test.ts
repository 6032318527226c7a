/** How engines, workers and processes end while the addon infers on the doubles: no crash, nothing left behind. */
import { describe, expect, it } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.ts'
import { FAMILIES, resultOf, runFixture } from './helpers/run-fixture.ts'

const MODEL = Buffer.from(
  makeModel({
    inputs: { x: ['float32', [2]] },
    outputs: { y: ['float32', [2]] },
    nodes: [node('Neg', ['x'], ['y'])],
  }),
).toString('base64')

describe.each(FAMILIES)('%s', (family) => {
  it('ends engines in every way', async () => {
    const result = await resultOf('lifecycle', { family, execArgv: ['--expose-gc'] })

    expect(result.closedTwice.code).toBe('CLOSED')
    expect(result.closedWhileInferring.values).toEqual([0, 2, 4, 6, 8])
    expect(result.closedWhileInferring.late.code).toBe('CLOSED')
    expect(result.aborted.error.code).toBe('ABORTED')
    expect(result.aborted.other).toBe(20)
    expect(result.aborted.after.data).toEqual([6, 8, 10, 12, 14, 16, 18, 20])
    expect(result.forgotten).toBe(true)
    for (const [index, { code, messages }] of result.workers.told.entries()) {
      expect(code).toBe(0)
      expect(messages).toEqual(Array.from({ length: 10 }, (_, i) => 2 * (100 * (index + 1) + i)))
    }
    expect(result.workers.own).toBe(18)
    expect(result.terminated).toBe(12)

    for (const name of ['closedTwice', 'closedWhileInferring', 'aborted', 'forgotten', 'workers', 'terminated']) {
      expect(result[`${name}Alive`], name).toEqual({})
    }
    expect(result.misuses).toEqual([])
  })

  it.each(['load', 'infer', 'close', 'build'])('keeps the exit code when the process exits during %s', async (what) => {
    for (let i = 0; i < 3; i++) {
      const { code, signal, stderr } = await runFixture('exit', {
        family,
        args: [what, MODEL],
        env: { TRT_DOUBLE_SEED: String(i), TRT_DOUBLE_BUILD_STEP_MS: '5' },
      })
      expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: '' })
    }
  })
})
