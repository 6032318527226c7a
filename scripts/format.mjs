// `npm run format`: TypeScript, JavaScript and JSON by biome, C++ and CUDA by clang-format.
import { join } from 'node:path'
import { ROOT, run } from './lib/run.mjs'
import { PYTHON, setUpPackages, setUpPython, trackedFiles } from './setup.mjs'

await setUpPackages()
await setUpPython()
await run(join(ROOT, 'node_modules/.bin/biome'), ['check', '--write', '--error-on-warnings'], { show: true })
await run(PYTHON, ['-m', 'clang_format', '-i', ...(await trackedFiles(/\.(cc|h|cu|cuh)$/))])
