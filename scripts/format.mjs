// `npm run format`: TypeScript, JavaScript and JSON by biome, C++ and CUDA by clang-format.
import { join } from 'node:path'
import { ROOT, run } from './lib/run.mjs'
import { CLANG_FORMAT, setUpPackages, setUpPython, trackedFiles } from './setup.mjs'

await setUpPackages()
await setUpPython()
await run(join(ROOT, 'node_modules/.bin/biome'), ['check', '--write', '--error-on-warnings'], { show: true })
await run(CLANG_FORMAT, ['-i', ...(await trackedFiles(/\.(cc|h|cu|cuh)$/))])
