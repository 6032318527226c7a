// The plugins' kernels, the very source that nvcc compiles, run on the CUDA-on-CPU layer.

import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cudaToolkit } from '../../plugins/toolchain.mjs'
import { build, end, type Findings, find, type Traffic } from './probes.js'

const run = promisify(execFile)
const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url))
const TYPES = ['float32', 'float16', 'bfloat16']
const BYTES: Record<string, number> = { float32: 4, float16: 2, bfloat16: 2 }
// A result rounded to its type is half a last place away; one more is allowed.
const ROUNDED = 1.5

let fast: string
let sanitized: string
let counting: string

beforeAll(async () => {
  fast = await build('probe-fast')
  counting = await build('probe-counting')
  sanitized = await build('probe-sanitized')
}, 600_000)

describe('LayerNorm against fp64', () => {
  test.each(TYPES)('%s: every size from 1 to 4097, with bias, Mean and InvStdDev', async (type) => {
    const found = await find(fast, `layer-norm type=${type} rows=3 columns=1:4097:1`)
    expect(found.cases).toBe(4097)
    expect(found.launches).toBe(4097)
    if (type === 'float32') expect(found.maxAbs).toBeLessThanOrEqual(1e-6)
    else expect(found.maxUlp).toBeLessThanOrEqual(ROUNDED)
  })

  test.each([
    ['float32', 768],
    ['float32', 1000],
    ['float32', 1023],
    ['float32', 4096],
    ['float32', 16385],
    ['float32', 40000],
    ['float32', 65536],
  ])('%s, %i columns: mean 1000 and scale 1 cost no more than 2e-6 over 60 seeds', async (type, columns) => {
    const found = await find(fast, `layer-norm type=${type} rows=1 columns=${columns} mean=1000 seeds=60`)
    expect(found.cases).toBe(60)
    expect(found.maxAbs).toBeLessThanOrEqual(2e-6)
  })

  test.each([
    ['float32', 32768],
    ['float32', 65535],
    ['float16', 65536],
    ['float16', 65535],
    ['bfloat16', 65544],
  ])('%s, %i columns: rows as long as a block can hold, and longer', async (type, columns) => {
    const found = await find(fast, `layer-norm type=${type} rows=2 columns=${columns}`)
    if (type === 'float32') expect(found.maxAbs).toBeLessThanOrEqual(1e-6)
    else expect(found.maxUlp).toBeLessThanOrEqual(ROUNDED)
  })

  test('epsilon counts at 1 to 64 columns, from 1e-12 to 1, on rows whose deviation it dwarfs or is dwarfed by', async () => {
    for (const epsilon of ['1e-12', '1e-5', '1']) {
      for (const scale of ['1', '1e-3']) {
        const found = await find(
          fast,
          `layer-norm type=float32 columns=1:64:1 seeds=5 epsilon=${epsilon} scale=${scale}`,
        )
        expect(found.maxAbs, `epsilon ${epsilon}, scale ${scale}`).toBeLessThanOrEqual(2e-6)
      }
    }
  })

  test.each(['nan', 'inf', '-inf'])(
    '%s in a row spoils that row, as in the definition, and no other',
    async (special) => {
      for (const columns of [1, 7, 64, 1000, 4097, 40000]) {
        for (const type of TYPES) {
          const found = await find(fast, `layer-norm type=${type} rows=3 columns=${columns} special=${special}`)
          expect(found.maxUlp, `${type}, ${columns}`).not.toBe('inf')
        }
      }
    },
  )

  test('no rows: no kernel', async () => {
    expect((await find(fast, 'layer-norm type=float32 rows=0 columns=768')).launches).toBe(0)
  })

  test.each(['columns=768', 'columns=4096', 'columns=40000', 'columns=777'])('in place, %s', async (columns) => {
    const found = await find(fast, `layer-norm type=float32 rows=5 ${columns} inPlace=1`)
    expect(found.maxAbs).toBeLessThanOrEqual(1e-6)
  })
})

describe('PReLU, bit by bit', () => {
  const BROADCASTS = [
    'dims=2,3,7,7 slope=1',
    'dims=2,3,7,7 slope=3,1,1',
    'dims=2,3,7,7 slope=3 meaning=3,1,1',
    'dims=2,3,7,7 slope=1,3,1,1',
    'dims=2,3,8,8 slope=3,1,1',
    'dims=2,3,7,5 slope=5',
    'dims=2,3,7,5 slope=3,7,5',
    'dims=2,3,7,5 slope=2,3,7,5',
    'dims=2,3,7,5 slope=2,1,7,1',
    'dims=2,3,7,5 slope=3,1,5',
    'dims=2,3,7,8 slope=2,1,1,1',
    'dims=2,1,3,1,4,2 slope=2,1,3,1,1,2',
    'dims=4,5 slope=4,1',
    'dims=4,5 slope=5',
    'dims=3,257,1 slope=257,1',
    'dims=1 slope=1',
    'dims=5,1,1 slope=1',
  ]
  test.each(TYPES)('%s: every kind of broadcast, aligned, not aligned and in place', async (type) => {
    for (const shape of BROADCASTS) {
      for (const where of ['misalign=0', 'misalign=1', 'inPlace=1']) {
        const found = await find(fast, `prelu type=${type} ${shape} ${where}`)
        expect(found.maxUlp, `${shape} ${where}`).toBe(0)
      }
    }
  })

  test('NaN and infinities stay what they are, or take the slope', async () => {
    for (const special of ['nan', 'inf', '-inf']) {
      const found = await find(fast, `prelu type=float16 dims=2,3,5,5 slope=3,1,1 special=${special}`)
      expect(found.maxUlp).toBe(0)
    }
  })

  test.each([1, 7, 8, 13, 64])('HWC8 with %i channels', async (channels) => {
    expect((await find(fast, `prelu-hwc8 pixels=37 channels=${channels}`)).maxUlp).toBe(0)
  })

  test('divisions by multiplication are divisions', async () => {
    const found = await find(fast, 'divisors')
    expect(found.cases).toBeGreaterThan(100_000)
    expect(found.wrong).toBe(0)
  })
})

describe('past 2^31 elements, only the blocks there being run', () => {
  test.each([
    'layer-norm-far type=float32 columns=1024',
    'layer-norm-far type=float32 columns=4096',
    'layer-norm-far type=float16 columns=1024',
    'prelu-far type=float32 run=49',
    'prelu-far type=float16 run=49',
    'prelu-far type=bfloat16 run=64',
  ])('%s writes there and nowhere else', async (args) => {
    const found = await find(fast, args)
    expect(found.firstElement).toBeGreaterThan(2 ** 31)
    expect(found.writtenThere).toBe(found.expected)
    expect(found.writtenAround).toBe(0)
    expect(found.maxUlp).toBeLessThanOrEqual(args.includes('float32') && args.startsWith('layer') ? 8 : ROUNDED)
  })
})

describe('under AddressSanitizer and UBSan', () => {
  test.each([
    'layer-norm type=float32 rows=3 columns=1:300:1',
    'layer-norm type=float16 rows=3 columns=1:4097:31',
    'layer-norm type=bfloat16 rows=2 columns=1:4097:67',
    'layer-norm type=float32 rows=2 columns=4090:4097:1',
    'layer-norm type=float32 rows=3 columns=64:1024:64 misalign=1 bias=0',
    'layer-norm type=float32 rows=0 columns=64',
    'layer-norm type=float32 rows=1 columns=65536',
    'layer-norm type=float16 rows=1 columns=65535',
    'prelu type=float32 dims=2,3,7,7 slope=3,1,1',
    'prelu type=float16 dims=2,3,7,7 slope=3,1,1 misalign=1',
    'prelu type=float16 dims=2,3,7,5 slope=3,1,5',
    'prelu type=bfloat16 dims=1,5,3 slope=5,3',
    'prelu-hwc8 pixels=9 channels=13',
    'prelu-far type=float16 run=49',
    'layer-norm-far type=float32',
  ])('%s', async (args) => {
    await find(sanitized, args)
  })
})

/** How often the elements of a buffer moved. */
function passes(found: Findings, name: string, bytes: number): number {
  return (found.traffic[name] as Traffic).bytes / bytes
}

describe('memory traffic, every access counted', () => {
  test.each(TYPES)('%s LayerNorm reads x once and writes y once for every size to 8192', async (type) => {
    for (const columns of [1, 3, 8, 33, 64, 100, 127, 128, 384, 768, 1000, 1024, 1023, 2048, 4096, 4097, 8191, 8192]) {
      const found = await find(counting, `layer-norm type=${type} rows=5 columns=${columns}`)
      const size = 5 * columns * (BYTES[type] as number)
      expect(passes(found, 'x read', size), `${columns} columns`).toBe(1)
      expect(passes(found, 'y write', size), `${columns} columns`).toBe(1)
    }
  })

  test.each([
    ['float32', 32768, 1],
    ['float32', 40000, 2],
    ['float32', 16385, 2],
    ['float16', 65536, 1],
    ['bfloat16', 131072, 2],
  ])('%s LayerNorm with %i columns reads x %i times', async (type, columns, times) => {
    const found = await find(counting, `layer-norm type=${type} rows=2 columns=${columns}`)
    const size = 2 * columns * (BYTES[type] as number)
    expect(passes(found, 'x read', size)).toBe(times)
    expect(passes(found, 'y write', size)).toBe(1)
  })

  test.each([
    ['float32', 128],
    ['float32', 256],
    ['float32', 384],
    ['float32', 768],
    ['float32', 1024],
    ['float32', 4096],
    ['float32', 8192],
    ['float16', 768],
    ['float16', 1024],
    ['float16', 8192],
  ])('%s LayerNorm with %i columns: 16-byte accesses, 16 sectors a request, no sector twice', async (type, columns) => {
    const found = await find(counting, `layer-norm type=${type} rows=4 columns=${columns}`)
    for (const name of ['x read', 'y write']) {
      const traffic = found.traffic[name] as Traffic
      expect(Object.keys(traffic.widths), name).toEqual(['16'])
      expect(traffic.sectors / traffic.requests, name).toBe(16)
      expect(traffic.sectors, name).toBe(traffic.uniqueSectors)
    }
  })

  test.each(['dims=2,3,8,8 slope=3,1,1', 'dims=2,3,7,7 slope=3,1,1', 'dims=2,3,7,7 slope=1', 'dims=5,7,3 slope=7,3'])(
    'PReLU %s reads x once and writes y once',
    async (shape) => {
      for (const type of TYPES) {
        const found = await find(counting, `prelu type=${type} ${shape}`)
        const count = (/dims=([\d,]+)/.exec(shape)?.[1] ?? '')
          .split(',')
          .reduce((all, extent) => all * Number(extent), 1)
        expect(passes(found, 'x read', count * (BYTES[type] as number))).toBe(1)
        expect(passes(found, 'y write', count * (BYTES[type] as number))).toBe(1)
      }
    },
  )

  test.each([8, 13, 64])('PReLU in HWC8 with %i channels reads x once and writes y once', async (channels) => {
    const found = await find(counting, `prelu-hwc8 pixels=50 channels=${channels}`)
    const size = 50 * Math.ceil(channels / 8) * 8 * 2
    expect(passes(found, 'x read', size)).toBe(1)
    expect(passes(found, 'y write', size)).toBe(1)
    expect(Object.keys((found.traffic['x read'] as Traffic).widths)).toEqual(['16'])
  })
})

/**
 * The faults that are put into the kernels on purpose. One compilation has them all, as each costs ten seconds: every one
 * sleeps until the environment names it.
 */
const SEEDED: Readonly<Record<string, readonly (readonly [sound: string, seeded: string])[]>> = {
  'common/device.cuh': [
    [
      'constexpr int kWarpSize = 32;',
      `inline bool seeded(char const* fault) {
        char const* const wanted = std::getenv("SEEDED_FAULT");
        return wanted != nullptr && std::strcmp(wanted, fault) == 0;
      }
      constexpr int kWarpSize = 32;`,
    ],
    ['#include <cstdint>', '#include <cstdint>\n#include <cstdlib>\n#include <cstring>'],
    [
      'constexpr unsigned kAllLanes = 0xffffffffu;',
      'inline unsigned const kAllLanes = seeded("lanes not in the mask") ? 0x0000ffffu : 0xffffffffu;',
    ],
    ['static_cast<uintptr_t>(bytes) == 0', 'static_cast<uintptr_t>(bytes) < (seeded("misaligned") ? 16 : 1)'],
  ],
  'layer_norm/kernel.cuh': [
    ['if (pack < packs) held[i] = source[pack];', 'if (pack < packs || seeded("overrun")) held[i] = source[pack];'],
    [
      '    __syncthreads();\n',
      `    if (seeded("some reach the barrier") ? threadIdx.x < 64 : !seeded("no barrier")) __syncthreads();\n`,
    ],
    [
      '  // A thread without a row',
      '  if (seeded("lanes have left") && row >= rows) return;\n  // A thread without a row',
    ],
  ],
}

describe('faults put into the kernels on purpose are caught', () => {
  const folders: string[] = []
  let faulty: string

  beforeAll(async () => {
    faulty = await mutated('probe-counting', SEEDED)
  }, 300_000)
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

  /** A target built from a copy of the plugins' sources in which each sound text, where it is first, became another. */
  async function mutated(target: string, changes: typeof SEEDED): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'plugins-'))
    folders.push(folder)
    await cp(PLUGINS, folder, { recursive: true })
    for (const [kernel, texts] of Object.entries(changes)) {
      const file = join(folder, kernel)
      let source = await readFile(file, 'utf8')
      for (const [sound, seeded] of texts) {
        expect(source, 'the fault fits the kernel').toContain(sound)
        source = source.replace(sound, seeded)
      }
      await writeFile(file, source)
    }
    return build(target, folder)
  }

  const SMALL = 'layer-norm type=float32 rows=3 columns=100'
  test.each([
    ['overrun', SMALL, /out of bounds: read of 16 bytes at offset \d+ of 'x'/],
    ['no barrier', 'layer-norm type=float32 rows=2 columns=4096', /race in shared memory/],
    ['some reach the barrier', 'layer-norm type=float32 rows=2 columns=4096', /divergent|race/],
    ['lanes not in the mask', 'layer-norm type=float32 rows=2 columns=256', /not in the mask/],
    ['lanes have left', 'layer-norm type=float32 rows=3 columns=8', /has exited/],
    [
      'misaligned',
      'layer-norm type=float32 rows=3 columns=64 misalign=1',
      /misaligned: read of 16 bytes at offset 0 of 'x'/,
    ],
  ])('%s', async (fault, args, words) => {
    await find(faulty, args)
    const { code, stderr } = await end(faulty, args, { SEEDED_FAULT: fault })
    expect(code).not.toBe(0)
    expect(stderr).toMatch(words)
  })

  test('an overrun, under AddressSanitizer', async () => {
    const probe = await mutated('probe-sanitized', {
      'layer_norm/kernel.cuh': [['if (pack < packs) held[i] = source[pack];', 'held[i] = source[pack];']],
    })
    expect((await end(probe, SMALL)).stderr).toMatch(/heap-buffer-overflow[\s\S]*layer_norm\/kernel\.cuh/)
  }, 300_000)

  test('one constant in a .cuh: what nvcc makes, what the emulator computes, and what a test says, are others', async () => {
    const probe = await mutated('probe-fast', { 'prelu/kernel.cuh': [['value < 0.0f', 'value < 0.5f']] })
    const found = JSON.parse((await end(probe, 'prelu type=float32 dims=2,3,7,7 slope=3,1,1')).stdout) as Findings
    expect(found.maxUlp).not.toBe(0)
    const { nvcc, cuobjdump } = await cudaToolkit()
    const instructions = async (sources: string): Promise<string> => {
      const cubin = join(dirname(probe), `${sources === PLUGINS ? 'sound' : 'faulty'}.cubin`)
      await run(nvcc, ['-std=c++17', '-O3', '-cubin', '-arch=sm_80', join(sources, 'prelu/kernel.cu'), '-o', cubin])
      const { stdout } = await run(cuobjdump, ['-sass', cubin], { maxBuffer: 2 ** 28 })
      // Of the code alone: names of functions hold the path.
      return stdout
        .split('\n')
        .filter((line) => /^\s*\/\*[0-9a-f]{4}\*\//.test(line))
        .join('\n')
    }
    const sound = await instructions(PLUGINS)
    expect(sound.length).toBeGreaterThan(100_000)
    expect(await instructions(dirname(dirname(probe)))).not.toBe(sound)
  }, 600_000)
})
