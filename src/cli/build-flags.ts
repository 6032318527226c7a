/** The flags that say how to build, shared by `build` and `run`, and the {@link BuildOptions} that they stand for. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { COMPUTE_CAPABILITIES, TACTIC_SOURCES } from '../api/validate-options.js'
import { parseByteSize } from '../check.js'
import { CALIBRATION_METHODS, type CalibrationMethod, type InputValues } from '../onnx/index.js'
import type { BuildOptions, ComputeCapability, MemoryPools, TacticSource } from '../options.js'
import { assumeOption } from './assume.js'
import { UsageError } from './command.js'
import { type ShapeFlags, toShapes } from './shapes.js'

/** What commander makes of the flags. */
export interface BuildFlags extends ShapeFlags {
  backend?: BuildOptions['backend']
  target?: readonly ComputeCapability[]
  fp16?: true
  bf16?: true
  int8?: true
  fp8?: true
  calibration?: string
  calibrationMethod?: CalibrationMethod
  calibrationCache?: string
  /** Commander's way with `--no-tf32`: true unless it was given. */
  tf32: boolean
  stronglyTyped?: true
  workspace?: string
  memoryPool?: MemoryPools
  optimizationLevel?: BuildOptions['optimizationLevel']
  timingCache?: string
  sparsity?: true
  versionCompatible?: true
  hardwareCompatibility?: BuildOptions['hardwareCompatibility']
  refittable?: true | 'identical'
  stripPlan?: true
  weightStreaming?: true
  profilingVerbosity?: BuildOptions['profilingVerbosity']
  maxAuxStreams?: number
  tacticSources?: readonly TacticSource[]
  plugins?: readonly string[]
  repair?: true
  assume?: InputValues
  isolation?: BuildOptions['isolation']
  tensorrt?: string
}

const POOLS: Readonly<Record<string, keyof MemoryPools>> = {
  'dla-managed-sram': 'dlaManagedSram',
  'dla-local-dram': 'dlaLocalDram',
  'dla-global-dram': 'dlaGlobalDram',
  'tactic-dram': 'tacticDram',
  'tactic-shared-memory': 'tacticSharedMemory',
}

/** Adds the flags for shapes, precision, backend and everything else that shapes an engine. */
export function addBuildFlags(command: Command): Command {
  return command
    .optionsGroup('Shapes:')
    .option(
      '--shapes <list>',
      "shapes, or ranges as min..opt..max, e.g. 'images:1x3x224x224,ids:1x8..4x128..8x512'",
      collect,
    )
    .option('--min-shapes <list>', 'smallest shapes of a range', collect)
    .option('--opt-shapes <list>', 'shapes that the engine is tuned for', collect)
    .option('--max-shapes <list>', 'largest shapes of a range', collect)
    .option('--profile <list>', "one optimization profile, e.g. 'ids:1x8..4x128..8x512'; repeat for more", collect)
    .optionsGroup('Where it runs:')
    .addOption(
      new Option('--backend <name>', 'which engine to build for; auto: what can also infer on this machine').choices([
        'auto',
        'tensorrt',
        'tensorrt-rtx',
        'onnxruntime',
      ]),
    )
    .option(
      '--target <list>',
      `TensorRT-RTX: GPUs to build for, out of ${COMPUTE_CAPABILITIES.join(', ')}`,
      listOf(COMPUTE_CAPABILITIES),
    )
    .option('--tensorrt <dir>', 'a folder that holds TensorRT, searched before all others')
    .addOption(
      new Option('--isolation <kind>', 'build in a child process, or on a thread').choices(['process', 'thread']),
    )
    .optionsGroup('Repair:')
    .option('--repair', 'mend the model first where TensorRT refuses it; shapes left out are proposed')
    .addOption(assumeOption())
    .optionsGroup('Where it runs:')
    .option('--plugins <library>', "a library of plugins that the model needs, or 'builtin'; repeat for more", collect)
    .optionsGroup('Precision:')
    .option('--fp16', 'allow fp16 kernels')
    .option('--bf16', 'allow bf16 kernels')
    .option('--int8', 'quantise to int8, calibrated by --calibration')
    .option('--fp8', 'quantise to float8 (compute capability 8.9 and later)')
    .option('--calibration <path>', 'a folder of samples (.npz, .npy), or a calibration cache')
    .addOption(
      new Option('--calibration-method <name>', 'how ranges are chosen (default: percentile, and max for fp8)').choices(
        CALIBRATION_METHODS,
      ),
    )
    .option('--calibration-cache <file>', 'ranges: read where it is there, else written after calibrating')
    .option('--no-tf32', 'forbid TF32 for fp32 matrix products')
    .option('--strongly-typed', 'take every type from the model')
    .optionsGroup('Tuning:')
    .option('--workspace <size>', "limit of a layer's scratch memory, e.g. 2GiB", byteSize)
    .option('--memory-pool <name=size>', `limit of another pool: ${Object.keys(POOLS).join(', ')}`, memoryPool)
    .option('--optimization-level <n>', 'how long to search for fast kernels, 0 to 5', integer(0, 5))
    .option('--timing-cache <file>', 'kernel timings, read and updated')
    .option('--tactic-sources <list>', `kernel libraries, out of ${TACTIC_SOURCES.join(', ')}`, listOf(TACTIC_SOURCES))
    .option('--max-aux-streams <n>', 'limit of streams beside the main one', integer(0, 2 ** 31 - 1))
    .option('--sparsity', 'use kernels for 2:4 structured sparse weights')
    .optionsGroup('What the plan can do:')
    .option('--version-compatible', 'later TensorRT versions can load it')
    .addOption(
      new Option('--hardware-compatibility <level>', 'other GPUs can run it').choices([
        'none',
        'ampere+',
        'same-compute-capability',
      ]),
    )
    .option('--refittable [identical]', 'its weights can be replaced; identical: by the same ones only', refittable)
    .option('--strip-plan', 'leave the weights out, to be refitted before use')
    .option('--weight-streaming', 'stream weights from host memory')
    .addOption(
      new Option('--profiling-verbosity <level>', 'what it remembers of its layers').choices([
        'none',
        'layer-names',
        'detailed',
      ]),
    )
    .optionsGroup('Options:')
}

/** The part of {@link BuildOptions} that the flags say. What was not given stays out. */
export function toBuildOptions(flags: BuildFlags): Omit<BuildOptions, 'onnx'> {
  const options: { [Name in keyof Omit<BuildOptions, 'onnx'>]: BuildOptions[Name] | undefined } = {
    shapes: toShapes(flags),
    backend: flags.backend,
    target: flags.target && { computeCapabilities: flags.target },
    fp16: flags.fp16,
    bf16: flags.bf16,
    ...quantization(flags),
    tf32: flags.tf32 ? undefined : false,
    stronglyTyped: flags.stronglyTyped,
    workspace: flags.workspace,
    memoryPools: flags.memoryPool,
    optimizationLevel: flags.optimizationLevel,
    timingCache: flags.timingCache,
    sparsity: flags.sparsity,
    versionCompatible: flags.versionCompatible,
    hardwareCompatibility: flags.hardwareCompatibility,
    refittable: flags.refittable,
    stripPlan: flags.stripPlan,
    weightStreaming: flags.weightStreaming,
    profilingVerbosity: flags.profilingVerbosity,
    maxAuxStreams: flags.maxAuxStreams,
    tacticSources: flags.tacticSources,
    plugins: flags.plugins,
    repair: flags.repair && (flags.assume === undefined || { values: flags.assume }),
    isolation: flags.isolation,
    tensorrt: flags.tensorrt,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** `int8` and `fp8`, with the flags that say how. */
function quantization(flags: BuildFlags): Pick<BuildOptions, 'int8' | 'fp8'> {
  const { int8, fp8, calibration, calibrationMethod: method, calibrationCache: cache } = flags
  if (int8 === undefined && fp8 === undefined) {
    const stray = calibration ?? method ?? cache
    if (stray === undefined) return {}
    throw new UsageError('--calibration is for --int8 and --fp8, which are not given', '--int8 --calibration samples')
  }
  // A cache that is there needs no samples.
  const from = calibration ?? cache
  if (from === undefined) throw new UsageError('expected --calibration', '--calibration samples')
  const options = { calibration: from, ...(method && { method }), ...(cache && { cache }) }
  return { ...(int8 && { int8: options }), ...(fp8 && { fp8: options as BuildOptions['fp8'] }) } as never
}

/** A commander parser that gathers a repeated option. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** A commander parser for an integer from `min` to `max`. */
export function integer<T extends number>(min: number, max: number): (value: string) => T {
  return (value) => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`)
    }
    return number as T
  }
}

function refittable(value: string): 'identical' {
  if (value !== 'identical') throw new InvalidArgumentError('Expected --refittable or --refittable=identical.')
  return value
}

function byteSize(value: string): string {
  if (parseByteSize(value) === undefined) throw new InvalidArgumentError('Expected a size such as 512MiB or 2GiB.')
  return value
}

function memoryPool(value: string, previous: MemoryPools = {}): MemoryPools {
  const [name = '', size = ''] = value.split('=')
  const pool = Object.hasOwn(POOLS, name) ? POOLS[name] : undefined
  if (pool === undefined) {
    throw new InvalidArgumentError(`Expected NAME=SIZE, with one of ${Object.keys(POOLS).join(', ')}.`)
  }
  return { ...previous, [pool]: byteSize(size) }
}

/** A commander parser for `a,b,c`, each one of `values`; repeated lists add up. */
export function listOf<T extends string>(
  values: readonly T[],
): (text: string, previous?: readonly T[]) => readonly T[] {
  return (text, previous = []) => {
    const items = text.split(',').map((item) => item.trim())
    const unknown = items.find((item) => !values.includes(item as T))
    if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${values.join(', ')}.`)
    return [...new Set([...previous, ...(items as T[])])]
  }
}
