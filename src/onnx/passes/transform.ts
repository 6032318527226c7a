import type { Model } from '../model/model.js'
import type { PassReport, Transform, TransformControl } from './pass.js'

/** Options of {@link transform}. */
export interface TransformOptions extends TransformControl {}

/**
 * Applies passes to a model, one after the other; the model is changed in place.
 *
 * @returns what each pass did, in order
 * @throws {TrtError} what a pass throws; the model may then be half changed, and is to be read again
 * @example
 * const model = await onnx.read('model.onnx')
 * const reports = await onnx.transform(model, [onnx.setAttribute({ ops: ['Gelu'], name: 'approximate', value: 'tanh' })])
 * await model.write('changed.onnx')
 */
export async function transform(
  model: Model,
  transforms: readonly Transform[],
  options: TransformOptions = {},
): Promise<PassReport[]> {
  const reports: PassReport[] = []
  for (const step of transforms) reports.push(await step.apply(model, options))
  return reports
}
