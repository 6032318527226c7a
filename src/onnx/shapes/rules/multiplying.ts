/** Products of matrices. */
import type { Dim } from '../../value-type.js'
import { broadcast } from '../broadcast.js'
import type { OpContext, Rule } from '../op-context.js'
import type { Dims } from '../value-kinds.js'

export const MULTIPLYING: Readonly<Record<string, Rule>> = {
  MatMul: (op) => op.give(0, product(op, op.dims(0), op.dims(1))),
  MatMulInteger: (op) => op.give(0, product(op, op.dims(0), op.dims(1))),
  QLinearMatMul: (op) => op.give(0, product(op, op.dims(0), op.dims(3)), op.elem(7)),
  Gemm: (op) => {
    const [a, b] = [op.dimsOfRank(0, 2), op.dimsOfRank(1, 2)]
    const [isA, isB] = [op.int('transA', 0) === 1, op.int('transB', 0) === 1]
    checkInner(op, a[isA ? 0 : 1] ?? null, b[isB ? 1 : 0] ?? null)
    op.give(0, [a[isA ? 1 : 0] ?? null, b[isB ? 0 : 1] ?? null])
  },
  Einsum: (op) => op.give(0, einsum(op, op.text('equation'))),
  Det: (op) => op.give(0, op.dims(0)?.slice(0, -2)),
}

/** As numpy.matmul: vectors are rows or columns that are taken away again, and leading axes are broadcast. */
export function product(op: OpContext, a: Dims | undefined, b: Dims | undefined): Dims | undefined {
  if (a === undefined || b === undefined) return undefined
  if (a.length === 0 || b.length === 0) op.fail('a scalar cannot be multiplied as a matrix')
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b]
  checkInner(op, left.at(-1) ?? null, right.at(-2) ?? null)
  const batch = broadcast(op, [left.slice(0, -2), right.slice(0, -2)]) ?? []
  const rows = a.length === 1 ? [] : [left.at(-2) ?? null]
  const columns = b.length === 1 ? [] : [right.at(-1) ?? null]
  return [...batch, ...rows, ...columns]
}

export function checkInner(op: OpContext, a: Dim, b: Dim): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) op.fail(`inner sizes ${a} and ${b} differ`)
}

/** numpy.einsum's notation: letters for axes, `...` for those that are broadcast. */
function einsum(op: OpContext, equation: string): Dims | undefined {
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const terms = left.split(',')
  const sizes = new Map<string, Dim>()
  const rests: Dims[] = []
  for (const [index, term] of terms.entries()) {
    const dims = op.dims(index)
    if (dims === undefined) return undefined
    const rank = dims.length - term.replace('...', '').length
    const letters = term.replace('...', '.'.repeat(Math.max(0, rank)))
    if (letters.length !== dims.length) op.fail(`"${term}" does not fit rank ${dims.length}`)
    for (const [axis, letter] of [...letters].entries()) {
      const [known, dim] = [sizes.get(letter) ?? null, dims[axis] ?? null]
      if (letter !== '.' && (known === null || known === 1 || (typeof dim === 'number' && dim !== 1)))
        sizes.set(letter, dim)
    }
    if (term.includes('...')) rests.push(dims.filter((_, axis) => letters[axis] === '.'))
  }
  const rest = broadcast(op, rests) ?? []
  const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort()
  const output = right ?? `${left.includes('...') ? '...' : ''}${once.join('')}`
  return (output.match(/\.\.\.|./g) ?? []).flatMap((part) => (part === '...' ? rest : [sizes.get(part) ?? null]))
}
