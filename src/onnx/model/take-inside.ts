import type { Model } from './model.js'

/**
 * Brings all elements that are in files of their own into the model, as bytes have no folder to find them in.
 *
 * @throws {TrtError} `EXTERNAL_DATA`
 */
export function takeInside(model: Model): void {
  for (const graph of model.graphs()) {
    for (const tensor of graph.initializers) {
      if (!tensor.isExternal) continue
      tensor.set({ type: tensor.type, dims: tensor.dims, data: tensor.bytes() })
    }
  }
}
