/**
 * Random graphs of elementwise ops, sown with copies of a motif: what a pass looks for, amid all that may be around it, with
 * values shared and given out.
 */
import fc from 'fast-check'
import type { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { expect } from 'vitest'
import { type Constant, makeModel, type NodeSpec, node } from '../../helpers/onnx-model.js'
import { runOnOnnxruntime } from './models.js'

/** A part of a graph that reads one value and gives another one of the same shape. */
export interface Motif {
  readonly nodes: readonly NodeSpec[]
  readonly initializers?: Readonly<Record<string, Constant>>
}

export type MakeMotif = (x: string, y: string, id: string, dice: number) => Motif

export interface MotifGraphOptions {
  /** Makes a copy; `id` is to be a part of every new name, and `dice` decides what may vary. */
  readonly motif: MakeMotif
  /** Makes what is in the place of each copy in {@link MotifGraph.twin}. Default: the motif. */
  readonly twin?: MakeMotif
  readonly dims?: readonly number[]
  readonly opset?: number | { readonly [domain: string]: number }
}

export interface MotifGraph {
  readonly bytes: Uint8Array
  readonly twin: Uint8Array
  readonly copies: number
}

const UNARY = ['Relu', 'Sigmoid', 'Neg', 'Abs', 'Tanh', 'Identity', 'Erf']
const BINARY = ['Add', 'Sub', 'Mul', 'Max']

/** Up to a dozen steps, each an op or a copy of the motif, on values made before; two values are given out besides the last. */
export function motifGraph(options: MotifGraphOptions): fc.Arbitrary<MotifGraph> {
  const { motif, twin = motif, dims = [2, 3, 4], opset = 17 } = options
  const step = fc.record({ kind: fc.nat(99), first: fc.nat(99), second: fc.nat(99), isOutput: fc.nat(5) })
  const build = (steps: readonly Step[], make: MakeMotif): readonly [bytes: Uint8Array, copies: number] => {
    const values = ['x']
    const nodes: NodeSpec[] = []
    const initializers: Record<string, Constant> = {}
    const outputs: string[] = []
    let copies = 0
    for (const [index, { kind, first, second, isOutput }] of steps.entries()) {
      const [x, z] = [values[first % values.length] as string, values[second % values.length] as string]
      const y = `v${index}`
      if (kind < 50) {
        const copy = make(x, y, `m${index}_`, second)
        nodes.push(...copy.nodes)
        Object.assign(initializers, copy.initializers)
        copies++
      } else if (kind < 75) nodes.push(node(UNARY[kind % UNARY.length] as string, [x], [y]))
      else nodes.push(node(BINARY[kind % BINARY.length] as string, [x, z], [y]))
      values.push(y)
      if (isOutput === 0 || index === steps.length - 1) outputs.push(y)
    }
    const spec = {
      opset,
      nodes,
      initializers,
      inputs: { x: ['float32', dims] as const },
      outputs: Object.fromEntries(outputs.map((name) => [name, ['float32', dims] as const])),
    }
    return [makeModel(spec), copies]
  }
  return fc.array(step, { minLength: 3, maxLength: 12 }).map((steps) => {
    const [bytes, copies] = build(steps, motif)
    return { bytes, copies, twin: build(steps, twin)[0] }
  })
}

interface Step {
  readonly kind: number
  readonly first: number
  readonly second: number
  readonly isOutput: number
}

/** Applies passes to random graphs: outputs have to stay, and the second time nothing may change. */
export async function expectKeepsMeaning(
  graphs: fc.Arbitrary<MotifGraph>,
  steps: readonly onnx.Transform[],
  check: (reports: readonly onnx.PassReport[], graph: MotifGraph, model: onnx.Model) => void = () => {},
  numRuns = 25,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(graphs, async (graph) => {
      const model = await onnx.read(graph.bytes)
      const feeds = onnx.sampleFeeds(model, { range: { low: -2, high: 2 } })
      check(await onnx.transform(model, steps), graph, model)
      const changed = model.toBytes()
      for (const { changes } of await onnx.transform(model, steps)) expect(changes).toEqual([])
      expectSame(await runExactly(graph.bytes, feeds), await runExactly(changed, feeds))
    }),
    { numRuns, seed: 4 },
  )
}

function runExactly(bytes: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  return runOnOnnxruntime(bytes, feeds, { graphOptimizationLevel: 'disabled' })
}

function expectSame(wanted: Record<string, Tensor>, given: Record<string, Tensor>): void {
  expect(Object.keys(given)).toEqual(Object.keys(wanted))
  for (const [name, reference] of Object.entries(wanted)) {
    const text = onnx.differenceText(onnx.compareTensors(reference, given[name] as Tensor, { atol: 1e-5, rtol: 1e-4 }))
    expect(text, name).toBeUndefined()
  }
}

/** Names of values of a motif, one for each part, that no other copy of it has. */
export function valueNames<const Parts extends readonly string[]>(id: string, ...parts: Parts) {
  return parts.map((part) => id + part) as { -readonly [Index in keyof Parts]: string }
}
