import type { TensorLike } from '../../../tensor.js'
import { type ElementType, elementTypeNumber } from '../../data-types.js'
import type { Node } from '../../model/node.js'
import { ModelTensor, type RawTensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'
import type { Constants } from '../constants.js'
import type { PassContext } from '../pass.js'
import type { Plan, ValueUse, Wanted } from './plan.js'
import { isCast } from './ports.js'
import { convertWeights, type LowType, type WeightFigures, widenWeights } from './weights.js'

/** How long the event loop may be held between two pauses, in milliseconds. */
const SLICE_MS = 15

/**
 * Gives nodes and values the types of the plan, with a Cast wherever a value is wanted in both.
 *
 * @param emulate leaves everything float32, and rounds what the plan has in the smaller type there and back
 */
export async function applyPlan(
  plan: Plan,
  to: LowType,
  emulate: boolean,
  constants: Constants,
  context: PassContext,
): Promise<WeightFigures> {
  const applier = new Applier(plan, to, emulate, constants, context)
  let [sliceEnds, done] = [performance.now() + SLICE_MS, 0]
  for (const [value, use] of plan.uses) {
    if (use.isConstant) applier.convertConstant(value, use)
    else applier.convertValue(value, use)
    done++
    if (performance.now() < sliceEnds) continue
    context.progress(done, plan.uses.size)
    await new Promise((resolve) => setImmediate(resolve))
    context.signal?.throwIfAborted()
    sliceEnds = performance.now() + SLICE_MS
  }
  for (const node of plan.low) applier.convertNode(node)
  return applier.figures
}

class Applier {
  readonly figures: WeightFigures = { weights: 0, overflows: 0, masks: 0, underflows: 0 }
  readonly #plan: Plan
  readonly #to: LowType
  readonly #emulate: boolean
  readonly #constants: Constants
  readonly #context: PassContext

  constructor(plan: Plan, to: LowType, emulate: boolean, constants: Constants, context: PassContext) {
    this.#plan = plan
    this.#to = to
    this.#emulate = emulate
    this.#constants = constants
    this.#context = context
  }

  /** Rewritten in place where nobody needs float32, else there are two of it. */
  convertConstant(value: Value, use: ValueUse): void {
    const tensor = this.#constants.of(value)
    if (use.low === 0 || tensor === undefined) return
    const converted = convertWeights(tensor, this.#to, this.figures)
    const content = this.#emulate ? widenWeights(converted) : converted
    if (use.full > 0) {
      const copy = value.graph.addInitializer(content, value.graph.uniqueName(`${value.name}_${this.#to}`))
      this.#connect(value, { low: copy, full: value }, 'full')
    } else replaceConstant(value, content)
  }

  convertValue(value: Value, use: ValueUse): void {
    const { produced } = use
    const { dims } = value
    if (this.#emulate) {
      if (produced === 'low' || use.low > 0) this.#round(value, produced)
      return
    }
    if (produced === 'low') value.setType(this.#to, dims)
    if (use.casts === 0) return
    const other = produced === 'low' ? 'full' : 'low'
    const cast = this.#addCast(value, other)
    const readers = value.consumers
    if (value.state.outputOf.some((graph) => this.#plan.wantedBy(graph) === other)) {
      // The declaration of an output stays with the output's name.
      value.replaceUsesWith(cast)
      value.setType(this.#typeName(produced), dims)
      cast.setType(this.#typeName(other), dims)
    }
    const versions = produced === 'low' ? { low: value, full: cast } : { low: cast, full: value }
    this.#connect(value, versions, produced, readers)
  }

  /** What an attribute says of the type of the output. */
  convertNode(node: Node): void {
    this.#context.change(node, this.#emulate ? `rounds as ${this.#to}` : `computes in ${this.#to}`)
    if (this.#emulate) return
    if (isCast(node)) node.set('to', 'int', elementTypeNumber(this.#to))
    if (node.opType === 'ConstantOfShape' && node.domain === '') {
      const value =
        node.get('value', 'tensor') ?? ModelTensor.from({ type: 'float32', dims: [1], data: new Float32Array(1) })
      node.set('value', 'tensor', ModelTensor.from(convertWeights(value, this.#to, this.figures)))
    }
  }

  /** Readers that want the smaller type read what it would hold; where it is given in that type, everybody does. */
  #round(value: Value, produced: Wanted): void {
    const { dims } = value
    const rounded = this.#cast(this.#cast(value, value, 'low'), value, 'full')
    if (produced === 'low') {
      const [inner] = value.consumers.filter((node) => node.outputs[0] === rounded.producer?.inputs[0])
      const { name } = value
      value.replaceUsesWith(rounded)
      inner?.setInput(0, value)
      // The name is that of what the type would hold, so that a comparison sees an overflow where it happens.
      if (rounded.name !== name) {
        value.rename(value.graph.uniqueName(`${name}_exact`))
        rounded.rename(name)
      }
      value.setType('float32', dims)
      rounded.setType('float32', dims)
    } else this.#connect(value, { low: rounded, full: value }, 'full')
  }

  /** Reads what the value was cast from where it was, so that no two Casts follow each other. */
  #addCast(value: Value, type: Wanted): Value {
    const { producer } = value
    const isRecast = isCast(producer) && producer?.inputs[0]?.type !== 'float32'
    this.#context.count('casts added')
    return this.#cast((isRecast ? producer?.inputs[0] : undefined) ?? value, value, type)
  }

  /** @param value what the Cast stands for, which names it */
  #cast(source: Value, value: Value, type: Wanted): Value {
    const name = this.#typeName(type)
    const cast = value.graph.addNode({
      opType: 'Cast',
      name: `${value.name}_to_${name}`,
      inputs: [source],
      outputs: [value.graph.uniqueName(`${value.name}_${name}`)],
      attributes: { to: ['int', elementTypeNumber(name)] },
    })
    const result = cast.outputs[0] as Value
    result.setType(name, value.dims)
    this.#context.change(cast, `added, as "${value.name}" is read as ${name}`)
    return result
  }

  #typeName(type: Wanted): LowType | 'float32' {
    return type === 'low' ? this.#to : 'float32'
  }

  #connect(
    value: Value,
    versions: Readonly<Record<Wanted, Value>>,
    usual: Wanted,
    readers: readonly Node[] = value.consumers,
  ): void {
    const { low, full } = versions
    for (const node of readers) {
      if (node.outputs.includes(low) || node.outputs.includes(full)) continue
      const inputs = node.inputs.map((input, index) =>
        input === low || input === full ? versions[this.#plan.wanted(node, index) ?? usual] : input,
      )
      if (inputs.some((input, index) => input !== node.inputs[index])) node.inputs = inputs
    }
  }
}

function replaceConstant(value: Value, content: TensorLike | RawTensor): void {
  if (value.initializer === undefined) value.graph.setInitializer(value, content)
  else value.initializer.set(content)
  if (value.state.infos.length > 0) value.setType(content.type as ElementType, content.dims)
}
