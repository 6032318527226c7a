// A lean part of what `npm run parity` does with every trained model: see scripts/models/seeded-faults.mjs.
import { expect, it } from 'vitest'
import { FaultBench, KINDS } from '../../scripts/models/seeded-faults.mjs'
import { installed, realModel } from '../onnx/helpers/models.js'

it.for([
  ['pp-ocrv4-cls', [1]],
  ['mtcnn-onet', [1, 2]],
] as const)(
  'compare names the node with the fault in %s, in fp16 and simplified, and none where there is none',
  { timeout: 600_000 },
  async ([name, seeds], ctx) => {
    installed(ctx, realModel(name))
    const bench = await FaultBench.open(realModel(name))
    let sown = 0
    for (const kind of [...KINDS, undefined]) {
      for (const seed of seeds) {
        const found = await bench.run(kind, seed)
        if (found === undefined) continue
        const { node, change, found: named, suspects, isRight } = found
        expect(isRight, `${kind}, seed ${seed}: ${change} in ${node}, named: ${named}`).toBe(true)
        expect(suspects.length).toBeLessThanOrEqual(kind === undefined ? 0 : 12)
        sown++
      }
    }
    expect(sown).toBeGreaterThanOrEqual(3 * seeds.length)
  },
)
