// What the native addon adds on the host, on stand-ins for CUDA and TensorRT (native/test/README.md): there is no GPU to
// wait for, so that what is left is our own. It is measured beside an empty Node-API call and a round trip of
// napi_async_work in the same process, which is `runner-process.mjs`: the addon looks for libcuda where the process began to.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT, run } from '../scripts/lib/run.mjs'

const PROCESS = fileURLToPath(new URL('runner-process.mjs', import.meta.url))
const DOUBLES = join(ROOT, 'build/doubles')

export const title = 'What the addon adds to a run'

export async function measure() {
  await run(process.execPath, [join(ROOT, 'native/test/build-doubles.mjs'), '--families=trt10'])
  return [
    // Copies, events, waits and the engine do nothing.
    ...(await results('overhead', { TRT_DOUBLE_IDLE: '1' })),
    // Streams are threads, and the engine sleeps.
    ...(await results('contexts', { TRT_DOUBLE_MAX_DELAY_US: '0' })),
  ]
}

async function results(what, settings) {
  const env = {
    TRT_TEST_FAMILY: 'trt10',
    TRT_TEST_DOUBLES: DOUBLES,
    LD_LIBRARY_PATH: join(DOUBLES, 'cuda'),
    ...settings,
  }
  return JSON.parse(await run(process.execPath, ['--expose-gc', PROCESS, what], { env }))
}
