import { type Check, isNumber } from '../../check.js'
import type { ModelTensor } from '../model/tensor.js'
import { constantTensor } from './constants.js'
import { definePass, type PassContext } from './pass.js'

/** Options of {@link clampWeights}. */
export interface ClampWeightsOptions {
  /** The greatest magnitude that stays. Default 65504, the greatest number of fp16 (IEEE 754 binary16). */
  readonly max: number
}

const FP16_MAX = 65_504

const isPositive: Check = (value) => isNumber(value) ?? ((value as number) > 0 ? undefined : 'a number above 0')

/**
 * Moves constants of fp32 and fp64 that are farther from 0 than `max` to `max`, infinities included, each with its sign;
 * NaN stays, with a note. For mask constants such as -3.4e38 or -inf, which fp16 would make infinite, so that a softmax over
 * a row that is masked as a whole gives NaN; `convert-precision` does the same by itself for what it converts.
 *
 * @example onnx.clampWeights({ max: 1e4 })
 */
export const clampWeights = definePass<ClampWeightsOptions>({
  name: 'clamp-weights',
  summary: 'Moves constants that are too far from 0, infinite ones included, to the greatest number that fp16 has',
  keepsMeaning: false,
  options: { max: { kind: 'number', doc: 'the greatest magnitude that stays', check: isPositive } },
  defaults: { max: FP16_MAX },
  apply(model, { max }, context) {
    for (const graph of model.graphs()) {
      for (const tensor of graph.initializers) {
        const clamped = clamp(tensor, tensor.name, max, context)
        if (clamped !== undefined) tensor.set(clamped)
      }
      for (const node of graph.find({ opType: 'Constant', domain: '' })) {
        const tensor = constantTensor(node)
        const clamped = tensor && clamp(tensor, node.outputs[0]?.name ?? '', max, context)
        if (clamped === undefined) continue
        for (const { name } of node.attributes) node.delete(name)
        tensor?.set(clamped)
        node.set('value', 'tensor', tensor as ModelTensor)
      }
    }
  },
})

/** The tensor with its elements moved; undefined where all of them may stay. */
function clamp(tensor: ModelTensor, name: string, max: number, context: PassContext) {
  if (tensor.type !== 'float32' && tensor.type !== 'float64') return undefined
  const content = tensor.toTensor()
  const data = content.data as Float32Array
  // As the type has it, so that what was moved there stays the next time.
  const limit = tensor.type === 'float32' ? Math.fround(max) : max
  let [moved, nans] = [0, 0]
  for (let at = 0; at < data.length; at++) {
    const x = data[at] as number
    if (Number.isNaN(x)) nans++
    if (!(Math.abs(x) > limit)) continue
    data[at] = Math.sign(x) * limit
    moved++
  }
  if (nans > 0) context.note(`${name} has ${nans} elements that are NaN, which stay`)
  if (moved === 0) return undefined
  context.change(name, `${moved} of ${data.length} elements moved to ±${max}`)
  context.count('elements moved', moved)
  return content
}
