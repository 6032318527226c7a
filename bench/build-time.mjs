// Building through the API against building the same model through TensorRT-RTX's own Python bindings, in turns.
import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as trt from 'tensorrt-node'
import { PYTHON, sdkPath } from '../scripts/setup.mjs'
import { inTurns, MODELS, median } from './measure.mjs'

const ROUNDS = 9
const SCRIPT = fileURLToPath(new URL('build_time.py', import.meta.url))

export const title = 'Build time'

export async function measure() {
  const results = []
  for (const name of ['recognition', 'detection']) {
    const { file, input, dims } = MODELS[name]
    const python = await startPython(file, input, dims)
    const sizes = {}
    const build = (isolation) => async () => {
      const started = performance.now()
      const built = await trt.buildEngine({
        onnx: file,
        shapes: { [input]: dims },
        backend: 'tensorrt-rtx',
        target: { computeCapabilities: ['8.9'] },
        isolation,
      })
      sizes[isolation] = built.plan.byteLength
      return performance.now() - started
    }
    const times = await inTurns(ROUNDS, {
      python: async () => {
        const [seconds, size] = await python.next()
        sizes.python = size
        return seconds * 1000
      },
      thread: build('thread'),
      process: build('process'),
    })
    python.end()
    results.push(
      {
        what: `${name}: isolation 'thread' to Python`,
        ratio: median(times.thread) / median(times.python),
        atMost: 1.05,
      },
      { what: `${name}: isolation 'process' to Python`, ratio: median(times.process) / median(times.python) },
      { what: `${name}: size of the plan to Python's`, ratio: sizes.thread / sizes.python, atMost: 1, atLeast: 1 },
    )
  }
  return results
}

async function startPython(file, input, dims) {
  const libraries = dirname(await sdkPath('rtx'))
  const env = { ...process.env, LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':') }
  const child = spawn(PYTHON, [SCRIPT, file, input, dims.join(',')], { stdio: ['pipe', 'pipe', 'inherit'], env })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async next() {
      child.stdin.write('\n')
      const { value, done } = await lines.next()
      if (done) throw new Error('the Python side of the benchmark ended')
      return value.split(' ').map(Number)
    },
    end: () => child.stdin.end(),
  }
}
