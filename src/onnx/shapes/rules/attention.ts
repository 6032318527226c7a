/** Attention in its variants. */
import type { Dim } from '../../value-type.js'
import { add, floorDivide, multiply } from '../dim-algebra.js'
import type { Rule } from '../op-context.js'

export const ATTENTION: Readonly<Record<string, Rule>> = {
  Attention: (op) => {
    const [q, k, v] = [op.dims(0), op.dims(1), op.dims(2)]
    if (q === undefined || k === undefined || v === undefined) return
    const past = op.hasInput(4) ? (op.dims(4)?.[2] ?? null) : 0
    const batch = q[0] ?? null
    if (q.length === 4) {
      const total = add(past, k[2] ?? null)
      op.give(0, [batch, q[1] ?? null, q[2] ?? null, v[3] ?? null])
      op.give(1, [batch, k[1] ?? null, total, k[3] ?? null])
      op.give(2, [batch, v[1] ?? null, total, v[3] ?? null])
      op.give(3, [batch, q[1] ?? null, q[2] ?? null, total])
      return
    }
    const [heads, cached] = [op.int('q_num_heads') ?? null, op.int('kv_num_heads') ?? null]
    const total = add(past, k[1] ?? null)
    const size = (dims: readonly Dim[]) => floorDivide(dims[2] ?? null, cached)
    op.give(0, [batch, q[1] ?? null, multiply(heads, size(v))])
    op.give(1, [batch, cached, total, size(k)])
    op.give(2, [batch, cached, total, size(v)])
    op.give(3, [batch, heads, q[1] ?? null, total])
  },
  LinearAttention: (op) => {
    const [query, key, value] = [op.dimsOfRank(0, 3), op.dimsOfRank(1, 3), op.dimsOfRank(2, 3)]
    const [heads, cached] = [op.int('q_num_heads') ?? null, op.int('kv_num_heads') ?? null]
    const size = floorDivide(value[2] ?? null, cached)
    op.give(0, [query[0] ?? null, query[1] ?? null, multiply(heads, size)])
    op.give(1, [query[0] ?? null, cached, floorDivide(key[2] ?? null, cached), size], op.elem(op.hasInput(3) ? 3 : 0))
  },
  CausalConvWithState: (op) => {
    const [batch = null, channels = null] = op.dimsOfRank(0, 3)
    op.give(0, op.dims(0))
    op.give(1, [batch, channels, add(op.dims(1)?.[2] ?? null, -1)])
  },
}

/** ONNX's preview domain. */
export const PREVIEW: Readonly<Record<string, Rule>> = {
  FlexAttention: (op) => {
    const [q, v] = [op.dimsOfRank(0, 4), op.dimsOfRank(2, 4)]
    op.give(0, [...q.slice(0, 3), v[3] ?? null])
    const scores = [q[0] ?? null, q[1] ?? null, q[2] ?? null, op.dims(1)?.[2] ?? null]
    const elem = op.elem(0) === 'float64' ? 'float64' : 'float32'
    for (const name of ['score_mod', 'prob_mod']) {
      const graph = op.graph(name)
      if (graph !== undefined) op.scope.inferGraph(graph, [{ kind: 'tensor', elem, dims: scores }])
    }
  },
}
