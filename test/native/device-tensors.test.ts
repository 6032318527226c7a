/** Tensors that stay on the device, from one engine to the next. */
import { beforeEach, describe, it } from 'vitest'
import { DEVICE_TENSORS, expectDeviceTensors } from './helpers/expectations.ts'
import { FAMILIES, resultOf, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

describe.each(FAMILIES)('%s', (family) => {
  it('chains engines without going by way of the host', async () => {
    expectDeviceTensors(await resultOf('device-tensors', { family, ...DEVICE_TENSORS }))
  })
})
