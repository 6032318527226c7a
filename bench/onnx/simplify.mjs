// One simplification, from the start of the process to the written file.
import { read, simplify, transform } from 'tensorrt-node/onnx'

const [source, target] = process.argv.slice(2)
const model = await read(source)
await transform(model, [simplify()])
await model.write(target)
