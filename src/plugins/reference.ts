/**
 * What onnxruntime computes for an operator: the reference of a spec. All cases are nodes of one model, since a process
 * and a session for each would take longer than all else.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from '../onnx/io/encode.js'
import { newMessage } from '../onnx/io/proto.js'
import { makeAttribute } from '../onnx/model/attribute.js'
import { tensorType } from '../onnx/model/value.js'
import { OrtRunner } from '../ort/ort-runner.js'
import type { Tensor } from '../tensor.js'
import type { PluginCase, PluginSpec } from './spec.js'

/** A node of the reference's model and what it gets. */
export interface ReferenceCase {
  readonly attributes: PluginCase['attributes']
  /** Of the reference's type. */
  readonly inputs: readonly Tensor[]
  readonly outputs: number
}

/** The IR version of ONNX 1.13 to 1.19, which every onnxruntime that is served by npm knows. */
const IR_VERSION = 8

/**
 * The outputs of each case.
 *
 * @throws {TrtError} `ONNXRUNTIME_NOT_FOUND`; `UNSUPPORTED_OP`, `INVALID_MODEL` where onnxruntime does not take the
 *   operator so; `INFERENCE_FAILED`
 */
export async function referenceOutputs(
  reference: PluginSpec['reference'],
  cases: readonly ReferenceCase[],
  signal?: AbortSignal,
): Promise<readonly (readonly Tensor[])[]> {
  const feeds = new Map(
    cases.flatMap(({ inputs }, at) => inputs.map((tensor, index) => [`case${at}.input${index}`, tensor] as const)),
  )
  const wanted = cases.map(({ outputs }, at) => Array.from({ length: outputs }, (_, i) => `case${at}.output${i}`))
  const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-plugin-'))
  let runner: OrtRunner
  try {
    const path = join(folder, 'reference.onnx')
    await writeFile(path, makeModel(reference, cases, feeds, wanted))
    const name = `the reference ${reference.operator}`
    runner = await OrtRunner.open({ path, name, optimization: 'disabled', threads: undefined, entries: {} }, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const results = await runner.run(feeds, wanted.flat())
    return wanted.map((names) => names.map((name) => results[name] as Tensor))
  } finally {
    await runner.close()
  }
}

function makeModel(
  { operator, domain = '', opset }: PluginSpec['reference'],
  cases: readonly ReferenceCase[],
  feeds: ReadonlyMap<string, Tensor>,
  wanted: readonly (readonly string[])[],
): Uint8Array {
  const node = cases.map(({ attributes = {}, inputs }, at) =>
    newMessage('NodeProto', {
      opType: operator,
      domain,
      input: inputs.map((_, index) => `case${at}.input${index}`),
      output: [...(wanted[at] as readonly string[])],
      attribute: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
    }),
  )
  const input = [...feeds].map(([name, { type, dims }]) => {
    return newMessage('ValueInfoProto', { name, type: tensorType(type, dims) })
  })
  const output = wanted.flat().map((name) => newMessage('ValueInfoProto', { name }))
  const model = newMessage('ModelProto', {
    irVersion: IR_VERSION,
    opsetImport: [newMessage('OperatorSetIdProto', { domain, version: opset })],
    graph: newMessage('GraphProto', { name: 'reference', node, input, output }),
  })
  return encode(model).toBytes()
}

/** A whole number is an integer: ONNX's attributes of floating point are written with a fraction, or by an exponent. */
function attributeOf(name: string, value: number | string | readonly number[]) {
  if (typeof value === 'string') return makeAttribute(name, 'string', value)
  if (typeof value === 'number') return makeAttribute(name, Number.isInteger(value) ? 'int' : 'float', value)
  return makeAttribute(name, value.every(Number.isInteger) ? 'ints' : 'floats', value)
}
