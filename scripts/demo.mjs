// `npm run demo`: sets up what a fresh clone lacks, then reads a photographed page with real trained networks: builds
// real TensorRT engines, loads them where a GPU is, and the same models on the CPU backend where none is.
import { attempt, pythonPackageFile, setUpAddons, setUpDist, setUpPackages, setUpPython, setUpSdk } from './setup.mjs'

await setUpPackages()
await setUpDist()
const missing = await attempt(async () => {
  await setUpSdk('headers')
  await setUpSdk('rtx')
  await setUpAddons()
})
await setUpPython()
const { readPage } = await import('./demo/read-page.mjs')
await readPage(pythonPackageFile('skimage/data/page.png'), missing)
