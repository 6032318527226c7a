/**
 * Random models of the kind that exporters write: convolutions, matrix products and arithmetic, with the glue around them
 * (shapes computed by nodes, no-ops, constants computed from constants, the same thing twice, branches).
 *
 * A model is drawn as a list of numbers, each of which picks the next step, so that fast-check can shrink it.
 */
import fc from 'fast-check'
import type { Tensor } from 'tensorrt-node'
import { randomTensor, seededRandom } from '#dist/npy/random.js'
import { type Constant, constant, type GraphSpec, makeModel, type NodeSpec, node } from '../../helpers/onnx-model.js'

export interface RandomModel {
  readonly bytes: Uint8Array
  readonly feeds: Record<string, Tensor>
  /** The same model but for what is said. */
  twin(change: Partial<Kind>): Uint8Array
}

/** What a model is like besides its nodes. */
interface Kind {
  /** Whether the batch is symbolic. */
  readonly isDynamic: boolean
  readonly opset: number
  /** The greatest magnitude of its float constants. */
  readonly limit: number
}

/** What `feeds` has for the symbolic batch. */
const BATCH = 2

/** Models with an input `x` of shape [N, 2, 3, 4], N symbolic or 2. */
export function randomModel({ maxSteps = 14, opset = 17 } = {}): fc.Arbitrary<RandomModel> {
  const steps = fc.array(fc.tuple(fc.nat(10_000), fc.nat(10_000)), { minLength: 1, maxLength: maxSteps })
  return fc.record({ steps, isDynamic: fc.boolean(), seed: fc.nat(1000) }).map(({ steps, isDynamic, seed }) => {
    const kind: Kind = { isDynamic, opset, limit: Number.POSITIVE_INFINITY }
    const twin = (change: Partial<Kind>) => new Builder({ ...kind, ...change }).build(steps)
    return { bytes: twin({}), feeds: { x: randomInput(BATCH, seed) }, twin }
  })
}

/** What the models of {@link randomModel} take, of any batch. */
export function randomInput(batch: number, seed: number): Tensor {
  return randomTensor('float32', [batch, 2, 3, 4], seededRandom(seed), { low: -1, high: 1 }) as Tensor
}

/** A value with the shape that it has for `feeds`; its first axis is the batch as long as `hasBatch`. */
interface Known {
  readonly name: string
  readonly dims: readonly number[]
  readonly hasBatch: boolean
}

class Builder {
  readonly #nodes: NodeSpec[] = []
  readonly #constants: Record<string, Constant> = {}
  readonly #values: Known[]
  readonly #kind: Kind
  #next = 0

  constructor(kind: Kind) {
    this.#kind = kind
    this.#values = [{ name: 'x', dims: [BATCH, 2, 3, 4], hasBatch: true }]
  }

  build(steps: readonly (readonly [number, number])[]): Uint8Array {
    for (const [step, choice] of steps) {
      const source = this.#values[choice % this.#values.length] as Known
      this.#values.push((STEPS[step % STEPS.length] as Step).call(this, source, choice))
    }
    // The last value, and one from the middle, so that inner values are outputs too.
    const given = [...new Set([this.#values.at(-1), this.#values[Math.ceil(this.#values.length / 2)]])]
    const outputs = given.filter((value, index): value is Known => index === 0 || value?.name !== 'x')
    const type = (rank: number) => ['float32', Array.from({ length: rank }, (_, i) => `d${i}`)] as const
    const named = outputs.map(({ name, dims }, index) => ({ name, out: `y${index}`, rank: dims.length }))
    // Half of the outputs come through an Identity, so that names must be kept.
    return makeModel({
      opset: this.#kind.opset,
      inputs: { x: ['float32', [this.#kind.isDynamic ? 'N' : BATCH, 2, 3, 4]] },
      outputs: Object.fromEntries(
        named.map(({ name, out, rank }, index) => [
          index === 0 ? out : name,
          type(rank).map((part) => (Array.isArray(part) ? part.map((dim) => `${out}_${dim}`) : part)) as never,
        ]),
      ),
      initializers: this.#constants,
      nodes: [...this.#nodes, ...named.slice(0, 1).map(({ name, out }) => node('Identity', [name], [out]))],
    })
  }

  name(): string {
    return `v${this.#next++}`
  }

  add(op: string, inputs: readonly string[], attributes: NodeSpec['attributes'] = {}): string {
    const name = this.name()
    this.#nodes.push(node(op, inputs, [name], attributes))
    return name
  }

  floats(dims: readonly number[], value: (i: number) => number): string {
    const name = this.name()
    const size = dims.reduce((product, dim) => product * dim, 1)
    const { limit } = this.#kind
    const values = Array.from({ length: size }, (_, i) => Math.min(Math.max(value(i), -limit), limit))
    this.#constants[name] = constant('float32', dims, values)
    return name
  }

  /** An initializer, or a Constant node. */
  ints(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const content = constant('int64', dims, values)
    if (values.length % 2 === 1) return this.add('Constant', [], { value: content })
    const name = this.name()
    this.#constants[name] = content
    return name
  }

  /** As exporters ask for a size: Gather of Shape, as a vector of one. */
  size(of: string, axis: number): string {
    const size = this.add('Gather', [this.add('Shape', [of]), this.ints([axis], [])], { axis: 0 })
    return this.add('Unsqueeze', [size, this.ints([0])])
  }

  branch(value: string, op: string): GraphSpec {
    const name = this.name()
    return { outputs: { [name]: ['float32'] }, nodes: [node(op, [value], [name])] }
  }
}

type Step = (this: Builder, source: Known, choice: number) => Known

const product = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1)

const STEPS: readonly Step[] = [
  function unary(source, choice) {
    const op = ['Relu', 'Neg', 'Abs', 'Identity', 'Tanh', 'Dropout', 'Ceil'][choice % 7] as string
    return { ...source, name: this.add(op, [source.name]) }
  },
  function withUnit(source, choice) {
    const [op, unit] = [
      ['Add', 0],
      ['Mul', 1],
      ['Sub', 0],
      ['Div', 1],
      ['Mul', 2],
      ['Add', 0.5],
    ][choice % 6] as [string, number]
    const dims = choice % 2 === 0 ? [] : [1]
    const isScalar = source.dims.length === 0
    return { ...source, name: this.add(op, [source.name, this.floats(isScalar ? [] : dims, () => unit)]) }
  },
  function addItself(source) {
    return { ...source, name: this.add('Add', [this.add('Relu', [source.name]), this.add('Relu', [source.name])]) }
  },
  function transpose(source, choice) {
    const perm = source.dims.map((_, axis) => axis)
    const by = choice % (perm.length || 1)
    const rotated = [...perm.slice(by), ...perm.slice(0, by)]
    const dims = rotated.map((axis) => source.dims[axis] as number)
    return {
      name: this.add('Transpose', [source.name], { perm: rotated }),
      dims,
      hasBatch: source.hasBatch && by === 0,
    }
  },
  function transposeTwice(source) {
    const rank = source.dims.length
    if (rank < 3) return source
    // A rotation and a swap, which come to something else in the other order.
    const rotate = source.dims.map((_, axis) => (axis + 1) % rank)
    const swap = [...rotate.keys()].with(-1, rank - 2).with(-2, rank - 1)
    const once = this.add('Transpose', [source.name], { perm: rotate })
    const dims = swap.map((axis) => source.dims[rotate[axis] as number] as number)
    return { name: this.add('Transpose', [once], { perm: swap }), dims, hasBatch: false }
  },
  function reshapeByGlue(source) {
    if (!source.hasBatch) return source
    const shape = this.add('Concat', [this.size(source.name, 0), this.ints([-1])], { axis: 0 })
    const dims = [BATCH, product(source.dims) / BATCH]
    return { name: this.add('Reshape', [source.name, shape]), dims, hasBatch: true }
  },
  function reshapeToItself(source) {
    return { ...source, name: this.add('Reshape', [source.name, this.add('Shape', [source.name])]) }
  },
  function reshapeTwice(source) {
    const flat = this.add('Reshape', [source.name, this.ints([-1])])
    const dims = [product(source.dims)]
    return { name: this.add('Reshape', [flat, this.ints([1, -1, 1])]), dims: [1, ...dims, 1], hasBatch: false }
  },
  function flatten(source, choice) {
    const axis = choice % (source.dims.length + 1)
    const dims = [product(source.dims.slice(0, axis)), product(source.dims.slice(axis))]
    return { name: this.add('Flatten', [source.name], { axis }), dims, hasBatch: source.hasBatch && axis === 1 }
  },
  function thereAndBack(source) {
    const wide = this.add('Unsqueeze', [source.name, this.ints([0])])
    return { ...source, name: this.add('Squeeze', [wide, this.ints([0])]) }
  },
  function expandToItself(source) {
    return { ...source, name: this.add('Expand', [source.name, this.add('Shape', [source.name])]) }
  },
  function slice(source, choice) {
    if (source.dims.length === 0) return source
    const axis = source.dims.length - 1
    const size = source.dims[axis] as number
    const end = choice % 2 === 0 || size < 2 ? 2 ** 31 : size - 1
    const name = this.add('Slice', [source.name, this.ints([0]), this.ints([end]), this.ints([axis])])
    return {
      name,
      dims: source.dims.with(axis, Math.min(end, size)),
      hasBatch: source.hasBatch && (axis > 0 || end >= size),
    }
  },
  function pad(source, choice) {
    const last = choice % 3
    const pads = [
      ...source.dims.map(() => 0),
      ...source.dims.map((_, axis) => (axis === source.dims.length - 1 ? last : 0)),
    ]
    if (source.dims.length === 0) return source
    const dims = source.dims.map((dim, axis) => (axis === source.dims.length - 1 ? dim + last : dim))
    const hasBatch = source.hasBatch && (source.dims.length > 1 || last === 0)
    return { name: this.add('Pad', [source.name, this.ints(pads)]), dims, hasBatch }
  },
  function casts(source, choice) {
    const wide = this.add('Cast', [source.name], { to: choice % 2 === 0 ? 11 : 1 })
    // Not the Cast itself: onnxruntime 1.30 drops it where nothing but a graph inside an If reads it.
    return { ...source, name: this.add('Neg', [this.add('Cast', [wide], { to: 1 })]) }
  },
  function concats(source) {
    if (source.dims.length === 0) return source
    const inner = this.add('Concat', [source.name], { axis: source.dims.length - 1 })
    const twice = this.add('Concat', [inner, source.name], { axis: -1 })
    const dims = source.dims.with(-1, 2 * (source.dims.at(-1) as number))
    return { name: twice, dims, hasBatch: source.hasBatch && source.dims.length > 1 }
  },
  function computedConstant(source, choice) {
    const scale = this.add('Exp', [this.floats([], () => (choice % 5) / 10)])
    const row = this.add('Expand', [this.add('Unsqueeze', [scale, this.ints([0])]), this.ints([1])])
    const isScalar = source.dims.length === 0
    return { ...source, name: this.add('Mul', [source.name, isScalar ? scale : row]) }
  },
  function convolve(source, choice) {
    if (source.dims.length !== 4) return source
    const [batch, channels, height, width] = source.dims as [number, number, number, number]
    const weight = this.floats([2, channels, 1, 1], (i) => ((i * 7 + choice) % 11) / 10 - 0.5)
    const bias = choice % 2 === 0 ? [] : [this.floats([2], (i) => i - 0.5)]
    let name = this.add('Conv', [source.name, weight, ...bias], { kernel_shape: [1, 1] })
    if (choice % 3 > 0) {
      const parameters = [1.5, 0.25, -0.5, 2].map((x) => this.floats([2], (i) => x + i / 4))
      name = this.add('BatchNormalization', [name, ...parameters])
    }
    if (choice % 5 > 1) name = this.add('Mul', [name, this.floats([1, 2, 1, 1], (i) => i + 0.5)])
    if (choice % 7 > 2) name = this.add('Add', [this.floats([2, 1, 1], (i) => i - 1), name])
    return { name, dims: [batch, 2, height, width], hasBatch: source.hasBatch }
  },
  function multiply(source, choice) {
    if (source.dims.length !== 2) return source
    const [rows, columns] = source.dims as [number, number]
    const product = this.add('MatMul', [source.name, this.floats([columns, 3], (i) => ((i + choice) % 13) / 50 - 0.1)])
    return {
      name: this.add('Add', [product, this.floats([3], (i) => i)]),
      dims: [rows, 3],
      hasBatch: source.hasBatch,
    }
  },
  function knownIf(source, choice) {
    const condition = this.add('Equal', [this.ints([choice % 2], []), this.ints([0], [])])
    const branches = { then_branch: this.branch(source.name, 'Neg'), else_branch: this.branch(source.name, 'Abs') }
    return { ...source, name: this.add('If', [condition], branches) }
  },
  function openIf(source) {
    const sum = this.add('ReduceSum', [source.name], { keepdims: 0 })
    const condition = this.add('Greater', [sum, this.floats([], () => 0)])
    const branches = { then_branch: this.branch(source.name, 'Relu'), else_branch: this.branch(source.name, 'Neg') }
    return { ...source, name: this.add('If', [condition], branches) }
  },
]
