// What nvcc makes of the kernels for sm_80, sm_90 and sm_120: registers, vector width, spills. Needs no GPU.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

interface Row {
  gpu: number
  kernel: 'layerNorm' | 'layerNormStream' | 'prelu'
  type: string
  elements: number
  packs?: number
  lanes?: number
  index?: number
  slopes?: string
  registers: number
  stack: number
  local: number
  spills: number
  wideLoads: number
  wideStores: number
  calls: number
  bytesInFlight?: number
}

// Slopes shared, by channel with planes of any size, and HWC8; below 2^31 elements.
const HOT_SLOPES = ['SharedSlope', 'PackedRunSlope', 'LongRunSlope', 'ChannelsLastSlope']

let table: Row[]
beforeAll(async () => {
  const script = fileURLToPath(new URL('../../plugins/sass.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 2 ** 26 })
  table = JSON.parse(stdout) as Row[]
}, 1_200_000)

test('every kernel is there for every GPU', () => {
  const counts = [80, 90, 120].map((gpu) => table.filter((row) => row.gpu === gpu).length)
  expect(new Set(counts).size).toBe(1)
  expect(counts[0]).toBeGreaterThan(80)
})

test('no kernel spills or uses local memory', () => {
  expect(table.filter(({ stack, local, spills }) => stack + local + spills > 0)).toEqual([])
})

test('kernels of packs load and store 128 bits', () => {
  const packed = table.filter(({ elements }) => elements > 1)
  expect(packed.filter(({ wideLoads, wideStores }) => wideLoads === 0 || wideStores === 0)).toEqual([])
})

test.each([
  ['float32', 768, 6],
  ['float32', 1024, 8],
  ['float16', 768, 3],
  ['float16', 1024, 4],
])('LayerNorm, %s, hidden %i: at most 72 registers, 48 KB in flight on an SM', (type, _, packs) => {
  const rows = table.filter((row) => row.kernel === 'layerNorm' && row.type === type && row.packs === packs)
  const ofWarps = rows.filter(({ lanes, elements }) => lanes === 32 && elements > 1)
  expect(ofWarps).toHaveLength(3)
  for (const { registers, bytesInFlight } of ofWarps) {
    expect(registers).toBeLessThanOrEqual(72)
    expect(bytesInFlight).toBeGreaterThanOrEqual(48 * 1024)
  }
})

test('PReLU: at most 26 registers on the paths that models take, and no call anywhere', () => {
  const prelu = table.filter(({ kernel }) => kernel === 'prelu')
  expect(prelu.filter(({ calls }) => calls > 0)).toEqual([])
  const hot = prelu.filter(({ slopes, index }) => index === 32 && HOT_SLOPES.includes(slopes ?? ''))
  expect(hot.length).toBeGreaterThan(3 * 3 * 6)
  expect(hot.filter(({ registers }) => registers > 26)).toEqual([])
  // 32 a thread are what an SM of 2,048 threads has, so that up to there no thread is lost.
  expect(prelu.filter(({ registers }) => registers > 32)).toEqual([])
})
