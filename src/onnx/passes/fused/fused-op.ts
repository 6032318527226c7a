import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import type { Constants } from '../constants.js'
import type { Attributes, NodeBuilder } from '../node-builder.js'

/** What gives a fused op's outputs in ONNX's own ops, in their order; a text says why it cannot be expanded. */
export type Expansion = (op: FusedOp) => readonly (Value | undefined)[] | string

/** A node to be expanded, and the means to. */
export class FusedOp {
  readonly node: Node
  readonly builder: NodeBuilder
  readonly constants: Constants
  /** Version of ONNX's operator set. */
  readonly opset: number

  constructor(node: Node, builder: NodeBuilder, constants: Constants, opset: number) {
    this.node = node
    this.builder = builder.for(node)
    this.constants = constants
    this.opset = opset
  }

  /** An input that the op always has. */
  input(index: number): Value {
    return this.node.inputs[index] as Value
  }

  optional(index: number): Value | undefined {
    return this.node.inputs[index]
  }

  /** Whether somebody reads an output. */
  isUsed(index: number): boolean {
    return this.node.outputs[index]?.isUnused === false
  }

  add(opType: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}): Value {
    return this.builder.add(opType, inputs, attributes)
  }

  /** A number of the type of a value. */
  scalar(value: number, like: Value): Value {
    return this.builder.scalar(value, this.constants.type(like))
  }

  /** value · factor, or the value itself where the factor is 1. */
  scaled(value: Value, factor: number): Value {
    return factor === 1 ? value : this.add('Mul', [value, this.scalar(factor, value)])
  }

  /** The sum, or the first where the second is left out. */
  plus(value: Value, other: Value | undefined): Value {
    return other === undefined ? value : this.add('Add', [value, other])
  }

  /** Sums up along one axis, which stays with size 1. Axes were an attribute up to version 12. */
  sum(value: Value, axis: number): Value {
    if (this.opset < 13) return this.add('ReduceSum', [value], { axes: ['ints', [axis]] })
    return this.add('ReduceSum', [value, this.builder.ints([axis])])
  }

  /** The part of a value from `start` to `end` along an axis. */
  slice(value: Value, start: number, end: number, axis: number): Value {
    const ints = (number: number) => this.builder.ints([number])
    return this.add('Slice', [value, ints(start), ints(end), ints(axis)])
  }

  reshape(value: Value, shape: readonly number[]): Value {
    return this.add('Reshape', [value, this.builder.ints(shape)])
  }

  /** Puts axes of size 1 in; they were an attribute up to version 12. */
  unsqueeze(value: Value, axes: readonly number[]): Value {
    if (this.opset < 13) return this.add('Unsqueeze', [value], { axes: ['ints', axes] })
    return this.add('Unsqueeze', [value, this.builder.ints(axes)])
  }

  transpose(value: Value, perm: readonly number[]): Value {
    return this.add('Transpose', [value], { perm: ['ints', perm] })
  }
}
