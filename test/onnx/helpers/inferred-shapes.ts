import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { expect } from 'vitest'

/** A type and a shape; a text for what is no tensor. */
export type Told = readonly [type: string, dims: readonly (number | string | null)[] | null] | string

export const told = (value: onnx.Value): Told =>
  value.type.includes('(') ? value.type : [value.type, value.dims === undefined ? null : [...value.dims]]

/** Runs a model with every value of its main graph as an output, and compares types and shapes. */
export async function checkRun(model: onnx.Model, feeds: Record<string, Tensor>): Promise<onnx.InferredTypes> {
  const inferred = onnx.inferTypes(model)
  expect(inferred.untyped).toEqual([])
  const sizes = sizesOf(model, feeds)
  const values = model.graph.values.filter(({ producer, type }) => producer !== undefined && type !== 'string')
  const results = await onnx.run(model, feeds, { outputs: values.map(({ name }) => name), optimization: 'disabled' })
  const wrong = values.filter((value) => {
    const { type, dims } = results[value.name] as Tensor
    const expected = value.dims?.map((dim) => (typeof dim === 'string' ? evaluate(dim, sizes) : dim))
    const fits = expected?.every((dim, axis) => dim === null || dim === dims[axis]) ?? true
    return value.type !== type || (expected !== undefined && expected.length !== dims.length) || !fits
  })
  expect(wrong.map((value) => [value.name, told(value), results[value.name]?.dims])).toEqual([])
  return inferred
}

/** What the names stand for; one that an input has twice is called otherwise the second time. */
function sizesOf({ graph }: onnx.Model, feeds: Record<string, Tensor>): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { name, dims } of graph.inputs) {
    for (const [axis, dim] of (dims ?? []).entries()) {
      if (typeof dim !== 'string') continue
      const isAgain = dims?.indexOf(dim) !== axis
      sizes.set(isAgain ? `${dim}_2` : dim, feeds[name]?.dims[axis] ?? 0)
    }
  }
  return sizes
}

/** An expression's value; names of outputs, which no input explains, may be anything. */
export function evaluate(dim: string, sizes: ReadonlyMap<string, number>): number | null {
  const filled = dim.replace(/[A-Za-z_][\w.:]*/g, (name) =>
    name === 'floor' ? 'Math.floor' : `${sizes.get(name) ?? Number.NaN}`,
  )
  const value: number = new Function(`return ${filled}`)()
  return Number.isNaN(value) ? null : value
}
