/** Sequences and optional values. */
import { elementTypeName } from '../../data-types.js'
import type { Dim } from '../../value-type.js'
import { widen } from '../merge-kinds.js'
import type { OpContext, Rule } from '../op-context.js'
import { kindOf, tensor, UNKNOWN, type ValueKind } from '../value-kinds.js'
import { concatenated } from './selecting.js'

/** What is in a sequence or an optional value. */
function contentOf(kind: ValueKind): ValueKind {
  return 'of' in kind ? kind.of : UNKNOWN
}

function sequenceOf(op: OpContext, kinds: readonly ValueKind[]): ValueKind {
  const [first = UNKNOWN, ...others] = kinds
  const of = others.reduce((all, kind) => widen(all, kind) ?? op.fail('a sequence holds values of one type'), first)
  return { kind: 'sequence', of }
}

function inputKinds(op: OpContext): ValueKind[] {
  return op.node.inputs.map((_, index) => op.kind(index))
}

export const SEQUENCES: Readonly<Record<string, Rule>> = {
  SequenceConstruct: (op) => op.giveKind(0, sequenceOf(op, inputKinds(op))),
  SequenceEmpty: (op) => op.giveKind(0, { kind: 'sequence', of: tensor(elementTypeName(op.int('dtype', 1))) }),
  SequenceInsert: (op) => op.giveKind(0, sequenceOf(op, [contentOf(op.kind(0)), op.kind(1)])),
  SequenceErase: (op) => op.giveKind(0, op.kind(0)),
  SequenceAt: (op) => op.giveKind(0, contentOf(op.kind(0))),
  SequenceLength: (op) => op.give(0, [], 'int64'),
  SplitToSequence: (op) => {
    const dims = op.dims(0)
    if (dims === undefined) return op.giveKind(0, { kind: 'sequence', of: tensor(op.elem(0)) })
    const axis = op.axis(op.int('axis', 0), dims.length)
    if (!op.hasInput(1) && op.int('keepdims', 1) === 0) {
      return op.giveKind(0, { kind: 'sequence', of: tensor(op.elem(0), dims.toSpliced(axis, 1)) })
    }
    op.giveKind(0, { kind: 'sequence', of: tensor(op.elem(0), dims.with(axis, partSize(op, dims[axis] ?? null))) })
  },
  ConcatFromSequence: (op) => {
    const content = contentOf(op.kind(0))
    if (content.kind !== 'tensor') return
    const isNew = op.int('new_axis', 0) === 1
    const { dims } = content
    if (dims === undefined) return op.give(0, undefined, content.elem)
    const axis = op.axis(op.int('axis', 0), dims.length + (isNew ? 1 : 0))
    op.give(0, isNew ? dims.toSpliced(axis, 0, null) : concatenated(op, [dims.with(axis, null)], axis), content.elem)
  },
  Optional: (op) => {
    const type = op.attribute('type')?.proto.tp
    op.giveKind(0, { kind: 'optional', of: type === undefined ? op.kind(0) : kindOf(type) })
  },
  OptionalGetElement: (op) => {
    const kind = op.kind(0)
    op.giveKind(0, kind.kind === 'optional' ? kind.of : kind)
  },
  OptionalHasElement: (op) => op.give(0, [], 'bool'),
}

/** The size that all parts have. */
function partSize(op: OpContext, size: Dim): Dim {
  if (!op.hasInput(1)) return 1
  const sizes = op.numbers(1)
  const [first] = sizes ?? []
  if (first === undefined) return null
  const isScalar = op.dims(1)?.length === 0
  if (isScalar) return typeof size === 'number' && size % first === 0 ? first : null
  return sizes?.every((part) => part === first) ? first : null
}
