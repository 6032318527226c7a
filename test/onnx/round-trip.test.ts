import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encode } from '#dist/onnx/io/encode.js'
import type { Message } from '#dist/onnx/io/proto.js'
import { installed, ocrModel, onnxTestModels, realModels } from './helpers/models.js'
import { onnxPython } from './helpers/python.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'round-trip-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Marks every message, so that all are written anew. */
function touchAll(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) touchAll(item)
  if (!(value instanceof Object) || !('$type' in value)) return
  const message = value as Message & { attribute?: unknown; type?: unknown }
  message.$touched = true
  // Those two are decoded when they are asked for.
  touchAll(message.attribute)
  touchAll(message.type)
  for (const [name, field] of Object.entries(message)) if (!name.startsWith('$')) touchAll(field)
}

/** Names of the models that come back as other bytes: untouched, and with every message written anew. */
async function compare(paths: readonly string[]): Promise<{ untouched: string[]; anew: string[] }> {
  const result = { untouched: [] as string[], anew: [] as string[] }
  for (const path of paths) {
    const bytes = readFileSync(path)
    const model = await onnx.read(path)
    model.print()
    if (!bytes.equals(model.toBytes())) result.untouched.push(path)
    touchAll(model.proto)
    if (!bytes.equals(encode(model.proto).toBytes())) result.anew.push(path)
  }
  return result
}

describe('a model that is read and written back', () => {
  it('is the same, byte for byte: trained models', async (ctx) => {
    const models = realModels().map((model) => installed(ctx, model))
    expect(await compare(models)).toEqual({ untouched: [], anew: [] })
  })

  it("is the same, byte for byte: every model of onnx's own tests", async (ctx) => {
    const models = onnxTestModels(onnxPython(ctx))
    expect(models.length).toBeGreaterThan(1900)
    expect(await compare(models)).toEqual({ untouched: [], anew: [] })
  })

  it('is the same through a file, also over the file that was read', async () => {
    const original = readFileSync(ocrModel('ch_PP-OCRv4_det_infer.onnx'))
    const path = join(folder, 'model.onnx')
    writeFileSync(path, original)
    const model = await onnx.read(path)
    await model.write(path)
    expect(readFileSync(path).equals(original)).toBe(true)
  })

  it('keeps fields that no schema knows, in touched messages too', async () => {
    // Field 200 in all wire types (a group too), in the model, its graph and a node; field numbers in a group differ.
    const unknown = Buffer.from(
      'c00c05c10c0102030405060708c20c03616263c30c08 01c40cc50c01020304'.replace(' ', ''),
      'hex',
    )
    const field = (number: number, content: Buffer): Buffer =>
      Buffer.concat([Buffer.from([number * 8 + 2, content.length]), content])
    const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))
    const node = Buffer.concat([unknown, text(1, 'x'), text(2, 'y'), text(4, 'Neg'), unknown])
    const graph = Buffer.concat([field(1, node), field(11, text(1, 'x')), field(12, text(1, 'y')), unknown])
    const bytes = Buffer.concat([Buffer.from([8, 8]), field(7, graph), unknown])

    const model = await onnx.read(bytes)
    expect(bytes.equals(model.toBytes())).toBe(true)

    model.graph.value('x')?.rename('z')
    model.irVersion = 9
    const changed = Buffer.from(model.toBytes())
    let found = 0
    for (let at = changed.indexOf(unknown); at >= 0; at = changed.indexOf(unknown, at + 1)) found++
    expect(found).toBe(4)
    expect(changed.length).toBe(bytes.length)
  })
})
