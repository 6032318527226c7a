// A recogniser of text keeps reading in int8: a few crops here, 500 by `npm run quantization` (docs/quantization.md).
import { Tensor } from 'tensorrt-node'
import * as onnx from 'tensorrt-node/onnx'
import { expect, it } from 'vitest'
import { readAlphabetOf, toText } from '../../scripts/demo/ocr.mjs'
import { editDistance, textCrops } from '../../scripts/lib/text-crops.mjs'
import { installed, realModel } from './helpers/models.js'

const [CALIBRATION_SEED, TEST_SEED] = [2, 1]

async function crops(seed: number, count: number) {
  const all: { text: string; x: Tensor }[] = []
  for await (const { text, data, dims } of textCrops(seed, count))
    all.push({ text, x: new Tensor('float32', data, dims) })
  return all
}

it('reads what float32 reads, to 97 characters of 100', async (ctx) => {
  const model = await onnx.read(installed(ctx, realModel('pp-ocrv6-rec')))
  const alphabet = readAlphabetOf(model)
  const read = async (crops: readonly { readonly x: Tensor }[]) => {
    await using runner = await onnx.openRunner(model, { exactInt8: true })
    const texts: string[] = []
    for (const { x } of crops) texts.push(toText(Object.values(await runner.run({ x }))[0] as Tensor, alphabet).text)
    return texts
  }
  const tests = await crops(TEST_SEED, 25)
  await onnx.transform(model, [onnx.simplify()])
  const wanted = await read(tests)
  const ranges = await onnx.calibrate(
    model,
    await crops(CALIBRATION_SEED, 20).then((all) => all.map(({ x }) => ({ x }))),
    {
      method: 'percentile',
    },
  )
  await onnx.transform(model, [onnx.quantize({ ranges })])
  const given = await read(tests)
  const characters = wanted.reduce((sum, text) => sum + text.length, 0)
  const wrong = wanted.reduce((sum, text, index) => sum + editDistance(text, given[index] as string), 0)
  expect(characters).toBeGreaterThan(200)
  expect(1 - wrong / characters).toBeGreaterThan(0.97)
  // It is float32 that reads what is written, so that it means something.
  const misread = tests.reduce((sum, { text }, index) => sum + editDistance(text, wanted[index] as string), 0)
  expect(1 - misread / characters).toBeGreaterThan(0.95)
})
