// Loads a model, renames its input, takes out what nobody reads, sorts and saves; prints the most memory it took, in bytes.
import { readFileSync } from 'node:fs'
import { read } from 'tensorrt-node/onnx'

const [from, to] = process.argv.slice(2)
const model = await read(from)
model.graph.inputs[0].rename('renamed')
model.prune()
await model.write(to)
// Not resourceUsage().maxRSS, which begins with what the process that started this one took (getrusage(2)).
console.log(Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024)
