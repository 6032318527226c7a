/** What is inferred must agree with what Python's onnx infers, and with what really comes out. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { constant, type ModelSpec, makeModel, node } from '../helpers/onnx-model.js'
import { onnxPython } from './helpers/python.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shapes-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

type Told = readonly [type: string, dims: readonly (number | string | null)[] | null] | string | null

interface Facts {
  readonly path: string
  readonly inferred: Readonly<Record<string, Told>> | null
  readonly real: readonly Readonly<Record<string, Told>>[]
}

describe('inferTypes', () => {
  it('contradicts no result of the node tests of ONNX', async (ctx) => {
    onnxPython(ctx)
    const python = process.env.TENSORRT_NODE_TEST_PYTHON ?? '.cache/python/bin/python'
    const script = 'test/onnx/fixtures/shape_oracle.py'
    const json = execFileSync(python, [script, folder, 'nodes'], { encoding: 'utf8', maxBuffer: 2 ** 28 })
    const facts = JSON.parse(json) as Record<string, Facts>
    const table = { right: 0, partly: 0, wrong: [] as unknown[] }
    for (const [file, { path, real }] of Object.entries(facts)) {
      const model = await onnx.read(join(folder, file))
      onnx.inferTypes(model)
      for (const value of model.graph.outputs) {
        for (const results of real) {
          const verdict = judge(value, results[value.name] ?? null)
          if (verdict === 'wrong') table.wrong.push([path, value.name, value.type, value.dims, results[value.name]])
          else table[verdict]++
        }
      }
    }
    expect(table.wrong).toEqual([])
    expect(table.right).toBeGreaterThan(2000)
  })

  it('keeps names, and computes with them', async () => {
    const model = await read({
      inputs: { x: ['float32', ['N', 3, 'H', 'W']] },
      outputs: { y: ['float32'] },
      initializers: {
        w: constant('float32', [8, 3, 3, 3], new Array(216).fill(0)),
        last: constant('int64', [1], [-1n]),
      },
      nodes: [
        node('Conv', ['x', 'w'], ['c'], { strides: [2, 2], pads: [1, 1, 1, 1] }),
        node('Shape', ['c'], ['s'], { start: 0, end: 2 }),
        node('Concat', ['s', 'last'], ['shape'], { axis: 0 }),
        node('Reshape', ['c', 'shape'], ['r']),
        node('Concat', ['r', 'r'], ['y'], { axis: 0 }),
      ],
    })
    onnx.inferTypes(model)
    expect(model.graph.value('c')?.dims).toEqual(['N', 8, 'floor((H+1)/2)', 'floor((W+1)/2)'])
    expect(model.graph.value('shape')?.dims).toEqual([3])
    expect(model.graph.value('y')?.dims).toEqual(['2*N', 8, 'floor((H+1)/2)*floor((W+1)/2)'])
  })
})

function judge(value: onnx.Value, real: Told): 'right' | 'partly' | 'wrong' {
  const [type, dims] = Array.isArray(real) ? (real as [string, number[]]) : [real, undefined]
  if (value.type === 'undefined') return 'partly'
  if (value.type !== type) return 'wrong'
  if (dims === undefined) return 'right'
  if (value.dims === undefined) return 'partly'
  if (value.dims.length !== dims.length) return 'wrong'
  if (value.dims.some((dim, axis) => typeof dim === 'number' && dim !== dims[axis])) return 'wrong'
  return value.dims.includes(null) ? 'partly' : 'right'
}

function read(spec: ModelSpec): Promise<onnx.Model> {
  return onnx.read(makeModel(spec))
}
