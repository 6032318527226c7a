// Compares the layers of a model with themselves, and prints the most memory that this process had meanwhile beside what all
// values of one side take, both in bytes: node bench/parity-memory.mjs MODEL INPUT SIDE
import * as trt from 'tensorrt-node'

const [, , model, input, side] = process.argv
const shapes = { [input]: [1, 3, Number(side), Number(side)] }
const { candidates } = await trt.compare({ model, candidates: { model }, inputs: { shapes }, layers: true })
const all = candidates[0].layers.reduce((sum, { size }) => sum + 4 * size, 0)
console.log(JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024, all }))
