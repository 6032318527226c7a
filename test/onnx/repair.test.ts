import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { failure } from '../helpers/errors.js'
import { constant, makeModel, node } from '../helpers/onnx-model.js'
import { REFUSED_MODELS, type RefusedModel } from './helpers/refused-models.js'

/** A TensorRT that refuses models with a node of the op, in the words of the real one. */
const refusing =
  (op: string): onnx.Ask =>
  async (model) =>
    model.graph.find({ opType: op, nested: true }).length === 0
      ? undefined
      : `TensorRT cannot take this model:\nnode 0 (${op}): false`

const axesFromShape = () =>
  onnx.read(
    makeModel({
      opset: 18,
      inputs: { x: ['float32', [2, 3, 4]] },
      outputs: { y: ['float32', [1, 1, 1]] },
      initializers: { zero: constant('int64', [], [0]), one: constant('int64', [], [1]) },
      nodes: [
        node('Shape', ['x'], ['shape']),
        node('Size', ['shape'], ['rank']),
        node('Range', ['zero', 'rank', 'one'], ['axes']),
        node('ReduceSum', ['x', 'axes'], ['y']),
      ],
    }),
  )

/** An If inside of another one, both on whether the rate is 16000: Neg where it is, else Exp. */
function nestedIfs(): Promise<onnx.Model> {
  const branch = (op: string) => ({
    outputs: { [`${op}_y`]: ['float32', ['N']] as const },
    nodes: [node(op, ['x'], [`${op}_y`])],
  })
  const inner = node('If', ['is_16k'], ['inner_y'], { then_branch: branch('Neg'), else_branch: branch('Abs') })
  return onnx.read(
    makeModel({
      inputs: { x: ['float32', ['N']], rate: ['int64', []] },
      outputs: { y: ['float32', ['N']] },
      initializers: { k16: constant('int64', [], [16_000]) },
      nodes: [
        node('Equal', ['rate', 'k16'], ['is_16k']),
        node('If', ['is_16k'], ['y'], {
          then_branch: { outputs: { inner_y: ['float32', ['N']] }, nodes: [inner] },
          else_branch: branch('Exp'),
        }),
      ],
    }),
  )
}

describe('repair', () => {
  it('leaves a model alone that TensorRT takes', async () => {
    const model = await axesFromShape()
    const result = await onnx.repair(model, { ask: async () => undefined })
    expect(result).toMatchObject({ outcome: 'untouched', steps: [], assumptions: [], proof: { verdict: 'none' } })
    expect(result.model).toBe(model)
  })

  it('mends what lint finds, compares with the original, and leaves the original as it was', async () => {
    const model = await axesFromShape()
    const before = model.toBytes()
    const { outcome, steps, proof, model: repaired } = await onnx.repair(model, { ask: refusing('Range') })
    expect(outcome).toBe('repaired')
    expect(steps.map((step) => step.outcome)).toEqual(['kept'])
    expect(proof).toMatchObject({ verdict: 'equal', runs: 2, outputs: [{ name: 'y', maxAbsError: 0 }] })
    expect(repaired.graph.nodes.map(({ opType }) => opType)).toEqual(['ReduceSum'])
    expect(Buffer.compare(model.toBytes(), before)).toBe(0)
  })

  it('says that it did not ask where there is nobody to ask', async () => {
    const { outcome, steps } = await onnx.repair(await axesFromShape())
    expect(outcome).toBe('not-asked')
    expect(steps.map((step) => step.outcome)).toEqual(['kept'])
  })

  it('refuses values for inputs that are not there', async () => {
    const error = await failure('INVALID_ARGUMENT', async () =>
      onnx.repair(await axesFromShape(), { values: { rate: 1 } }),
    )
    expect(error.message).toContain('values: there is no input "rate"')
  })

  it('ends where nothing helps, and explains the refusal', async () => {
    let asked = 0
    const { outcome, refusal, steps } = await onnx.repair(await axesFromShape(), {
      ask: async () => {
        asked++
        return 'TensorRT cannot take this model:\nnode "y" (ReduceSum): creator && "Plugin not found, are the name right?"'
      },
    })
    expect(outcome).toBe('refused')
    expect(refusal).toMatchObject({ node: 'ReduceSum "y"', op: 'ReduceSum' })
    expect(refusal?.cause).toContain('no layer')
    expect(steps.length).toBeLessThan(6)
    expect(asked).toBeLessThan(5)
  })

  it('never calls a rewrite the same that is near, and says by how much it differs', async () => {
    const { bytes } = REFUSED_MODELS.find(({ name }) => name === 'DynamicQuantizeLSTM') as RefusedModel
    const { outcome, proof } = await onnx.repair(await onnx.read(bytes), { ask: refusing('DynamicQuantizeLSTM') })
    expect({ outcome, verdict: proof.verdict }).toEqual({ outcome: 'repaired', verdict: 'near-equal' })
    expect(proof.outputs[0]?.maxAbsError).toBeGreaterThan(0)
    expect(proof.outputs[0]?.maxAbsError).toBeLessThan(0.03 * (proof.outputs[0]?.magnitude ?? 0) + 1e-3)
  })

  it('makes an input constant that the model compares with a number, says so, and compares at that number', async () => {
    const model = await nestedIfs()
    const { outcome, assumptions, proof, model: repaired } = await onnx.repair(model, { ask: refusing('If') })
    expect({ outcome, assumptions }).toEqual({
      outcome: 'repaired',
      assumptions: [{ kind: 'value', input: 'rate', value: 16_000 }],
    })
    expect(proof.verdict).toBe('equal')
    expect(repaired.graph.nodes.map(({ opType }) => opType)).toEqual(['Neg'])
    const other = await onnx.repair(model, { ask: refusing('If'), values: { rate: 8000 } })
    expect(other.model.graph.nodes.map(({ opType }) => opType)).toEqual(['Exp'])
  })
})

// The passes that repair uses are broken on purpose, from outside: what they leave is changed behind their back.
describe('a wrong repair is caught', () => {
  const broken = (pass: onnx.Pass, spoil: (model: onnx.Model) => void) =>
    onnx.definePass<Record<never, never>>({
      name: pass.passName,
      summary: pass.summary,
      keepsMeaning: true,
      options: {},
      defaults: {},
      async apply(model, _, context) {
        await pass().apply(model)
        spoil(model)
        context.change('model', 'spoilt')
      },
    })

  async function repairWith(spoil: (model: onnx.Model) => void, model: onnx.Model, op: string, name = 'simplify') {
    const passes = onnx.PASSES as Map<string, onnx.Pass>
    const pass = passes.get(name) as onnx.Pass
    passes.set(name, broken(pass, spoil))
    try {
      return await onnx.repair(model, { ask: refusing(op) })
    } finally {
      passes.set(name, pass)
    }
  }

  it('a swapped axis', async () => {
    const model = await onnx.read(
      makeModel({
        opset: 18,
        inputs: { x: ['float32', [3, 3]] },
        outputs: { y: ['float32', [1, 3]] },
        initializers: { one: constant('int64', [], [1]), row: constant('int64', [1], [1]) },
        nodes: [
          node('Shape', ['x'], ['shape']),
          node('Size', ['shape'], ['rank']),
          node('Sub', ['rank', 'one'], ['last']),
          node('Sub', ['last', 'one'], ['zero']),
          node('Reshape', ['zero', 'row'], ['axes']),
          node('ReduceSum', ['x', 'axes'], ['y']),
        ],
      }),
    )
    const {
      outcome,
      steps,
      model: left,
    } = await repairWith(
      ({ graph }) => {
        const [sum] = graph.find({ opType: 'ReduceSum' })
        const axis = graph.addInitializer({ type: 'int64', dims: [1], data: BigInt64Array.of(1n) })
        sum?.setInput(1, axis)
      },
      model,
      'Sub',
    )
    expect(outcome).toBe('refused')
    expect(steps.every((step) => step.outcome !== 'kept')).toBe(true)
    expect(steps[0]?.reason).toMatch(/output "y": expected float32\[1,3\], received float32\[3,1\]/)
    expect(left).toBe(model)
  })

  it('a wrong branch, and another way is found', async () => {
    const { outcome, steps, proof, model } = await repairWith(
      ({ graph }) => {
        for (const node of graph.find({ opType: 'Neg' })) node.opType = 'Abs'
      },
      await nestedIfs(),
      'If',
      'remove-if',
    )
    const spoilt = steps.filter(({ fix }) => fix.passes.some(({ pass }) => pass === 'remove-if'))
    expect(spoilt.map((step) => step.outcome)).toContain('undone')
    expect(spoilt.some(({ reason }) => /output "y": \d+ of \d+ elements differ/.test(reason ?? ''))).toBe(true)
    expect({ outcome, verdict: proof.verdict }).toEqual({ outcome: 'repaired', verdict: 'equal' })
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['Neg'])
  })

  it('a wrong constant, such as a zero point', async () => {
    const { steps } = await repairWith(
      ({ graph }) => {
        const [sum] = graph.find({ opType: 'ReduceSum' })
        const offset = graph.addInitializer({ type: 'float32', dims: [], data: Float32Array.of(0.5) })
        const x = graph.inputs[0] as onnx.Value
        sum?.setInput(0, graph.addNode({ opType: 'Add', inputs: [x, offset] }).outputs[0])
      },
      await axesFromShape(),
      'Range',
    )
    expect(steps.map((step) => step.outcome)).not.toContain('kept')
    expect(steps[0]?.reason).toMatch(
      /output "y": 1 of 1 elements differ, by up to 12\.0: at \[0,0,0\] expected .*, received/,
    )
  })

  it('a pass that reports changes for ever ends all the same', async () => {
    const { outcome, steps } = await repairWith(() => {}, await axesFromShape(), 'ReduceSum')
    expect(outcome).toBe('refused')
    expect(steps.length).toBeLessThan(10)
  })
})

describe('explainRefusal', () => {
  it('passes unknown words through whole', () => {
    const message = 'Error Code 99: something new'
    expect(onnx.explainRefusal(message)).toEqual({
      message,
      node: undefined,
      op: undefined,
      tensor: undefined,
      cause: undefined,
      fixes: [],
      advice: undefined,
    })
  })

  it('finds node, op and value in the words of the parser', () => {
    const message =
      'not a sound ONNX model:\nnode 3 (Add): Invalid Node - node_of_sum\nITensor::getDimensions: Error Code 4: API Usage Error (node_of_sum: ElementWiseOperation SUM requires inputs with type kFLOAT. But type is UInt8.)'
    expect(onnx.explainRefusal(message)).toMatchObject({ node: 'Add (node 3)', op: 'Add', tensor: 'sum' })
    expect(onnx.explainRefusal(message).cause).toContain('type')
    const pooling = 'TensorRT cannot take this model:\nnode 2 (MaxPool): (dilations[i] == 1) && "no dilations"'
    expect(onnx.explainRefusal(pooling)).toMatchObject({
      op: 'MaxPool',
      cause: expect.stringContaining('not in this form'),
    })
  })
})
