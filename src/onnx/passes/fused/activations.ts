import type { Value } from '../../model/value.js'
import { attributesOf } from '../node-builder.js'
import type { Expansion, FusedOp } from './fused-op.js'

/** x · (1 + erf(x/√2)) / 2 */
function gelu(op: FusedOp, x: Value): Value {
  const erf = op.add('Erf', [op.scaled(x, Math.SQRT1_2)])
  return op.scaled(op.add('Mul', [x, op.add('Add', [erf, op.scalar(1, x)])]), 0.5)
}

/** Its approximation by tanh(√(2/π) · (x + 0.044715 x³)). */
function fastGelu(op: FusedOp, x: Value): Value {
  const cube = op.add('Mul', [x, op.add('Mul', [x, x])])
  const inner = op.add('Add', [x, op.scaled(cube, 0.044715)])
  const tanh = op.add('Tanh', [op.scaled(inner, Math.sqrt(2 / Math.PI))])
  return op.scaled(op.add('Mul', [x, op.add('Add', [tanh, op.scalar(1, x)])]), 0.5)
}

/** Activations by name; their parameters are alpha and beta, or the bounds of Clip. */
const KINDS: Readonly<Record<string, (op: FusedOp, value: Value, ...parameters: (number | undefined)[]) => Value>> = {
  '': (_, value) => value,
  Clip: (op, value, least, greatest) =>
    op.add('Clip', [
      value,
      ...[least, greatest].map((bound) => (bound === undefined ? undefined : op.scalar(bound, value))),
    ]),
  HardSigmoid: (op, value, alpha = Math.fround(0.2), beta = 0.5) =>
    op.add('HardSigmoid', [value], { alpha: ['float', alpha], beta: ['float', beta] }),
  LeakyRelu: (op, value, alpha = Math.fround(0.01)) => op.add('LeakyRelu', [value], { alpha: ['float', alpha] }),
  Relu: (op, value) => op.add('Relu', [value]),
  Sigmoid: (op, value) => op.add('Sigmoid', [value]),
  Tanh: (op, value) => op.add('Tanh', [value]),
}

/** An op with the activation behind it. */
function activated(
  op: FusedOp,
  make: () => Value,
  parameters: readonly (number | undefined)[],
): readonly Value[] | string {
  const kind = op.node.get('activation', 'string', '')
  const activate = KINDS[kind]
  return activate === undefined ? `its activation ${kind} is not known` : [activate(op, make(), ...parameters)]
}

const fusedConv: Expansion = (op) => {
  const [x, weight, bias, sum] = op.node.inputs
  const attributes = attributesOf(op.node, ['activation', 'activation_params'])
  const conv = () => op.plus(op.add('Conv', [x, weight, bias], attributes), sum)
  return activated(op, conv, op.node.get('activation_params', 'floats') ?? [])
}

const fusedGemm: Expansion = (op) => {
  const own = ['activation', 'activation_alpha', 'activation_beta', 'activation_gamma']
  const parameters = ['activation_alpha', 'activation_beta'].map((name) => op.node.get(name, 'float'))
  return activated(op, () => op.add('Gemm', op.node.inputs, attributesOf(op.node, own)), parameters)
}

const fusedMatMul: Expansion = (op) => {
  const { node } = op
  if (node.getInt('transBatchA', 0) === 1 || node.getInt('transBatchB', 0) === 1) return 'it moves the batch'
  const unknown = [0, 1].map((index) => op.input(index)).find((value) => op.constants.dims(value) === undefined)
  if (unknown !== undefined) return `the rank of "${unknown.name}" is not known`
  const sides = ['transA', 'transB'].map((name, index) => {
    const value = op.input(index)
    const rank = (op.constants.dims(value) as []).length
    // A vector stays as it is.
    if (node.getInt(name, 0) === 0 || rank < 2) return value
    return op.transpose(value, [...Array(rank - 2).keys(), rank - 1, rank - 2])
  })
  return [op.scaled(op.add('MatMul', sides), node.get('alpha', 'float', 1))]
}

/** Rules: onnxruntime's docs/ContribOperators.md. */
export const ACTIVATIONS: Readonly<Record<string, Expansion>> = {
  BiasGelu: (op) => [gelu(op, op.plus(op.input(0), op.optional(1)))],
  FastGelu: (op) => [fastGelu(op, op.plus(op.input(0), op.optional(1)))],
  FusedConv: fusedConv,
  FusedGemm: fusedGemm,
  FusedMatMul: fusedMatMul,
  Gelu: (op) => [gelu(op, op.input(0))],
  QuickGelu: (op) => {
    const x = op.input(0)
    return [op.add('Mul', [x, op.add('Sigmoid', [op.scaled(x, op.node.get('alpha', 'float', 1.702))])])]
  },
  TransposeMatMul: fusedMatMul,
}
