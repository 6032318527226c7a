import { isBoolean } from '../../check.js'
import { elementTypeNumber } from '../data-types.js'
import type { Value } from '../model/value.js'
import { Constants } from './constants.js'
import { definePass } from './pass.js'

/** Options of {@link castInt64}. */
export interface CastInt64Options {
  /** Whether inputs of int64 become int32. */
  readonly inputs: boolean
  /** Whether outputs of int64 become int32. */
  readonly outputs: boolean
}

const [LEAST, GREATEST] = [-(2n ** 31n), 2n ** 31n - 1n]

/**
 * Makes inputs and outputs of int64 int32, with a Cast behind each input and before each output: callers feed `Int32Array`s
 * instead of bigints, and TensorRT before 10, which has no int64, takes the model. Inside, ONNX's own operators want int64
 * for shapes and indices, so nothing else changes; a note names constants that int32 cannot hold, which such a TensorRT
 * clamps.
 *
 * Values that callers feed have to fit into int32 from then on; outputs that do not fit wrap around, as ONNX's Cast has it.
 *
 * @example onnx.castInt64({ outputs: false })
 */
export const castInt64 = definePass<CastInt64Options>({
  name: 'cast-int64',
  summary: 'Makes inputs and outputs of int64 int32, by casts inside the model',
  keepsMeaning: false,
  options: {
    inputs: { kind: 'boolean', doc: 'whether inputs become int32', check: isBoolean },
    outputs: { kind: 'boolean', doc: 'whether outputs become int32', check: isBoolean },
  },
  defaults: { inputs: true, outputs: true },
  apply(model, { inputs, outputs }, context) {
    const { graph } = model
    const cast = (value: Value, to: 'int32' | 'int64'): Value => {
      const attributes = { to: ['int', elementTypeNumber(to)] as const }
      return graph.addNode({ opType: 'Cast', inputs: [value], attributes }).outputs[0] as Value
    }
    const isFed = (value: Value): boolean => value.initializer === undefined && value.type === 'int64'
    for (const value of inputs ? graph.inputs.filter(isFed) : []) {
      if (value.isOutput) {
        context.note(`input "${value.name}" is an output too, and stays int64`)
        continue
      }
      const { dims } = value
      const inner = cast(value, 'int64')
      value.replaceUsesWith(inner)
      inner.setType('int64', dims)
      value.setType('int32', dims)
      context.change(value, 'input made int32')
    }
    for (const value of outputs ? graph.outputs.filter(({ type, isInput }) => type === 'int64' && !isInput) : []) {
      const { name, dims } = value
      const outer = cast(value, 'int32')
      graph.replaceOutput(value, outer)
      outer.setType('int32', dims)
      value.setType('int64', dims)
      context.change(name, 'output made int32')
    }
    noteLargeConstants()

    function noteLargeConstants(): void {
      const constants = new Constants(model)
      const values = [...model.graphs()].flatMap((inner) => inner.values)
      for (const value of values) {
        const tensor = constants.of(value)
        if (tensor?.type !== 'int64') continue
        const data = tensor.toTensor().data as BigInt64Array
        if (!data.some((x) => x < LEAST || x > GREATEST)) continue
        context.note(`constant "${value.name}" holds integers that int32 cannot; a TensorRT without int64 clamps them`)
      }
    }
  },
})
