import type { BuildSettings } from '../backends/backend.js'
import {
  type Check,
  checkOptions,
  isAbortSignal,
  isBoolean,
  isByteSize,
  isFunction,
  isInteger,
  isListOf,
  isLogger,
  isNonEmptyString,
  isNumberFrom,
  isOneOf,
  isPlainObject,
  isRanges,
  isTexts,
  toBytes,
  withoutUndefined,
} from '../check.js'
import { TrtError } from '../errors.js'
import { CALIBRATION_METHODS, Model } from '../onnx/index.js'
import type {
  BuildOptions,
  CudaGraphOptions,
  InferOptions,
  LoadOptions,
  Logger,
  MemoryPools,
  QuantizationOptions,
  QueueOptions,
} from '../options.js'

/** The GPU generations that TensorRT-RTX 1.7 can build for (`nvinfer1::ComputeCapability`, NvInfer.h). */
export const COMPUTE_CAPABILITIES = ['7.5', '8.0', '8.6', '8.9', '12.0', '12.1'] as const

/** `nvinfer1::TacticSource` (NvInferRuntime.h), in the order of its bits. */
export const TACTIC_SOURCES = ['cublas', 'cublas-lt', 'cudnn', 'edge-mask-convolutions', 'jit-convolutions'] as const

const MEMORY_POOLS = {
  dlaManagedSram: isByteSize,
  dlaLocalDram: isByteSize,
  dlaGlobalDram: isByteSize,
  tacticDram: isByteSize,
  tacticSharedMemory: isByteSize,
} as const satisfies Record<keyof MemoryPools, Check>

const BACKEND = isOneOf('auto', 'tensorrt', 'tensorrt-rtx', 'onnxruntime')

const isModel: Check = (value) =>
  (typeof value === 'string' && value !== '') ||
  value instanceof Uint8Array ||
  value instanceof Model ||
  isFileUrl(value)
    ? undefined
    : 'a path, a file: URL, a Uint8Array or an onnx.Model'

const isShapes: Check = (value) =>
  isPlainObject(value) || (Array.isArray(value) && value.length > 0 && value.every(isPlainObject))
    ? undefined
    : 'an object { input: shape }, or a non-empty array of such objects'

const isValues: Check = (value) => (isPlainObject(value) ? undefined : 'an object { input: value }')

const nested =
  (name: string, checks: Readonly<Record<string, Check>>): Check =>
  (value) => {
    checkOptions(name, value, checks)
    return undefined
  }

const isCalibration: Check = (value) =>
  (typeof value === 'string' && value !== '') ||
  isFileUrl(value) ||
  isRanges(value) === undefined ||
  (typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value))
    ? undefined
    : 'samples (an array, or what gives them one by one), the path of a folder or a cache, or ranges by name'

const quantizationChecks = (methods: readonly string[]): Readonly<Record<keyof QuantizationOptions, Check>> => ({
  calibration: isCalibration,
  method: isOneOf(...methods),
  percentile: isNumberFrom(50, 100),
  powerOfTwo: isBoolean,
  cache: isNonEmptyString,
  ops: isTexts(1),
  nodes: isTexts(1),
  keepOps: isTexts(),
  keepNodes: isTexts(),
  minChannels: isInteger(1, 2 ** 31 - 1),
})

/** What each option has to be. */
// `Record<keyof BuildOptions, Check>`: an option that is added to the type and not here does not compile.
export const BUILD_CHECKS: Readonly<Record<keyof BuildOptions, Check>> = {
  onnx: isModel,
  shapes: isShapes,
  backend: BACKEND,
  target: nested('target', { computeCapabilities: isListOf(...COMPUTE_CAPABILITIES) }),
  fp16: isBoolean,
  bf16: isBoolean,
  int8: nested('int8', quantizationChecks(CALIBRATION_METHODS)),
  fp8: nested('fp8', quantizationChecks(['max', 'percentile'])),
  tf32: isBoolean,
  stronglyTyped: isBoolean,
  workspace: isByteSize,
  memoryPools: nested('memoryPools', MEMORY_POOLS),
  optimizationLevel: isInteger(0, 5),
  timingCache: isNonEmptyString,
  sparsity: isBoolean,
  versionCompatible: isBoolean,
  hardwareCompatibility: isOneOf('none', 'ampere+', 'same-compute-capability'),
  refittable: isOneOf(true, false, 'identical'),
  stripPlan: isBoolean,
  weightStreaming: isBoolean,
  profilingVerbosity: isOneOf('none', 'layer-names', 'detailed'),
  maxAuxStreams: isInteger(0, 2 ** 31 - 1),
  tacticSources: isListOf(...TACTIC_SOURCES),
  plugins: isTexts(),
  repair: (value) => (typeof value === 'boolean' ? undefined : nested('repair', { values: isValues })(value)),
  isolation: isOneOf('process', 'thread'),
  tensorrt: isNonEmptyString,
  signal: isAbortSignal,
  onProgress: isFunction,
  logger: isLogger,
}

const QUEUE_CHECKS: Readonly<Record<keyof QueueOptions, Check>> = {
  maxWaiting: isInteger(0, 2 ** 31 - 1),
  maxWaitMs: isInteger(0, 2 ** 31 - 1),
}

const GRAPH_CHECKS: Readonly<Record<keyof CudaGraphOptions, Check>> = { max: isInteger(1, 64) }

const isGraphs = (value: unknown): string | undefined => {
  if (!isPlainObject(value)) return 'a boolean or an object { max }'
  checkOptions('cudaGraphs', value, GRAPH_CHECKS)
  return undefined
}

/** What each option has to be. */
export const LOAD_CHECKS: Readonly<Record<keyof LoadOptions, Check>> = {
  device: isInteger(0, 2 ** 31 - 1),
  contexts: isInteger(1, 1024),
  queue: nested('queue', QUEUE_CHECKS),
  profile: isBoolean,
  weightStreamingBudget: (value) =>
    value === 'auto' || value === 0
      ? undefined
      : isByteSize(value) && "'auto', or a number of bytes or a text like '512MiB'",
  cudaGraphs: (value) => (typeof value === 'boolean' ? undefined : isGraphs(value)),
  allowHostCode: isBoolean,
  plugins: isTexts(),
  backend: BACKEND,
  tensorrt: isNonEmptyString,
  signal: isAbortSignal,
  logger: isLogger,
}

const INFER_CHECKS: Readonly<Record<keyof InferOptions, Check>> = {
  outputs: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')
      ? undefined
      : 'a non-empty array of output names',
  signal: isAbortSignal,
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function validateBuildOptions(options: BuildOptions): void {
  checkOptions('buildEngine', options, BUILD_CHECKS)
  if (options.onnx === undefined) {
    throw new TrtError(
      'INVALID_ARGUMENT',
      'buildEngine: expected a path, a file: URL, a Uint8Array or an onnx.Model for onnx, received undefined',
      { hint: "buildEngine({ onnx: 'model.onnx' })" },
    )
  }
  checkQuantization(options)
  if (options.target !== undefined && options.target.computeCapabilities === undefined) {
    throw new TrtError('INVALID_ARGUMENT', 'buildEngine: expected computeCapabilities in target, received none', {
      hint: "target: { computeCapabilities: ['8.9'] }",
    })
  }
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
function checkQuantization({ int8, fp8 }: BuildOptions): void {
  if (int8 !== undefined && fp8 !== undefined) {
    throw new TrtError('INVALID_ARGUMENT', 'buildEngine: expected int8 or fp8, received both', {
      hint: 'leave one out',
    })
  }
  for (const [name, options] of Object.entries({ int8, fp8 })) {
    if (options === undefined || options.calibration !== undefined) continue
    throw new TrtError('INVALID_ARGUMENT', `buildEngine: expected calibration in ${name}, received none`, {
      hint: `${name}: { calibration: samples }, with a hundred inputs or so`,
    })
  }
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function validateLoadOptions(options: LoadOptions): void {
  checkOptions('loadEngine', options, LOAD_CHECKS)
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function validateInferOptions(options: InferOptions): void {
  checkOptions('infer', options, INFER_CHECKS)
}

/**
 * The options that shape a plan, as plain data that crosses processes; what the user left out stays out. `int8` and `fp8`
 * are not among them, as they stand for ranges that are still to be found.
 */
export function toBuildSettings(options: BuildOptions, timingCachePath: string | undefined): BuildSettings {
  const { fp16, bf16, tf32, stronglyTyped, optimizationLevel, sparsity, versionCompatible } = options
  const { hardwareCompatibility, refittable, stripPlan, weightStreaming, profilingVerbosity, maxAuxStreams } = options
  return withoutUndefined<BuildSettings>({
    fp16,
    bf16,
    tf32,
    stronglyTyped,
    optimizationLevel,
    sparsity,
    versionCompatible,
    hardwareCompatibility,
    refittable,
    stripPlan,
    weightStreaming,
    profilingVerbosity,
    maxAuxStreams,
    tacticSources: options.tacticSources,
    plugins: options.plugins?.length === 0 ? undefined : options.plugins,
    computeCapabilities: options.target?.computeCapabilities,
    workspace: options.workspace === undefined ? undefined : toBytes(options.workspace),
    memoryPools: options.memoryPools === undefined ? undefined : toBytesEach(options.memoryPools),
    timingCache: timingCachePath,
  })
}

function toBytesEach(pools: MemoryPools): NonNullable<BuildSettings['memoryPools']> {
  return Object.fromEntries(Object.entries(withoutUndefined(pools)).map(([pool, size]) => [pool, toBytes(size)]))
}

function isFileUrl(value: unknown): value is URL {
  return value instanceof URL && value.protocol === 'file:'
}

const ignore = (): void => {}

/** The default logger: says nothing. */
export const SILENT: Logger = { error: ignore, warn: ignore, info: ignore, debug: ignore }
