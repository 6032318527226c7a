// Whether `compare` names the node with a fault, and none where there is none: see ../models/seeded-faults.mjs.
import { FaultBench, KINDS, suits } from '../models/seeded-faults.mjs'

/** @param cases their numbers: each is a fault, and a candidate without one @param onCase told of each how it went so far */
export async function measureFaults(trained, cases, onCase = () => {}) {
  const suited = trained.filter(suits)
  const benches = new Map()
  const benchOf = async (index) => {
    const model = suited[index % suited.length]
    if (!benches.has(model)) benches.set(model, await FaultBench.open(model))
    return benches.get(model)
  }
  const result = { sown: 0, named: 0, sound: 0, alarms: 0, kinds: {}, wrong: [] }
  for (const at of cases) {
    const seed = at + 1
    const kind = KINDS[at % KINDS.length]
    const { bench, found } = await firstPlace(suited.length, async (offset) => {
      const bench = await benchOf(Math.floor(at / KINDS.length) + offset)
      return { bench, found: await bench.run(kind, seed) }
    })
    if (found === undefined) continue
    result.sown++
    result.kinds[kind] = (result.kinds[kind] ?? 0) + 1
    if (found.isRight) result.named++
    else result.wrong.push(`${bench.trained.name}, seed ${seed}: ${kind} in ${found.node}, named: ${found.found}`)
    const sound = await benchOf(at)
    const { found: alarm } = await sound.run(undefined, seed)
    result.sound++
    if (alarm !== undefined) {
      result.alarms++
      result.wrong.push(`${sound.trained.name}, seed ${seed}: no fault, named: ${alarm}`)
    }
    onCase(result)
  }
  return result
}

/** The first model that has a place for a fault of a kind. */
async function firstPlace(models, tryModel) {
  for (let offset = 0; offset < models; offset++) {
    const tried = await tryModel(offset)
    if (tried.found !== undefined) return tried
  }
  return {}
}
