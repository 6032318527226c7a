/** How engines and workers end while the addon infers on the doubles: no crash, nothing left behind. */
import { beforeEach, describe, it } from 'vitest'
import { expectLifecycle } from './helpers/expectations.ts'
import { FAMILIES, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('ends engines in every way', async () => {
    expectLifecycle(await resultOf('lifecycle', { family, execArgv: ['--expose-gc'] }))
  })
})
