// `compare` with layers: its time against the two runs that it cannot do without, and its memory against that of all values
// at once, which streaming them in groups is to avoid. The model for the time is the largest real one, there once `npm test`
// has set it up; what is compared is the model with itself, so that both sides are alike.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as trt from 'tensorrt-node'
import { feedsOf, realModels } from '../scripts/models/real-models.mjs'
import { inTurns, MODELS, median } from './measure.mjs'

const ROUNDS = 5
const LARGEST = 'all-minilm-l6-v2'
/** The detector at the side of a photograph, where its values take gigabytes. */
const SIDE = 1280
const CHILD = fileURLToPath(new URL('./parity-memory.mjs', import.meta.url))

export const title = 'compare with layers'

export async function measure() {
  const results = []
  const { path, ...largest } = realModels().find(({ name }) => name === LARGEST)
  if (existsSync(path)) {
    const feeds = feedsOf(largest, 1)
    const run = async () => trt.onnx.run(await trt.onnx.read(path), feeds, { optimization: 'disabled' })
    const { compared, alone } = await inTurns(ROUNDS, {
      compared: async () =>
        void (await trt.compare({ model: path, candidates: { path }, inputs: { feeds }, layers: true })),
      alone: async () => {
        await run()
        await run()
      },
    })
    results.push({
      what: `${LARGEST}: time, to that of two runs`,
      ratio: median(compared) / median(alone),
      atMost: 1.3,
    })
  } else console.log(`${LARGEST}: not measured, there is no ${path}`)
  const { file, input } = MODELS.detection
  const { peak, all } = JSON.parse(
    execFileSync(process.execPath, [CHILD, file, input, String(SIDE)], { encoding: 'utf8' }),
  )
  results.push({
    what: `PP-OCRv4's detector, ${SIDE} x ${SIDE}: peak memory, to that of all values`,
    ratio: peak / all,
    atMost: 0.5,
  })
  return results
}
