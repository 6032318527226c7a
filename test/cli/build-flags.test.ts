import { Command } from 'commander'
import type { BuildOptions } from 'tensorrt-node'
import { expect, test } from 'vitest'
import { addBuildFlags, type BuildFlags, toBuildOptions } from '#dist/cli/build-flags.js'

/** What the API gets for these flags. */
function parse(...argv: string[]): Omit<BuildOptions, 'onnx'> {
  const command = addBuildFlags(new Command('build'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  command.argument('[model]')
  command.parse(argv, { from: 'user' })
  return toBuildOptions(command.opts<BuildFlags>())
}

test('what is not given is left to the API', () => {
  expect(parse()).toEqual({})
})

// One line for each option of BuildOptions but onnx, signal, onProgress and logger, which are no flags; a new option
// without a flag does not compile.
type FlagOption = Exclude<keyof BuildOptions, 'onnx' | 'signal' | 'onProgress' | 'logger'>
const FLAGS: { [Name in FlagOption]: [argv: string[], value: BuildOptions[Name]] } = {
  shapes: [['--shapes', 'x:1x3'], { x: [1, 3] }],
  backend: [['--backend', 'tensorrt-rtx'], 'tensorrt-rtx'],
  target: [['--target', '8.9,12.0', '--target', '8.6'], { computeCapabilities: ['8.9', '12.0', '8.6'] }],
  fp16: [['--fp16'], true],
  bf16: [['--bf16'], true],
  int8: [
    ['--int8', '--calibration', 'samples', '--calibration-method', 'mse', '--calibration-cache', 'a.cache'],
    { calibration: 'samples', method: 'mse', cache: 'a.cache' },
  ],
  fp8: [['--fp8', '--calibration-cache', 'a.cache'], { calibration: 'a.cache', cache: 'a.cache' }],
  tf32: [['--no-tf32'], false],
  stronglyTyped: [['--strongly-typed'], true],
  workspace: [['--workspace', '1.5GB'], '1.5GB'],
  memoryPools: [
    ['--memory-pool', 'tactic-dram=1GiB', '--memory-pool', 'dla-managed-sram=4096'],
    { tacticDram: '1GiB', dlaManagedSram: '4096' },
  ],
  optimizationLevel: [['--optimization-level', '0'], 0],
  timingCache: [['--timing-cache', 'a.cache'], 'a.cache'],
  sparsity: [['--sparsity'], true],
  versionCompatible: [['--version-compatible'], true],
  hardwareCompatibility: [['--hardware-compatibility', 'ampere+'], 'ampere+'],
  refittable: [['--refittable=identical'], 'identical'],
  stripPlan: [['--strip-plan'], true],
  weightStreaming: [['--weight-streaming'], true],
  profilingVerbosity: [['--profiling-verbosity', 'detailed'], 'detailed'],
  plugins: [
    ['--plugins', 'builtin', '--plugins', 'a.so'],
    ['builtin', 'a.so'],
  ],
  maxAuxStreams: [['--max-aux-streams', '0'], 0],
  tacticSources: [
    ['--tactic-sources', 'cublas,jit-convolutions'],
    ['cublas', 'jit-convolutions'],
  ],
  repair: [['--repair'], true],
  isolation: [['--isolation', 'thread'], 'thread'],
  tensorrt: [['--tensorrt', '/opt/trt'], '/opt/trt'],
}

test.each(Object.entries(FLAGS))('%s', (name, [argv, value]) => {
  expect(parse(...argv)).toEqual({ [name]: value })
})

test('--refittable by itself', () => {
  expect(parse('--refittable')).toEqual({ refittable: true })
})

test.each([
  [['--target', '9.9'], /"9\.9" is none of 7\.5/],
  [['--workspace', 'NaN'], /size such as 512MiB/],
  [['--workspace', '-1'], /size such as 512MiB/],
  [['--memory-pool', 'sram=1GiB'], /NAME=SIZE/],
  [['--memory-pool', 'tactic-dram=much'], /size such as/],
  [['--optimization-level', '6'], /integer from 0 to 5/],
  [['--optimization-level', '1e0'], /integer from 0 to 5/],
  [['--max-aux-streams', '-1'], /integer from 0/],
  [['--tactic-sources', 'cublas,cuda'], /"cuda" is none of/],
  [['--hardware-compatibility', 'all'], /Allowed choices/],
  [['--refittable', 'model.onnx'], /--refittable or --refittable=identical/],
  [['--backend', 'cpu'], /Allowed choices/],
  [['--int8'], /expected --calibration/],
  [['--calibration', 'samples'], /for --int8 and --fp8/],
  [['--int8', '--calibration', 's', '--calibration-method', 'best'], /Allowed choices/],
])('%s is refused', (argv, message) => {
  expect(() => parse(...argv)).toThrow(message)
})
