// Builds what the plugins are made of and tested with, each only where its sources changed, and prints its path:
//   node plugins/build.mjs probe-fast | probe-sanitized | probe-counting      kernels on the CPU-emulated GPU
// A target takes seconds to a minute. `--sources FOLDER` builds from another copy of plugins/ (a mutated one), into it.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashOf, once, ROOT, run } from '../scripts/lib/run.mjs'
import { cudaToolkit } from './toolchain.mjs'

const PLUGINS = dirname(fileURLToPath(import.meta.url))
const CXX = process.env.CXX ?? 'g++'

// -Wno-unknown-pragmas: `#pragma unroll` is nvcc's. -Wno-maybe-uninitialized: that a pack is used under the condition it
// was read under is beyond gcc. Floating point as written: a GPU contracts, x86-64 without FMA does not.
const EMULATED = [
  '-std=c++17',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unknown-pragmas',
  '-Wno-maybe-uninitialized',
  '-fno-threadsafe-statics',
  '-ffp-contract=off',
]

/** @type {Record<string, (context: { sources: string, output: string }) => Promise<void>>} */
const TARGETS = {
  'probe-fast': (context) => probe(context, ['-O2'], ['memory.cc']),
  'probe-sanitized': (context) =>
    probe(context, ['-O1', '-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'], ['memory.cc']),
  'probe-counting': countingProbe,
}

const [target, ...rest] = process.argv.slice(2)
if (!Object.hasOwn(TARGETS, target ?? '')) {
  console.error(`expected one of ${Object.keys(TARGETS).join(', ')}; got ${target ?? 'nothing'}`)
  process.exit(2)
}
const sources = rest[0] === '--sources' ? resolve(rest[1]) : PLUGINS
try {
  console.log(await build(target, sources))
} catch (error) {
  console.error(error.message)
  process.exit(1)
}

async function build(name, sources) {
  const folder = sources === PLUGINS ? join(ROOT, 'build/plugins') : join(sources, 'build')
  mkdirSync(folder, { recursive: true })
  const output = join(folder, name)
  const files = readdirSync(sources, { recursive: true })
    .filter((file) => /\.(cc|h|cu|cuh|mjs|txt)$/.test(file))
    .map((file) => join(sources, file))
  if (sources === PLUGINS)
    await once(`plugins-${name}`, hashOf(files, name), [output], () => TARGETS[name]({ sources, output }))
  else if (!existsSync(output)) await TARGETS[name]({ sources, output })
  return output
}

async function probe({ sources, output }, flags, memory) {
  const { include } = await cudaToolkit()
  const files = ['emulator/emulator.cc', ...memory.map((file) => `emulator/${file}`), 'test/kernel_probe.cc']
  await run(CXX, [
    ...EMULATED,
    ...flags,
    '-isystem',
    include,
    ...files.map((file) => join(sources, file)),
    '-o',
    output,
  ])
}

/** Only the kernels and their test are compiled with calls before every access; traffic.cc answers the calls. */
async function countingProbe({ sources, output }) {
  const { include } = await cudaToolkit()
  const compile = (file, flags) => {
    const object = `${output}-${file.replaceAll('/', '-')}.o`
    return run(CXX, [...EMULATED, ...flags, '-isystem', include, '-c', join(sources, file), '-o', object]).then(
      () => object,
    )
  }
  const objects = [
    await compile('emulator/emulator.cc', ['-O2']),
    await compile('emulator/traffic.cc', ['-O2']),
    // Unoptimized: an access in the source is an access in the program.
    await compile('test/kernel_probe.cc', ['-O0', '-fsanitize=thread']),
  ]
  await run(CXX, [...objects, '-o', output])
}
