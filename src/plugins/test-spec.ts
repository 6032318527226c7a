import { messageOf, TrtError } from '../errors.js'
import { elementAt } from '../npy/elements.js'
import { randomTensor, seededRandom } from '../npy/random.js'
import { compareTensors, isWithin, type TensorDifference, type Tolerance } from '../onnx/run/compare-tensors.js'
import type { Tensor } from '../tensor.js'
import { type FieldValue, PLUGIN_FORMATS, type PluginFormat, type PluginRunResult } from './options.js'
import { type BenchOptions, PluginBench } from './plugin-bench.js'
import { referenceOutputs } from './reference.js'
import { toBenchRun, toType } from './run.js'
import { checkSpec, type PluginCase, type PluginSpec, readSpec, SPEC_TYPES, type SpecType } from './spec.js'

/** Options of {@link testPlugin}. */
export interface PluginTestOptions extends Omit<BenchOptions, 'library'> {
  /** Another library than the spec names. */
  readonly library?: string
  /** Only this version of the plugin. */
  readonly version?: string
  /** Only these types. */
  readonly types?: readonly SpecType[]
  /** On a GPU: time so many calls. */
  readonly iterations?: number
  readonly device?: number
  /** Of the inputs. Default 1. */
  readonly seed?: number
  /** Told of each result as it comes. */
  readonly onResult?: (result: PluginCaseResult) => void
}

/** A case in one version, type and format. */
export interface PluginCaseResult {
  readonly case: string
  readonly version: string
  readonly type: SpecType
  readonly format: PluginFormat
  readonly ok: boolean
  /** Why it could not be compared: the plugin refused or failed. */
  readonly error?: { readonly code: string; readonly message: string }
  /** Of each output that the reference has; one of another number of outputs has none. */
  readonly differences: readonly TensorDifference[]
  /** What the bench says of the run, its outputs aside. */
  readonly run?: Omit<PluginRunResult, 'outputs'>
}

/** What came of a spec. */
export interface PluginTestResult {
  readonly ok: boolean
  readonly plugin: string
  readonly library: string
  /** `'emulated'` or the GPU's name; absent where nothing ran. */
  readonly device?: string
  readonly results: readonly PluginCaseResult[]
}

interface Prepared {
  readonly spec: PluginCase
  readonly type: SpecType
  readonly inputs: readonly Tensor[]
}

/**
 * Runs every case of a spec, in every version, type and format that it names, and compares with onnxruntime. Inputs are
 * random, rounded to the type first, so that only what the plugin computes is judged.
 *
 * @param spec a path, or what such a file holds
 * @throws {TrtError} `INVALID_ARGUMENT` and `FILE_NOT_FOUND` for the spec; what opening a library throws, see `runPlugin`;
 *   what onnxruntime says to the reference. A plugin that refuses a case or fails at it is a result, no error.
 */
export async function testPlugin(
  spec: string | PluginSpec,
  options: PluginTestOptions = {},
): Promise<PluginTestResult> {
  if (typeof spec !== 'string') checkSpec(spec)
  const read = typeof spec === 'string' ? await readSpec(spec) : spec
  const { signal, tensorrt, onResult } = options
  const types = SPEC_TYPES.filter(
    (type) => read.tolerances[type] !== undefined && (options.types ?? SPEC_TYPES).includes(type),
  )
  const prepared = prepare(read, types, options.seed ?? 1)
  const expected = await referenceOutputs(
    read.reference,
    prepared.map(({ spec: { attributes, outputs = 1 }, inputs }) => ({
      attributes,
      outputs,
      inputs: inputs.map((tensor) => toType(tensor, read.reference.type)),
    })),
    signal,
  )
  const library = options.library ?? read.library
  const opening = { ...(library && { library }), ...(tensorrt && { tensorrt }), ...(signal && { signal }) }
  let bench = await PluginBench.open(opening)
  const results: PluginCaseResult[] = []
  try {
    for (const version of options.version === undefined ? (read.versions ?? ['1']) : [options.version]) {
      for (const [index, entry] of prepared.entries()) {
        for (const format of formatsOf(entry)) {
          const result = await runCase(bench, read, entry, { ...options, version, format }, expected[index] ?? [])
          results.push(result)
          onResult?.(result)
          if (!bench.hasEnded) continue
          await bench.close()
          bench = await PluginBench.open(opening)
        }
      }
    }
  } finally {
    await bench.close()
  }
  const device = results.find(({ run }) => run !== undefined)?.run?.device
  return {
    ok: results.every(({ ok }) => ok),
    plugin: read.plugin,
    library: bench.library,
    ...(device === undefined ? {} : { device }),
    results,
  }
}

function prepare({ cases }: PluginSpec, types: readonly SpecType[], seed: number): Prepared[] {
  return cases.flatMap((spec) =>
    types.map((type) => {
      const random = seededRandom(seed)
      const range = spec.range ?? { low: -1, high: 1 }
      return { spec, type, inputs: spec.inputs.map((dims) => randomTensor(type, dims, random, range)) }
    }),
  )
}

function formatsOf({ spec: { formats = {} }, type }: Prepared): readonly PluginFormat[] {
  return PLUGIN_FORMATS.filter((format) => format === 'linear' || formats[format]?.includes(type))
}

async function runCase(
  bench: PluginBench,
  { plugin, namespace, tolerances }: PluginSpec,
  { spec, type, inputs }: Prepared,
  { version, format, device, iterations, signal }: PluginTestOptions & { version: string; format: PluginFormat },
  expected: readonly Tensor[],
): Promise<PluginCaseResult> {
  const about = { case: spec.name, version, type, format }
  const inFields = new Set(Object.values(spec.weights ?? {}))
  const fields: Record<string, FieldValue> = { ...spec.attributes, ...spec.fields }
  for (const [field, input] of Object.entries(spec.weights ?? {})) fields[field] = numbersOf(inputs[input] as Tensor)
  try {
    const { outputs, ...run } = await bench.run(
      toBenchRun({
        name: plugin,
        version,
        format,
        fields,
        inputs: inputs.filter((_, index) => !inFields.has(index)),
        ...(namespace === undefined ? {} : { namespace }),
        ...(device === undefined ? {} : { device }),
        ...(iterations === undefined ? {} : { iterations }),
      }),
    )
    if (outputs.length < expected.length) {
      const message = `expected ${expected.length} outputs, got ${outputs.length}`
      return { ...about, ok: false, error: { code: 'PLUGIN_FAILED', message }, differences: [], run }
    }
    const differences = expected.map((wanted, index) => {
      const got = outputs[index] as Tensor
      return compareTensors(wanted, got, toleranceOf(tolerances[got.type as SpecType] ?? tolerances[type]), JUDGED)
    })
    return { ...about, ok: differences.every(isWithin), differences, run }
  } catch (error) {
    if (signal?.aborted || !(error instanceof TrtError)) throw error
    return { ...about, ok: false, error: { code: error.code, message: messageOf(error) }, differences: [] }
  }
}

/** What should come may be of a wider type than what came. */
const JUDGED = { anyType: true } as const

function toleranceOf(given: Partial<Tolerance> | undefined): Tolerance {
  return { atol: 0, rtol: 0, ...given }
}

function numbersOf(tensor: Tensor): number[] {
  return Array.from({ length: tensor.size }, (_, index) => Number(elementAt(tensor, index)))
}
