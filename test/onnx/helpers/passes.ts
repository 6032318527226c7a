import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { expect } from 'vitest'
import { runOnOnnxruntime } from './models.js'
import type { RunPython } from './python.js'

/**
 * Applies a pass, and checks what every pass promises: applied again it changes nothing, and what it leaves is a model
 * that reads back as it was written.
 */
export async function applied(model: onnx.Model, step: onnx.Transform): Promise<onnx.PassReport> {
  const [report] = (await onnx.transform(model, [step])) as [onnx.PassReport]
  const bytes = model.toBytes()
  const [again] = (await onnx.transform(model, [step])) as [onnx.PassReport]
  expect(again.changes).toEqual([])
  expect(Buffer.compare(model.toBytes(), bytes), 'the second time changed bytes').toBe(0)
  expect((await onnx.read(bytes)).print()).toBe(model.print())
  return report
}

/**
 * Runs both models on onnxruntime as they are; their outputs, in order, have to be the same up to
 * `atol` + `rtol` · |expected|.
 */
export async function expectSameOutputs(
  expected: onnx.Model | string | Uint8Array,
  actual: onnx.Model | string | Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  tolerance: Closeness = {},
): Promise<void> {
  // Without it, products of int8 saturate on machines without VNNI.
  const extra = { session: { x64quantprecision: '1' } }
  const options = { graphOptimizationLevel: 'disabled', extra } as const
  const wanted = Object.values(await runOnOnnxruntime(runnable(expected), feeds, options))
  expectSameTensors(wanted, await runOnOnnxruntime(runnable(actual), feeds, options), tolerance)
}

interface Closeness {
  readonly atol?: number
  readonly rtol?: number
}

/** {@link expectSameOutputs} of tensors, in order. */
export function expectSameTensors(
  wanted: readonly Tensor[],
  outputs: Readonly<Record<string, Tensor>>,
  { atol = 1e-5, rtol = 1e-4 }: Closeness = {},
): void {
  const given = Object.entries(outputs)
  expect(given.length).toBe(wanted.length)
  for (const [index, [name, tensor]] of given.entries()) {
    const reference = wanted[index] as Tensor
    expect(tensor.dims, `dims of ${name}`).toEqual(reference.dims)
    expect(tensor.type, `type of ${name}`).toBe(reference.type)
    expectClose(name, [...(reference.data as Float32Array)], [...(tensor.data as Float32Array)], atol, rtol)
  }
}

function runnable(model: onnx.Model | string | Uint8Array): string | Uint8Array {
  return model instanceof onnx.Model ? model.toBytes() : model
}

function expectClose(name: string, wanted: number[], given: number[], atol: number, rtol: number): void {
  const off = wanted.findIndex((x, i) => {
    const y = given[i] as number
    if (typeof x === 'bigint' || Object.is(x, y) || x === y) return x !== y && !Object.is(x, y)
    return !(Math.abs(y - x) <= atol + rtol * Math.abs(x))
  })
  expect(off < 0 ? undefined : `${name}[${off}]: expected ${wanted[off]}, received ${given[off]}`).toBeUndefined()
}

/** What Python's onnx.checker says of each model, with full check (types and shapes inferred); `''` where it is content. */
export async function checkedByPython(python: RunPython, models: readonly onnx.Model[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-check-'))
  try {
    const paths = models.map((_, index) => join(folder, `${index}.onnx`))
    for (const [index, path] of paths.entries()) await models[index]?.write(path, { externalData: false })
    return JSON.parse(python(CHECK, ...paths))
  } finally {
    await rm(folder, { recursive: true })
  }
}

const CHECK = `
import json, sys, onnx
def check(path):
    try:
        onnx.checker.check_model(path, full_check=True)
        return ''
    except Exception as error:
        return str(error)
print(json.dumps([check(path) for path in sys.argv[1:]]))
`
