/** Two nodes of one op, one after the other, that a single one does. */
import { onlyProducer, type Rewrite } from './rewrite.js'

const transposes: Rewrite = (node) => {
  const before = onlyProducer(node.inputs[0], 'Transpose')
  const source = before?.inputs[0]
  const rank = source?.dims?.length ?? (before?.getInts('perm') ?? node.getInts('perm'))?.length
  if (before === undefined || source === undefined || rank === undefined) return undefined
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  const [first, second] = [before.getInts('perm') ?? reversed, node.getInts('perm') ?? reversed]
  const perm = second.map((axis) => first[axis] as number)
  node.set('perm', 'ints', perm)
  node.setInput(0, source)
  return `merged with ${before} into perm [${perm}]`
}

const concats: Rewrite = (node) => {
  const axis = node.getInt('axis', 1)
  const rank = node.outputs[0]?.dims?.length
  const place = (at: number) => (at < 0 && rank !== undefined ? at + rank : at)
  const inner = node.inputs.map((value) => {
    const before = onlyProducer(value, 'Concat')
    const isOnce = node.inputs.indexOf(value) === node.inputs.lastIndexOf(value)
    return isOnce && before !== undefined && place(before.getInt('axis', 1)) === place(axis) ? before : undefined
  })
  if (inner.every((before) => before === undefined)) return undefined
  node.inputs = node.inputs.flatMap((value, index) => inner[index]?.inputs ?? [value])
  return `merged with ${inner.filter((before) => before !== undefined).join(', ')}`
}

export const CHAINS: Readonly<Record<string, readonly Rewrite[]>> = {
  Concat: [concats],
  Transpose: [transposes],
}
