/** How engines, workers and processes end while the addon infers on the doubles: no crash, nothing left behind. */
import { beforeEach, describe, expect, it } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.ts'
import { expectLifecycle } from './helpers/expectations.ts'
import { FAMILIES, resultOf, runFixture, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

const MODEL = Buffer.from(
  makeModel({
    inputs: { x: ['float32', [2]] },
    outputs: { y: ['float32', [2]] },
    nodes: [node('Neg', ['x'], ['y'])],
  }),
).toString('base64')

describe.each(FAMILIES)('%s', (family) => {
  it('ends engines in every way', async () => {
    expectLifecycle(await resultOf('lifecycle', { family, execArgv: ['--expose-gc'] }))
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
