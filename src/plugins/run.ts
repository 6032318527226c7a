import {
  type Check,
  checkOptions,
  isAbortSignal,
  isInteger,
  isNonEmptyString,
  isOneOf,
  isPlainObject,
} from '../check.js'
import { TrtError } from '../errors.js'
import { elementAt, makeData, setElement } from '../npy/elements.js'
import { checkTensor, describe, Tensor, type TensorLike } from '../tensor.js'
import { PLUGIN_FORMATS, type PluginRunOptions, type PluginRunResult } from './options.js'
import { type BenchRun, PluginBench } from './plugin-bench.js'

const FLOATS: readonly string[] = ['float32', 'float16', 'bfloat16', 'float64']

const isFields: Check = (value) =>
  isPlainObject(value) && Object.values(value).every(isFieldValue)
    ? undefined
    : 'an object of numbers, booleans, texts, arrays of numbers, or { type, data }'

function isFieldValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'number')
  if (isPlainObject(value)) return typeof value.type === 'string' && isFieldValue(value.data)
  return ['number', 'boolean', 'string'].includes(typeof value)
}

const CHECKS: Readonly<Record<keyof PluginRunOptions, Check>> = {
  library: isNonEmptyString,
  name: isNonEmptyString,
  version: isNonEmptyString,
  namespace: (value) => (typeof value === 'string' ? undefined : 'a string'),
  fields: isFields,
  inputs: (value) => (Array.isArray(value) && value.length > 0 ? undefined : 'a non-empty array of tensors'),
  format: isOneOf(...PLUGIN_FORMATS),
  type: isOneOf('float32', 'float16', 'bfloat16'),
  device: isInteger(0, 2 ** 31 - 1),
  iterations: isInteger(0, 1_000_000),
  tensorrt: isNonEmptyString,
  signal: isAbortSignal,
}

/**
 * Runs a plugin as an engine would, without an engine: it is created through its creator, asked for its outputs' types
 * and shapes (with an expression builder), for formats and workspace, configured, cloned, serialized, deserialized,
 * prepared for a context, and enqueued. What it writes past an output or its workspace is found, and what it leaves
 * unwritten of an output is NaN (or all bits set).
 *
 * On a GPU it runs in device memory. Without one only an emulated build runs (`plugins/build.mjs emulated`: the same
 * classes and kernels, compiled for the CPU), which is what `'builtin'` then is; the result's `device` says so. The
 * library runs in a process of its own.
 *
 * @example
 * const { outputs } = await trt.plugins.run({
 *   library: 'builtin', name: 'CustomPRelu', inputs: [x, slope], format: 'hwc8', type: 'float16',
 * })
 * @throws {TrtError} `INVALID_ARGUMENT`, `FILE_NOT_FOUND`, `INVALID_PLUGIN`; `PLUGIN_FAILED` where the plugin refuses or
 *   fails, with its own messages; `UNSUPPORTED`, `GPU_NOT_FOUND`, `TENSORRT_NOT_FOUND`, `ADDON_NOT_BUILT`,
 *   `PROCESS_CRASHED`, `OUT_OF_MEMORY`, `ABORTED`
 */
export async function runPlugin(options: PluginRunOptions): Promise<PluginRunResult> {
  const request = toBenchRun(options)
  const bench = await PluginBench.open(options)
  try {
    return await bench.run(request)
  } finally {
    await bench.close()
  }
}

/** @throws {TrtError} `INVALID_ARGUMENT` */
export function toBenchRun(options: PluginRunOptions): BenchRun {
  checkOptions('plugins.run', options, CHECKS)
  const { name, version = '1', namespace = '', fields = {}, format = 'linear', device = 0, iterations = 0 } = options
  if (name === undefined || options.inputs === undefined) {
    throw new TrtError('INVALID_ARGUMENT', `plugins.run: expected name and inputs, received ${describe(options)}`)
  }
  const inputs = options.inputs.map((input, index) => {
    return toType(toTensor(input, `plugins.run: input ${index}`), options.type)
  })
  return { name, version, namespace, fields, format, device, iterations, inputs }
}

function toTensor(input: TensorLike, what: string): Tensor {
  const { type, view, dims } = checkTensor(input, what)
  return input instanceof Tensor ? input : new Tensor(type, view as never, dims)
}

/** The same values, where they are of floating point, in another type of it. */
export function toType(tensor: Tensor, type: Tensor['type'] | undefined): Tensor {
  if (type === undefined || tensor.type === type || !FLOATS.includes(tensor.type)) return tensor
  const data = makeData(type, tensor.size)
  for (let index = 0; index < tensor.size; index++) setElement(type, data, index, elementAt(tensor, index))
  return new Tensor(type, data as never, tensor.dims)
}
