// Loads a model, renames its input, takes out what nobody reads, sorts and saves; prints the most memory it took, in bytes.
import { read } from 'tensorrt-node/onnx'

const [from, to] = process.argv.slice(2)
const model = await read(from)
model.graph.inputs[0].rename('renamed')
model.prune()
await model.write(to)
console.log(process.resourceUsage().maxRSS * 1024)
