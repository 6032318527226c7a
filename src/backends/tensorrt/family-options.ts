/**
 * Which build option each TensorRT family takes, with the proof, or refuses, with the reason. docs and README take their
 * table from here.
 *
 * TensorRT-RTX 1.7.1.116 was tried without a GPU on eight models (the PP-OCRv4 detector and recogniser; small ones in fp32,
 * fp16 and bf16, with 2:4 sparse weights, with parallel branches). Two builds with the same options give the same bytes
 * there, so an option that never changes a byte and never fails a build does nothing: it is refused. TensorRT 10 and 11
 * build on a GPU only: here it is proven what their builder is told (test/native), and npm run test:gpu is for the rest.
 */
import { TrtError } from '../../errors.js'
import type { BuildSettings } from '../backend.js'
import type { AddonFamily } from './addon.js'

/** How a family takes an option: what shows that it does, or why it refuses. */
export type OptionSupport =
  | {
      readonly shows: string
      /** What the user should know where the build fails with it. */
      readonly hint?: string
    }
  | { readonly refused: string; readonly hint?: string }

/** One option on every family. */
export interface OptionRow extends Readonly<Record<AddonFamily, OptionSupport>> {
  /**
   * Whether the option asks for something at all; a value that is TensorRT's default anyway is never refused.
   * Default: anything but `false`.
   */
  readonly asks?: (value: unknown) => boolean
  /** It only makes the engine or the build faster or smaller, so where the backend was chosen for the user a refusal is a warning. */
  readonly tuning?: boolean
}

const FLAG = { shows: 'the builder is told so; what it makes of it, npm run test:gpu shows' }
const BYTE_IDENTICAL = 'plans with and without it are the same byte for byte (1.7.1)'
const STRONGLY_TYPED_ONLY =
  'its networks are strongly typed: every type comes from the model, and there is no such builder flag any more'
const CONVERTED = { shows: 'the model is converted to that type before it is built: the plan differs' }
const NO_DLA = 'TensorRT refuses the limit where the device has no DLA, and the build says so'
const RTX_GPU_HINT = 'TensorRT-RTX 1.7.1 builds refittable and stripped plans only on a machine with a GPU'

const onTrt = (support: OptionSupport): Pick<OptionRow, 'trt10' | 'trt11'> => ({ trt10: support, trt11: support })
const LOW_PRECISION: OptionRow = {
  rtx: CONVERTED,
  trt10: { shows: `${FLAG.shows}; with stronglyTyped, the model is converted instead` },
  trt11: { shows: 'the model is converted to that type before it is built' },
}

const QUANTIZED = 'the model gets QuantizeLinear and DequantizeLinear nodes before it is built'
const QUANTIZATION: OptionRow = {
  rtx: { shows: `${QUANTIZED}: the plan differs, and says that it has the type` },
  trt10: { shows: `${QUANTIZED}, and the network is strongly typed` },
  trt11: { shows: QUANTIZED },
}

/** By option of {@link BuildSettings}. */
export const FAMILY_OPTIONS: Readonly<Record<keyof BuildSettings, OptionRow>> = {
  fp16: LOW_PRECISION,
  bf16: LOW_PRECISION,
  int8: QUANTIZATION,
  fp8: QUANTIZATION,
  tf32: {
    asks: () => true,
    tuning: true,
    rtx: { shows: 'the plan differs' },
    ...onTrt(FLAG),
  },
  stronglyTyped: {
    asks: (value) => value === false,
    rtx: { refused: STRONGLY_TYPED_ONLY },
    trt10: { shows: 'the network is told so; what the builder makes of it, npm run test:gpu shows' },
    trt11: { refused: STRONGLY_TYPED_ONLY },
  },
  optimizationLevel: {
    tuning: true,
    asks: () => true,
    rtx: { refused: `${BYTE_IDENTICAL}: its kernels are chosen where the engine runs` },
    ...onTrt({ shows: 'the builder takes it; the time of the build tells' }),
  },
  sparsity: {
    tuning: true,
    rtx: { refused: `${BYTE_IDENTICAL}, with 2:4 sparse weights too` },
    ...onTrt(FLAG),
  },
  versionCompatible: {
    rtx: {
      shows: 'the build fails where the lean runtime library is missing',
      hint: 'TensorRT-RTX looks for libnvinfer_lean.so.1, which its Python package does not have',
    },
    ...onTrt(FLAG),
  },
  hardwareCompatibility: {
    asks: (value) => value !== 'none',
    rtx: {
      refused: 'it says "setHardwareCompatibilityLevel() is unsupported in TensorRT-RTX" and ignores it',
      hint: 'name the GPUs instead: target: { computeCapabilities: [...] }',
    },
    ...onTrt({ shows: 'the builder takes it' }),
  },
  refittable: {
    rtx: { shows: 'without a GPU the build fails', hint: RTX_GPU_HINT },
    ...onTrt(FLAG),
  },
  stripPlan: {
    rtx: { shows: 'without a GPU the build fails', hint: RTX_GPU_HINT },
    ...onTrt(FLAG),
  },
  weightStreaming: {
    tuning: true,
    rtx: { shows: 'the plan differs' },
    ...onTrt(FLAG),
  },
  profilingVerbosity: {
    tuning: true,
    asks: () => true,
    rtx: { shows: "the plan differs for 'none' and 'detailed'; 'layer-names' is the default" },
    ...onTrt({ shows: 'the builder takes it; the engine inspector tells' }),
  },
  maxAuxStreams: {
    tuning: true,
    asks: () => true,
    rtx: { shows: 'the plan of a model with parallel branches differs' },
    ...onTrt({ shows: 'the builder takes it; the number of streams of the engine tells' }),
  },
  computeCapabilities: {
    asks: () => true,
    rtx: { shows: 'the plan differs' },
    ...onTrt({
      refused: 'TensorRT builds for the GPU at hand only',
      hint: "use backend: 'tensorrt-rtx', or build on the GPU that the engine is for",
    }),
  },
  tacticSources: {
    tuning: true,
    asks: () => true,
    rtx: { refused: BYTE_IDENTICAL },
    trt10: { shows: 'the builder takes them, or the build is refused' },
    trt11: { shows: 'the builder takes them, or the build is refused' },
  },
  plugins: {
    asks: () => true,
    rtx: {
      refused: 'it has no plugin layers (1.7)',
      hint: "use backend: 'tensorrt' for a model that needs plugins",
    },
    ...onTrt({ shows: 'the libraries are in the registry of the builder; the engine runs their layers' }),
  },
  workspace: {
    tuning: true,
    asks: () => true,
    rtx: { shows: 'the plan differs; with too little, the build fails' },
    ...onTrt({ shows: 'the builder takes it; with too little, the build fails' }),
  },
  memoryPools: {
    tuning: true,
    asks: () => true,
    rtx: { shows: `tacticSharedMemory: the plan differs; dla*: ${NO_DLA}` },
    ...onTrt({ shows: `the builder takes them; dla*: ${NO_DLA}` }),
  },
  timingCache: {
    tuning: true,
    asks: () => true,
    rtx: { refused: 'its timing caches are no-ops since 1.2: a cache comes back byte for byte as it went in' },
    ...onTrt({ shows: 'the file is written' }),
  },
}

/** The values of an option that a family refuses although it has the option. */
const REFUSED_VALUES: Readonly<Record<AddonFamily, (settings: BuildSettings) => string | undefined>> = {
  rtx: ({ memoryPools }) =>
    memoryPools?.tacticDram === undefined ? undefined : `memoryPools.tacticDram: ${BYTE_IDENTICAL}`,
  trt10: () => undefined,
  trt11: ({ tacticSources }) => {
    const gone = tacticSources?.filter((source) => source.startsWith('cu')) ?? []
    return gone.length === 0 ? undefined : `tacticSources: TensorRT 11 has no ${gone.join(' and no ')} any more`
  },
}

const TITLES: Readonly<Record<AddonFamily, string>> = {
  rtx: 'TensorRT-RTX',
  trt10: 'TensorRT 10',
  trt11: 'TensorRT 11',
}

/**
 * Judges `settings` for `family`.
 * @param lenient see `BuildControl.lenient`
 * @returns the settings that remain, and a warning for each that was left out
 * @throws {TrtError} `UNSUPPORTED`
 */
export function judgeSettings(
  family: AddonFamily,
  settings: BuildSettings,
  lenient: boolean,
): { readonly settings: BuildSettings; readonly warnings: readonly string[] } {
  const kept: Record<string, unknown> = {}
  const warnings: string[] = []
  for (const [option, value] of Object.entries(settings) as [keyof BuildSettings, unknown][]) {
    if (value === undefined) continue
    const row = FAMILY_OPTIONS[option]
    const support = row[family]
    const asks = row.asks?.(value) ?? value !== false
    if (!('refused' in support)) {
      kept[option] = value
    } else if (asks && lenient && row.tuning) {
      warnings.push(`${option} has no effect on ${TITLES[family]}: ${support.refused}`)
    } else if (asks) {
      throw new TrtError('UNSUPPORTED', `${TITLES[family]} refuses the option ${option}: ${support.refused}`, {
        hint: support.hint ?? `leave ${option} out`,
      })
    }
  }
  const refused = REFUSED_VALUES[family](kept)
  if (refused !== undefined)
    throw new TrtError('UNSUPPORTED', `${TITLES[family]} refuses ${refused}`, { hint: 'leave it out' })
  return { settings: kept, warnings }
}

/** What may help where a build with `settings` failed. */
export function failureHint(family: AddonFamily, settings: BuildSettings): string | undefined {
  for (const [option, value] of Object.entries(settings) as [keyof BuildSettings, unknown][]) {
    const support = FAMILY_OPTIONS[option][family]
    if (value !== undefined && value !== false && 'shows' in support && support.hint !== undefined) return support.hint
  }
  return undefined
}
