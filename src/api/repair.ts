import type { Backend } from '../backends/backend.js'
import { backendNamed } from '../backends/resolve-backend.js'
import { checkOptions } from '../check.js'
import { TrtError } from '../errors.js'
import * as onnx from '../onnx/index.js'
import { readSource } from '../onnx/model/read.js'
import type { BackendName, BuildOptions, Shapes } from '../options.js'
import { buildRepaired } from './build-repaired.js'
import { toModelSource } from './model-source.js'
import { BUILD_CHECKS, toBuildSettings } from './validate-options.js'

/** Options of {@link repair}. */
export interface RepairModelOptions
  extends Pick<BuildOptions, 'target' | 'fp16' | 'bf16' | 'plugins' | 'isolation' | 'tensorrt' | 'signal' | 'logger'> {
  /** Whose parser and builder are asked. Default: TensorRT-RTX, which needs no GPU. */
  readonly backend?: Exclude<BackendName, 'onnxruntime'>
  /** Shapes of the dynamic inputs, fixed or as ranges; what is left out is proposed. */
  readonly shapes?: Shapes
  /** By input, what it is always fed with, so that it may become a constant. */
  readonly values?: onnx.InputValues
  /** Inputs to compare the outputs on, besides random ones. */
  readonly feeds?: onnx.Feeds
  /** Told what is being done. */
  readonly onProgress?: (progress: { readonly doing: string }) => void
}

/** What came of a repair, and who was asked. */
export interface ModelRepair extends onnx.RepairResult {
  /** Whose parser and builder judged; undefined where none could be asked. */
  readonly askedOf: string | undefined
  /** Why none could be asked, where that is so. */
  readonly notAsked: string | undefined
}

/** What says that there is nobody to ask here. */
const ABSENT: readonly string[] = ['TENSORRT_NOT_FOUND', 'ADDON_NOT_BUILT', 'GPU_NOT_FOUND']

/**
 * Mends a model until TensorRT takes it; see `onnx.repair` for how. The model that is given stays as it is.
 *
 * TensorRT's own parser and builder are asked by building engines, which are thrown away: {@link buildEngine} with `repair`
 * keeps the last one. Where they are not here, only what lint finds is mended, and `notAsked` says so.
 *
 * @example
 * const { outcome, model, assumptions, proof } = await trt.repair('model.onnx')
 * if (outcome !== 'refused') await model.write('repaired.onnx')
 *
 * @throws {TrtError} `INVALID_ARGUMENT`; what reading the model throws; `ONNXRUNTIME_NOT_FOUND`; `ABORTED`
 */
export async function repair(model: BuildOptions['onnx'], options: RepairModelOptions = {}): Promise<ModelRepair> {
  const { backend: name = 'tensorrt-rtx', shapes, values, feeds, onProgress, ...build } = options
  checkOptions('repair', build, BUILD_CHECKS)
  const source = toModelSource(model)
  const read = model instanceof onnx.Model ? model : readSource(source)
  const backend: Backend = backendNamed(name, options)
  const told = { ...(values && { values }), ...(feeds && { feeds }), ...(onProgress && { onProgress }) }
  const control = {
    isolation: options.isolation ?? 'process',
    lenient: false,
    signal: options.signal,
    onProgress: undefined,
    logger: options.logger,
  } as const
  try {
    const settings = toBuildSettings({ onnx: model, ...build }, undefined)
    const { result, built } = await buildRepaired(read, source, { backend, settings, control, shapes }, told)
    return { ...result, askedOf: built === undefined ? name : `${name} ${built.outcome.version}`, notAsked: undefined }
  } catch (error) {
    if (!(error instanceof TrtError) || !ABSENT.includes(error.code)) throw error
    const result = await onnx.repair(read, {
      ...told,
      target: name,
      fp16: options.fp16 === true,
      ...(shapes && { shapes }),
      signal: options.signal,
    })
    return { ...result, askedOf: undefined, notAsked: error.message }
  }
}
