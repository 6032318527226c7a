/** From the options `int8` and `fp8` to ranges, which cross processes: by calibrating, where they are not known. */
import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { BuildSettings, ModelSource, QuantizationSettings } from '../backends/backend.js'
import { withoutUndefined } from '../check.js'
import { TrtError } from '../errors.js'
import { readError, toPath } from '../files.js'
import { readNpzFile } from '../npy/npz.js'
import { readNpyFolder, readTensorFile } from '../npy/tensor-files.js'
import {
  type CalibrationSamples,
  calibrate,
  Model,
  readCalibrationCache,
  writeCalibrationCache,
} from '../onnx/index.js'
import { readSource } from '../onnx/model/read.js'
import { quantizationNodes } from '../onnx/passes/quantization/check.js'
import type { BuildOptions, Calibration, QuantizationOptions } from '../options.js'
import type { Tensor, TensorLike } from '../tensor.js'

type Feeds = { readonly [input: string]: TensorLike }

/** How calibrating talks back. */
export interface CalibrationControl {
  readonly signal?: AbortSignal | undefined
  /** Told after each sample how many were run. */
  readonly onProgress?: ((progress: { readonly samples: number }) => void) | undefined
  /** Inputs that samples have and the model has no more. */
  readonly gone?: ReadonlySet<string> | undefined
}

/**
 * The settings that `int8` and `fp8` stand for.
 *
 * @param gone inputs that the model had: samples that still have them are fed without
 * @throws {TrtError} what {@link findRanges} throws
 */
export async function resolveQuantization(
  source: ModelSource | Model,
  { int8, fp8, signal, onProgress }: BuildOptions,
  gone: ReadonlySet<string> = new Set(),
): Promise<Pick<BuildSettings, 'int8' | 'fp8'>> {
  const options = int8 ?? fp8
  if (options === undefined) return {}
  const started = performance.now()
  const report = ({ samples }: { readonly samples: number }): void =>
    onProgress?.({ phase: 'calibrating', parents: [], step: samples, steps: 0, elapsedMs: performance.now() - started })
  const model = source instanceof Model ? source : readSource(source)
  const to = int8 === undefined ? 'fp8' : 'int8'
  const ranges = await findRanges(model, to, options, { signal, onProgress: onProgress && report, gone })
  const { ops, nodes, keepOps, keepNodes, minChannels, powerOfTwo } = options
  const settings = withoutUndefined<QuantizationSettings>({
    ranges,
    powerOfTwo,
    ops,
    nodes,
    keepOps,
    keepNodes,
    minChannels,
  })
  return int8 === undefined ? { fp8: settings } : { int8: settings }
}

/**
 * The ranges of a model's activations: from the cache where it is there, else as `calibration` says, and then into the cache.
 * None for a model that is quantised already. Where no method is given, by `percentile` for int8 and by `max` for fp8.
 *
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`; `INVALID_ARGUMENT` for a folder without samples, or a file that is no cache;
 *   what `onnx.calibrate` throws
 */
export async function findRanges(
  model: Model,
  to: 'int8' | 'fp8',
  { calibration, cache, method, percentile, powerOfTwo: _, ...selection }: QuantizationOptions,
  { signal, onProgress, gone = new Set() }: CalibrationControl,
): Promise<Record<string, number>> {
  if (quantizationNodes(model).length > 0) return {}
  if (cache !== undefined && (await isThere(cache))) return readCalibrationCache(cache)
  const samples = await openCalibration(calibration, model)
  if (!isSamples(samples)) return { ...samples }
  const ranges = await calibrate(model, gone.size === 0 ? samples : without(gone, samples), {
    ...selection,
    method: method ?? (to === 'int8' ? 'percentile' : 'max'),
    ...(percentile && { percentile }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  })
  if (cache !== undefined) await writeCalibrationCache(cache, ranges)
  return ranges
}

async function* without(names: ReadonlySet<string>, samples: CalibrationSamples): AsyncGenerator<Feeds> {
  for await (const sample of samples) {
    yield Object.fromEntries(Object.entries(sample).filter(([name]) => !names.has(name)))
  }
}

/** Whether it is samples, and not ranges. */
export function isSamples(calibration: CalibrationSamples | object): calibration is CalibrationSamples {
  return Symbol.iterator in calibration || Symbol.asyncIterator in calibration
}

/** The samples that a calibration stands for, or ranges. @throws {TrtError} as {@link findRanges} */
export async function openCalibration(
  calibration: Calibration,
  model: Model,
): Promise<CalibrationSamples | Readonly<Record<string, number>>> {
  if (typeof calibration !== 'string' && !(calibration instanceof URL)) return calibration
  const path = toPath(calibration)
  const stats = await stat(path).catch((error: unknown) => {
    throw readError(path, error)
  })
  return stats.isDirectory() ? readSamples(path, model) : readCalibrationCache(path)
}

/** The samples of a folder, in the order of their names; see {@link Calibration}. */
async function* readSamples(folder: string, { graph }: Model): AsyncGenerator<Record<string, Tensor>> {
  const inputs = graph.fedInputs
  const only = inputs.length === 1 ? inputs[0]?.name : undefined
  let count = 0
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    const kind = entry.isDirectory() ? 'folder' : extname(entry.name).toLowerCase()
    if (kind === 'folder') yield Object.fromEntries(await readNpyFolder(path))
    else if (kind === '.npz') yield Object.fromEntries(await readNpzFile(path))
    else if (kind === '.npy' && only !== undefined) yield { [only]: await readTensorFile(path, 'float32') }
    else continue
    count++
  }
  if (count > 0) return
  throw new TrtError('INVALID_ARGUMENT', `${folder} has no samples for calibration`, {
    hint: `a sample is a .npz file, or a folder of .npy files, with ${inputs.map(({ name }) => name).join(', ')}`,
  })
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
