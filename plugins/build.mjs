// Builds what the plugins are made of and tested with, each only where its sources changed, and prints its path (several
// targets at once are fine):
//   node plugins/build.mjs probe-fast | probe-sanitized | probe-counting      kernels on the CPU-emulated GPU
//   node plugins/build.mjs library-trt10 | library-trt11                      the plugin library, by nvcc (minutes)
//   node plugins/build.mjs emulated                                           the same library on the emulated GPU
//   node plugins/build.mjs plugin-probe                                       drives either library
//   node plugins/build.mjs sass                                               folder of one cubin per kernel and GPU
// A target takes seconds to a minute. `--sources FOLDER` builds from another copy of plugins/ (a mutated one), into it.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hashOf, once, ROOT, run } from '../scripts/lib/run.mjs'
import { cudaToolkit, tensorrtHeaders } from './toolchain.mjs'

const PLUGINS = dirname(fileURLToPath(import.meta.url))
const LIBRARY = 'libtensorrt_node_plugins.so'
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

// What TensorRT deprecates is carried on purpose: version "1" of the plugins.
const HOST = [
  '-std=c++17',
  '-O2',
  '-fPIC',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-deprecated-declarations',
]
const HOST_SOURCES = [
  'registration.cc',
  'common/boundary.cc',
  'common/device_weights.cc',
  'common/field_reader.cc',
  'common/plugin_v2.cc',
  'common/plugin_v3.cc',
  'layer_norm/layer_norm.cc',
  'prelu/prelu.cc',
]
const EXPORTS = `-Wl,--version-script=${join(PLUGINS, 'exports.map')}`
const KERNELS = ['layer_norm/kernel.cu', 'prelu/kernel.cu']
// Turing to Blackwell; for what comes later, the driver compiles the PTX of the last one.
const GPUS = [75, 80, 86, 89, 90, 100, 120]
const GATED_GPUS = [80, 90, 120]

/** @type {Record<string, (context: { sources: string, output: string }) => Promise<void>>} */
const TARGETS = {
  'probe-fast': (context) => probe(context, ['-O2'], ['memory.cc']),
  'probe-sanitized': (context) =>
    probe(context, ['-O1', '-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'], ['memory.cc']),
  'probe-counting': countingProbe,
  'library-trt10': (context) => library(context, 'trt10-10.16'),
  'library-trt11': (context) => library(context, 'trt11-11.4'),
  emulated: emulatedLibrary,
  'plugin-probe': pluginProbe,
  sass: cubins,
}

const { values, positionals: targets } = parseArgs({
  allowPositionals: true,
  options: { sources: { type: 'string', default: PLUGINS } },
})
const unknown = targets.find((name) => !Object.hasOwn(TARGETS, name))
if (unknown !== undefined || targets.length === 0) {
  console.error(`expected some of ${Object.keys(TARGETS).join(', ')}; got ${unknown ?? 'nothing'}`)
  process.exit(2)
}
try {
  for (const target of targets) console.log(await build(target, resolve(values.sources)))
} catch (error) {
  console.error(error.message)
  process.exit(1)
}

async function build(name, sources) {
  const folder = sources === PLUGINS ? join(ROOT, 'build/plugins') : join(sources, 'build')
  mkdirSync(folder, { recursive: true })
  const output = join(folder, name, /^(library|emulated)/.test(name) ? LIBRARY : '')
  mkdirSync(dirname(output), { recursive: true })
  const files = readdirSync(sources, { recursive: true })
    .filter((file) => /\.(cc|h|cu|cuh|mjs|txt|map)$/.test(file))
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
  const objects = await Promise.all([
    compile('emulator/emulator.cc', ['-O2']),
    compile('emulator/traffic.cc', ['-O2']),
    // Unoptimized: an access in the source is an access in the program.
    compile('test/kernel_probe.cc', ['-O0', '-fsanitize=thread']),
  ])
  await run(CXX, [...objects, '-o', output])
}

/** Kernels know nothing of TensorRT, so one compilation serves every version of it. */
async function kernelObjects(folder) {
  const { nvcc } = await cudaToolkit()
  const targets = GPUS.map((gpu) => `-gencode=arch=compute_${gpu},code=sm_${gpu}`)
  const last = GPUS.at(-1)
  // --threads 0: as many GPUs at once as there are cores.
  const flags = ['-std=c++17', '-O3', '-Xcompiler', '-fPIC,-fvisibility=hidden,-Wall', '--threads', '0', ...targets]
  return Promise.all(
    KERNELS.map(async (kernel) => {
      const object = join(folder, `${dirname(kernel)}.o`)
      const files = [
        kernel,
        kernel.replace('.cu', '.h'),
        kernel.replace('.cu', '.cuh'),
        'common/device.cuh',
        'common/types.h',
      ]
      await once(
        `plugins-${object.replaceAll('/', '_')}`,
        hashOf(
          files.map((file) => join(PLUGINS, file)),
          flags.join(),
        ),
        [object],
        () =>
          run(nvcc, [
            ...flags,
            `-gencode=arch=compute_${last},code=compute_${last}`,
            '-c',
            join(PLUGINS, kernel),
            '-o',
            object,
          ]),
      )
      return object
    }),
  )
}

async function hostObjects(sources, folder, includes) {
  return Promise.all(
    sources.map(async (file) => {
      const object = join(folder, `${file.replaceAll('/', '-')}.o`)
      await run(CXX, [
        ...HOST,
        ...includes.flatMap((include) => ['-isystem', include]),
        '-c',
        join(PLUGINS, file),
        '-o',
        object,
      ])
      return object
    }),
  )
}

async function library({ output }, headers) {
  const { include, libraries } = await cudaToolkit()
  const kernels = await kernelObjects(dirname(dirname(output)))
  const objects = await hostObjects(HOST_SOURCES, dirname(output), [tensorrtHeaders(headers), include])
  // cudart comes along and stays inside: the library depends on nothing that a machine with a driver lacks.
  const cudart = [`-L${libraries}`, '-lcudart_static', '-ldl', '-lrt', '-lpthread']
  await run(CXX, ['-shared', '-Wl,--exclude-libs,ALL', EXPORTS, ...kernels, ...objects, ...cudart, '-o', output])
}

/** The same classes and the very same kernels, on the emulated GPU and a stand-in for the CUDA runtime. */
async function emulatedLibrary({ output }) {
  const { include } = await cudaToolkit()
  const headers = tensorrtHeaders('trt10-10.16')
  const objects = await hostObjects(HOST_SOURCES, dirname(output), [headers, include])
  const emulator = ['emulator/emulator.cc', 'emulator/cuda_runtime.cc'].map((file) => join(PLUGINS, file))
  const kernels = KERNELS.flatMap((file) => ['-x', 'c++', join(PLUGINS, file)])
  await run(CXX, [
    ...EMULATED,
    '-O2',
    '-fPIC',
    '-fvisibility=hidden',
    '-shared',
    EXPORTS,
    '-isystem',
    include,
    ...objects,
    ...emulator,
    ...kernels,
    '-o',
    output,
  ])
}

async function pluginProbe({ output }) {
  const { include } = await cudaToolkit()
  // Its dlopen'ed library is watched for leaks with it.
  await run(CXX, [
    ...HOST.filter((flag) => flag !== '-fPIC'),
    '-g1',
    '-fsanitize=address',
    '-isystem',
    tensorrtHeaders('trt10-10.16'),
    '-isystem',
    include,
    join(PLUGINS, 'test/plugin_probe.cc'),
    '-ldl',
    '-o',
    output,
  ])
}

async function cubins({ output }) {
  const { nvcc } = await cudaToolkit()
  mkdirSync(output, { recursive: true })
  const cubin = (kernel, gpu) =>
    run(nvcc, [
      '-std=c++17',
      '-O3',
      '-cubin',
      `-arch=sm_${gpu}`,
      join(PLUGINS, kernel),
      '-o',
      join(output, `${dirname(kernel)}-sm_${gpu}.cubin`),
    ])
  await Promise.all(KERNELS.flatMap((kernel) => GATED_GPUS.map((gpu) => cubin(kernel, gpu))))
}
