import type { Rule } from '../rule.js'

/** Constants that int32 cannot hold, in which TensorRT before 10 computes, and many kernels after it. */
export const wideInt64: Rule = {
  id: 'wide-int64',
  summary: 'an int64 constant that int32 cannot hold',
  check(facts, report) {
    for (const graph of facts.model.graphs()) {
      for (const tensor of graph.initializers) {
        if (tensor.type !== 'int64' || tensor.size === 0) continue
        const { min, max } = tensor.statistics()
        const value = graph.value(tensor.name)
        if (value === undefined || (Number(min) >= -(2 ** 31) && Number(max) < 2 ** 31)) continue
        // Slice and the like end there on purpose: "until the end".
        if (value.consumers.every(({ opType }) => opType === 'Slice')) continue
        report(
          value,
          `holds ${Number(min) < -(2 ** 31) ? min : max}, beyond int32, where TensorRT may compute in int32`,
          {
            severity: 'warning',
            values: [value],
            advice: 'keep indices and masks within int32',
          },
        )
      }
    }
  },
}
