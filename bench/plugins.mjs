// `npm run bench:plugins`: accuracy, memory traffic, machine code and host time of the plugins, beside what is known of
// public kernels; printed, and written to bench/plugins.md. Needs no GPU, and so tells nothing of speed on one: accuracy
// and traffic are the emulator's (plugins/emulator), registers are nvcc's, host time is that of this machine's CPU.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT, run } from '../scripts/lib/run.mjs'
import { setUpDist, setUpPackages, setUpSdk } from '../scripts/setup.mjs'

const HIDDEN = [384, 768, 1000, 1024, 4096, 8192]
const GPUS = [80, 90, 120]
const WARP = 32
const BYTES = { float32: 4, float16: 2 }

await setUpPackages()
await setUpDist()
await setUpSdk('headers')
const build = async (target) => (await run(process.execPath, [join(ROOT, 'plugins/build.mjs'), target])).trim()
const fast = await build('probe-fast')
const counting = await build('probe-counting')
const library = await build('emulated')
const pluginProbe = await build('plugin-probe')
const sass = JSON.parse(await run(process.execPath, [join(ROOT, 'plugins/sass.mjs')]))

const lines = []
await accuracy()
await traffic()
machineCode()
await hostTime()
const page = `# Plugins

Written by \`npm run bench:plugins\`, without a GPU: nothing here is a time on one. The figures of other kernels are those
known of their public sources and binaries; this command does not measure them again.

${lines.join('\n')}
`
console.log(page)
writeFileSync(join(ROOT, 'bench/plugins.md'), page)

/** Runs a probe and gives what it found. */
async function find(probe, args) {
  const { stdout } = await promisify(execFile)(probe, args.split(' '), {
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
  })
  return JSON.parse(stdout)
}

function table(title, header, rows) {
  lines.push(`## ${title}`, '', `| ${header.join(' | ')} |`, `|${header.map(() => '---').join('|')}|`)
  lines.push(...rows.map((row) => `| ${row.join(' | ')} |`), '')
}

async function accuracy() {
  const worst = async (args) => {
    let error = 0
    for (const columns of HIDDEN)
      error = Math.max(error, (await find(fast, `layer-norm rows=1 columns=${columns} ${args}`)).maxAbs)
    return error.toExponential(1)
  }
  table(
    'Accuracy of LayerNorm in fp32, against fp64',
    ['inputs', 'here', 'limit', 'others'],
    [
      [`in ±1, hidden ${HIDDEN.join(', ')}`, await worst('type=float32 seeds=10'), '1.0e-6', ''],
      [
        'mean 1000, scale 1, 60 seeds',
        await worst('type=float32 mean=1000 seeds=60'),
        '2.0e-6',
        'TensorRT 8.5 plugin 2.15; plain two-pass 2.2e-4',
      ],
    ],
  )
}

async function traffic() {
  const rows = []
  const add = async (what, args, bytes, others) => {
    const found = (await find(counting, args)).traffic
    const [reads, writes] = ['x read', 'y write'].map((name) => found[name])
    rows.push([
      what,
      (reads.bytes / bytes).toFixed(3),
      (writes.bytes / bytes).toFixed(3),
      (reads.sectors / reads.uniqueSectors).toFixed(3),
      Object.keys(reads.widths).join(', '),
      others,
    ])
  }
  const others = { 8192: "TensorRT 8.5's large path: 4 and 4" }
  for (const [type, size] of Object.entries(BYTES)) {
    for (const hidden of HIDDEN) {
      await add(
        `LayerNorm ${type}, hidden ${hidden}`,
        `layer-norm type=${type} rows=4 columns=${hidden}`,
        4 * hidden * size,
        others[hidden] ?? '',
      )
    }
  }
  await add('LayerNorm float32, hidden 40000', 'layer-norm type=float32 rows=2 columns=40000', 2 * 40000 * 4, '')
  for (const plane of ['8,8', '7,7']) {
    const count = 2 * 3 * plane.split(',').reduce((a, b) => a * b, 1)
    await add(
      `PReLU float16, planes of ${plane.replace(',', '×')}`,
      `prelu type=float16 dims=2,3,${plane} slope=3,1,1`,
      count * 2,
      '',
    )
  }
  await add('PReLU float16, HWC8', 'prelu-hwc8 pixels=50 channels=64', 50 * 64 * 2, '')
  table(
    'Memory traffic, as multiples of the tensor',
    ['kernel', 'x read', 'y written', 'sectors read', 'bytes an access', 'others'],
    rows,
  )
}

function machineCode() {
  const rows = []
  for (const type of Object.keys(BYTES)) {
    for (const hidden of HIDDEN) {
      const kernels = GPUS.map((gpu) => sass.find((row) => row.gpu === gpu && isKernelFor(row, type, hidden)))
      rows.push([
        `LayerNorm ${type}, hidden ${hidden}`,
        kernels.map(({ registers }) => registers).join(', '),
        kernels.map(({ bytesInFlight }) => Math.round(bytesInFlight / 1024)).join(', '),
        kernels.map(({ spills, local, stack }) => spills + local + stack).join(', '),
        '128',
        [768, 1024].includes(hidden) ? 'apex 93–128 and 62–80; OneFlow loads 64 bits' : '',
      ])
    }
  }
  const prelu = sass.filter(({ kernel }) => kernel === 'prelu')
  for (const slopes of new Set(prelu.map((row) => row.slopes))) {
    const kernels = GPUS.map((gpu) =>
      prelu.filter((row) => row.gpu === gpu && row.slopes === slopes && row.index === 32),
    )
    const most = (key) => kernels.map((list) => Math.max(...list.map((row) => row[key]))).join(', ')
    rows.push([`PReLU, ${slopes}`, most('registers'), '', most('spills'), '128', ''])
  }
  const gpus = GPUS.map((gpu) => `sm_${gpu}`).join(', ')
  table(
    `Machine code for ${gpus}`,
    ['kernel', 'registers', 'KB in flight an SM', 'spills', 'bits an access', 'others'],
    rows,
  )
  const spilling = sass.filter(({ spills, local, stack }) => spills + local + stack > 0).length
  const calls = prelu.filter((row) => row.calls > 0).length
  lines.push(
    `Of all ${sass.length} kernels ${spilling} spill; of PReLU's ${prelu.length}, ${calls} call a function.`,
    '',
  )
}

/** The dispatch of plugins/layer_norm/kernel.cuh, for rows that are whole packs. */
function isKernelFor({ kernel, type, elements, packs, lanes }, wanted, hidden) {
  if (kernel !== 'layerNorm' || type !== wanted || elements !== 16 / BYTES[wanted]) return false
  const needed = hidden / elements
  const ofWarp = [1, 2, 3, 4, 6, 8].find((count) => needed <= count * WARP)
  return ofWarp === undefined ? lanes === 0 && packs === 4 : lanes === WARP && packs === ofWarp
}

async function hostTime() {
  const x = join(ROOT, 'build/plugins/x.f32')
  const weights = join(ROOT, 'build/plugins/weights.f32')
  writeFileSync(x, new Float32Array(8 * 64))
  writeFileSync(weights, new Float32Array(64))
  const rows = []
  for (const [name, more] of [
    ['CustomLayerNormalization', `in=64:${weights} in=64:${weights}`],
    ['CustomPRelu', `in=64:${weights}`],
  ]) {
    for (const version of ['1', '2']) {
      const { launches, allocations, synchronizations, ratio } = await find(
        pluginProbe,
        `run ${library} ${name} ${version} time=1 in=8,64:${x} ${more} out=${join(ROOT, 'build/plugins/y.f32')}`,
      )
      rows.push([name, version, launches, allocations, synchronizations, ratio.toFixed(1)])
    }
  }
  const header = [
    'plugin',
    'version',
    'launches',
    'allocations',
    'synchronizations',
    'time ÷ that of an empty virtual call',
  ]
  table('Host side of enqueue, with a stand-in CUDA runtime', header, rows)
}
